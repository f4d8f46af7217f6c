import { strict as assert } from 'node:assert';
import { constant, dense, Network, type Prune, set, sparse } from '../lib/index';
import { type Fashion, fashion, mean } from './helpers/helpers';

// What makes SET work is which connections it removes (Mocanu et al. 2018): removing random ones instead must hurt badly,
// removing the largest must learn nothing. Zeta is constant here: along the cosine the last epochs would repair the damage.
describe('32 negative controls: 2,000 images of Fashion-MNIST, 784-300-300-300-10, 8 epochs, 3 seeds', function () {
  this.timeout(120_000);
  const seeds = [1, 2, 3];
  let data: Fashion;

  /** Accuracy on 1,000 test images before and after the final removal, for each seed. */
  async function train(prune: Prune | null): Promise<{ before: number[]; after: number[] }> {
    const before: number[] = [];
    const after: number[] = [];
    for (const seed of seeds) {
      const layers = [0, 1, 2].map(() => sparse({ units: 300, epsilon: 10 }));
      const net = Network.createSync({
        inputs: 784,
        seed,
        scaling: 'perFeature',
        layers: [...layers, dense({ units: 10 })],
      });
      const evolution = prune === null ? null : set({ prune, zeta: constant({ value: 0.3 }) });
      const { epochs, final } = await net.fit(
        { x: data.xTrain, y: data.yTrain },
        { epochs: 8, evolution, validation: { x: data.xTest, y: data.yTest } },
      ).done;
      const last = epochs.at(-1)?.validation?.accuracy as number;
      before.push(last);
      after.push(final?.validation?.accuracy ?? last);
      net.dispose();
    }
    console.log(`      ${prune ?? 'static'}: before the final removal ${before.join(', ')}; after ${after.join(', ')}`);
    return { before, after };
  }

  before(async () => {
    data = await fashion(2000, 1000);
  });

  // The measured figures stand in the comments; the bounds leave a margin to them.
  it('the criterion of the authors learns, and loses nothing in the final removal', async () => {
    const { before, after } = await train('signMagnitude'); // 0.802 0.790 0.785, and 0.802 0.793 0.787
    assert.ok(Math.min(...before) > 0.75);
    assert.ok(mean(after) > mean(before) - 0.02);
    const fixed = await train(null); // 0.802 0.794 0.790
    assert.ok(mean(before) > mean(fixed.before) - 0.04);
  });

  it('removing random connections hurts badly', async () => {
    const { before, after } = await train('random'); // 0.413 0.262 0.376, and 0.210 0.126 0.121
    assert.ok(Math.max(...before) < 0.6);
    assert.ok(Math.max(...after) < 0.45);
  });

  it('removing the largest weights learns nothing', async () => {
    const { before, after } = await train('largest'); // 0.095 to 0.105, chance
    assert.ok(Math.max(...before) < 0.2);
    assert.ok(Math.max(...after) < 0.2);
  });
});
