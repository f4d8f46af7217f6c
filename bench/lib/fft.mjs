// A discrete Fourier transform of any length that is a product of small primes, in double precision: Stockham's form, so that
// the result is in order without a permutation.

const radices = [4, 2, 3, 5, 7];

/** The factors of a length, each one of the radices; a RangeError where it has other prime factors. */
export function factorize(length) {
  const factors = [];
  let rest = length;
  for (const radix of radices) {
    for (; rest % radix === 0; rest /= radix) factors.push(radix);
  }
  if (!(length >= 1) || rest !== 1) throw new RangeError(`a transform of length ${length}: only factors 2, 3, 5 and 7`);
  return factors;
}

/**
 * makeFft(length)(re, im, isInverse) transforms { re, im } (Float64Array of that length) in place, without a factor: the
 * inverse of a transform is `length` times its input.
 */
export function makeFft(length) {
  const factors = factorize(length);
  const cosines = new Float64Array(length);
  const sines = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const angle = (2 * Math.PI * i) / length;
    cosines[i] = Math.cos(angle);
    sines[i] = Math.sin(angle);
  }
  const otherRe = new Float64Array(length);
  const otherIm = new Float64Array(length);
  const partsRe = new Float64Array(7);
  const partsIm = new Float64Array(7);
  const twiddleRe = new Float64Array(7);
  const twiddleIm = new Float64Array(7);
  const smallRe = new Float64Array(49);
  const smallIm = new Float64Array(49);

  /** One pass: transforms of `radix` elements that lie `stride * inner` apart, twiddled, and put in order. */
  function pass(fromRe, fromIm, toRe, toIm, radix, inner, stride, sign) {
    for (let j = 0; j < radix; j++) {
      for (let k = 0; k < radix; k++) {
        const turn = (length / radix) * ((j * k) % radix);
        smallRe[j * radix + k] = cosines[turn];
        smallIm[j * radix + k] = sign * sines[turn];
      }
    }
    const distance = stride * inner;
    for (let p = 0; p < inner; p++) {
      for (let j = 0; j < radix; j++) {
        twiddleRe[j] = cosines[p * j * stride];
        twiddleIm[j] = sign * sines[p * j * stride];
      }
      const first = stride * p;
      const target = stride * radix * p;
      for (let q = 0; q < stride; q++) {
        for (let k = 0; k < radix; k++) {
          partsRe[k] = fromRe[first + q + distance * k];
          partsIm[k] = fromIm[first + q + distance * k];
        }
        for (let j = 0; j < radix; j++) {
          let sumRe = partsRe[0];
          let sumIm = partsIm[0];
          for (let k = 1; k < radix; k++) {
            const c = smallRe[j * radix + k];
            const s = smallIm[j * radix + k];
            sumRe += partsRe[k] * c - partsIm[k] * s;
            sumIm += partsRe[k] * s + partsIm[k] * c;
          }
          toRe[target + q + stride * j] = sumRe * twiddleRe[j] - sumIm * twiddleIm[j];
          toIm[target + q + stride * j] = sumRe * twiddleIm[j] + sumIm * twiddleRe[j];
        }
      }
    }
  }

  /** The same for a radix of 4, whose small transform needs no multiplications. */
  function pass4(fromRe, fromIm, toRe, toIm, inner, stride, sign) {
    const distance = stride * inner;
    for (let p = 0; p < inner; p++) {
      const [at1, at2, at3] = [p * stride, 2 * p * stride, 3 * p * stride];
      const [c1, c2, c3] = [cosines[at1], cosines[at2], cosines[at3]];
      const [s1, s2, s3] = [sign * sines[at1], sign * sines[at2], sign * sines[at3]];
      for (let q = 0; q < stride; q++) {
        const a = stride * p + q;
        const [b, c, d] = [a + distance, a + 2 * distance, a + 3 * distance];
        const evenRe = fromRe[a] + fromRe[c];
        const evenIm = fromIm[a] + fromIm[c];
        const oddRe = fromRe[a] - fromRe[c];
        const oddIm = fromIm[a] - fromIm[c];
        const sumRe = fromRe[b] + fromRe[d];
        const sumIm = fromIm[b] + fromIm[d];
        // The difference, turned by a quarter.
        const turnedRe = -sign * (fromIm[b] - fromIm[d]);
        const turnedIm = sign * (fromRe[b] - fromRe[d]);
        const target = stride * 4 * p + q;
        toRe[target] = evenRe + sumRe;
        toIm[target] = evenIm + sumIm;
        let re = oddRe + turnedRe;
        let im = oddIm + turnedIm;
        toRe[target + stride] = re * c1 - im * s1;
        toIm[target + stride] = re * s1 + im * c1;
        re = evenRe - sumRe;
        im = evenIm - sumIm;
        toRe[target + 2 * stride] = re * c2 - im * s2;
        toIm[target + 2 * stride] = re * s2 + im * c2;
        re = oddRe - turnedRe;
        im = oddIm - turnedIm;
        toRe[target + 3 * stride] = re * c3 - im * s3;
        toIm[target + 3 * stride] = re * s3 + im * c3;
      }
    }
  }

  return (re, im, isInverse = false) => {
    const sign = isInverse ? 1 : -1;
    let from = [re, im];
    let to = [otherRe, otherIm];
    let count = length;
    let stride = 1;
    for (const radix of factors) {
      if (radix === 4) pass4(from[0], from[1], to[0], to[1], count / radix, stride, sign);
      else pass(from[0], from[1], to[0], to[1], radix, count / radix, stride, sign);
      [from, to] = [to, from];
      count /= radix;
      stride *= radix;
    }
    if (from[0] !== re) {
      re.set(from[0]);
      im.set(from[1]);
    }
  };
}
