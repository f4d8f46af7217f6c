// What `setnet train` does where nobody says otherwise. The figures behind the choices are in docs/command.md.

/** Samples that all epochs together go through, about; see epochsFor. */
const samplesSeen = 1_000_000;

/** Passes over so many training samples: more for few samples, which are seen seldom otherwise. */
export function epochsFor(samples: number): number {
  return Math.min(100, Math.max(20, Math.round(samplesSeen / samples)));
}

/** Samples a step: at least some 40 steps an epoch where there are enough, a power of 2 from 8 to 128. */
export function batchSizeFor(samples: number): number {
  return Math.min(128, Math.max(8, 2 ** Math.round(Math.log2(samples / 40))));
}

/**
 * So many samples held out tell by their accuracy which epoch is the best. Of fewer, many epochs have the same accuracy, and the
 * first of them has learned least; the loss goes on telling them apart.
 */
export const enoughForAccuracy = 50;

/**
 * Of the hidden layers: All-ReLU, which tells apart by inputs that count only together, where there are more samples than inputs; where
 * data are wider than long it learns them by heart, and ReLU is better.
 */
export function activationFor(samples: number, inputs: number): 'allRelu' | 'relu' {
  return samples > inputs ? 'allRelu' : 'relu';
}

/**
 * Weight decay of Adam, which counts against the gradients of all samples together: what keeps a thousand samples from being learned by
 * heart would keep sixty thousand from being learned.
 */
export function weightDecayFor(samples: number): number {
  return Math.min(0.01, Number((15 / samples).toPrecision(2)));
}
