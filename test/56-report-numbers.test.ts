import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import { binomialLaw, hypergeometricLaw, meanOf, tailOf, varianceOf } from '../lib/report/degree_law';
import { escapeText, shorten } from '../lib/report/escape';
import * as format from '../lib/report/format';
import { dodge } from '../lib/report/label_places';
import { thin } from '../lib/report/line_chart';
import { analyseTail, beyondNormal, fitPowerLaw, hurwitzZeta } from '../lib/report/power_law';
import { binomialDraw, randomSource } from '../lib/report/random';
import { extent, linearScale, logScale, niceStep } from '../lib/report/scale';
import type { Point } from '../lib/report/svg';
import { tallyOf } from '../lib/report/tally';
import { weightHistogram } from '../lib/report/weight_histogram';

/** n over k, exactly. */
function choose(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 0; i < k; i++) result = (result * BigInt(n - i)) / BigInt(i + 1);
  return result;
}

/** The quotient of two integers to 15 digits. */
function quotient(a: bigint, b: bigint): number {
  return Number((a * 10n ** 40n) / b) / 1e40;
}

/** Whole numbers with p(k) proportional to k^-exponent for k >= start, by inverting the sum. */
function powerLawSample(count: number, exponent: number, start: number, seed: number): number[] {
  const random = randomSource(seed);
  const whole = hurwitzZeta(exponent, start);
  return Array.from({ length: count }, () => {
    let [u, k] = [random() * whole, start];
    for (; u > 0 && k < 1e6; k++) u -= k ** -exponent;
    return k - 1;
  });
}

describe('56 numbers of reports: scales and text', () => {
  it('ticks of a linear scale are round, ascending and even, and the domain holds the data', () => {
    const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(finite, finite, fc.integer({ min: 1, max: 10 }), fc.boolean(), (a, b, count, nice) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(high === low || high - low > 1e-6 * Math.max(1, Math.abs(low), Math.abs(high)));
        const { domain, ticks, place } = linearScale([low, high], { count, nice });
        const room = 1e-6 * Math.max(1, Math.abs(low), Math.abs(high));
        assert.ok(domain[0] <= low + room && domain[1] >= high - room);
        assert.ok(Math.abs(place(domain[0])) < 1e-9 && Math.abs(place(domain[1]) - 1) < 1e-9);
        assert.ok(ticks.length <= count + 3, `${ticks.length} ticks for ${count}`);
        for (let i = 1; i < ticks.length; i++) assert.ok((ticks[i]?.value as number) > (ticks[i - 1]?.value as number));
        if (nice) assert.ok(ticks.length >= 2);
        for (const { value } of ticks) assert.ok(place(value) > -1e-6 && place(value) < 1 + 1e-6);
      }),
    );
  });

  it('an integer scale has whole ticks', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 0, max: 5 }), (low, more) => {
        for (const { value } of linearScale([low, low + more], { integer: true }).ticks)
          assert.ok(Number.isInteger(value), String(value));
      }),
    );
  });

  it('a step is 1, 2 or 5 times a power of ten and the least that is enough', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), (least) => {
        const step = niceStep(least);
        assert.match(step.toExponential(6), /^[125]\.000000e/);
        assert.ok(step >= least * (1 - 1e-8) && step <= least * 2.5 * (1 + 1e-6));
      }),
    );
  });

  it('a logarithmic scale has ticks within its domain, whose labels are their values', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.double({ min: 1.05, max: 1e8, noNaN: true }),
        (low, factor) => {
          const { ticks, place } = logScale([low, low * factor]);
          assert.ok(ticks.length >= 1 || factor < 1.2, `${low} ${factor}`);
          assert.ok(ticks.length <= 10);
          for (const { value, label } of ticks) {
            assert.ok(place(value) > -1e-6 && place(value) < 1 + 1e-6);
            if (/^[\d.,]+$/.test(label))
              assert.ok(Math.abs(Number(label.replace(/,/g, '')) / value - 1) < 0.06, `${label} ${value}`);
          }
        },
      ),
    );
    assert.deepEqual(
      logScale([0.001, 1], { count: 4 }).ticks.map(({ label }) => label),
      ['0.001', '0.01', '0.1', '1'],
    );
  });

  it('numbers are written with commas, a true minus sign and no lost zero', () => {
    assert.equal(format.count(125680), '125,680');
    assert.equal(format.decimal(-0.04, 1), '0.0');
    assert.equal(format.decimal(-1234.5, 1), '\u22121,234.5');
    assert.equal(format.percent(0.8759, 1), '87.6\u00a0%');
    assert.equal(format.compact(1_250_000), '1.25M');
    assert.equal(format.compact(1000), '1k');
    assert.equal(format.significant(0), '0');
    assert.equal(format.significant(1.5e-7), '1.50\u00a0\u00d7\u00a010\u207b\u2077');
    assert.equal(format.bytes(23_400_000), '23.4\u00a0MB');
    assert.equal(format.duration(0.0042), '4.2\u00a0ms');
    assert.equal(format.duration(7200), '2.0\u00a0h');
    assert.equal(format.plural(1, 'epoch'), '1\u00a0epoch');
  });

  it('no text is markup once it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeText(text);
        assert.doesNotMatch(escaped, /[<>"']/);
        assert.doesNotMatch(escaped, /&(?!amp;|lt;|gt;|quot;|#39;)/);
        assert.equal(Buffer.from(escaped, 'utf8').toString('utf8'), escaped);
      }),
    );
    assert.equal(shorten('abcdef', 4), 'abc\u2026');
    assert.equal(shorten('abcd', 4), 'abcd');
  });

  it('labels keep clear of each other, in the order of their wishes, within the plot', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -50, max: 250, noNaN: true }), { minLength: 1, maxLength: 12 }),
        (wishes) => {
          const places = dodge(wishes, 14, 0, 200);
          const sorted = places.map((place, i) => [wishes[i] as number, place] as const).sort(([a], [b]) => a - b);
          for (const place of places) assert.ok(place >= -1e-6 && place <= 200 + 1e-6);
          const gap = Math.min(14, 200 / Math.max(1, wishes.length - 1));
          const ordered = [...places].sort((a, b) => a - b);
          for (let i = 1; i < ordered.length; i++)
            assert.ok((ordered[i] as number) - (ordered[i - 1] as number) >= gap - 1e-6);
          for (let i = 1; i < sorted.length; i++) {
            if (sorted[i]?.[0] !== sorted[i - 1]?.[0])
              assert.ok((sorted[i]?.[1] as number) > (sorted[i - 1]?.[1] as number));
          }
        },
      ),
    );
  });

  it('a long curve keeps its ends and its extremes', () => {
    const points = Array.from({ length: 20_000 }, (_, i): Point => [i, i === 7777 ? 99 : Math.sin(i)]);
    const kept = thin(points, 400);
    assert.ok(kept.length <= 400);
    assert.deepEqual([kept[0], kept.at(-1)], [points[0], points.at(-1)]);
    assert.ok(kept.some(([, y]) => y === 99));
    assert.deepEqual(extent([Number.NaN, 3, -1]), [-1, 3]);
    assert.equal(extent([Number.NaN]), undefined);
  });
});

describe('56 numbers of reports: distributions', () => {
  it('the binomial law is that of exact arithmetic', () => {
    for (const [n, p, q] of [
      [10, 1, 2],
      [784, 45, 1000],
      [50, 99, 100],
    ] as const) {
      const { first, probabilities } = binomialLaw(n, p / q);
      probabilities.forEach((probability, i) => {
        const k = first + i;
        const exact = quotient(
          choose(n, k) * BigInt(p) ** BigInt(k) * BigInt(q - p) ** BigInt(n - k),
          BigInt(q) ** BigInt(n),
        );
        if (exact > 1e-20) assert.ok(Math.abs(probability / exact - 1) < 1e-11, `${n} ${k}: ${probability} ${exact}`);
      });
      assert.ok(Math.abs(probabilities.reduce((a, b) => a + b, 0) - 1) < 1e-12);
    }
  });

  it('the hypergeometric law is that of exact arithmetic', () => {
    for (const [cells, connections, trials] of [
      [20, 9, 5],
      [1000, 400, 50],
      [784 * 20, 600, 784],
      [6, 6, 2],
      [6, 0, 2],
    ] as const) {
      const { first, probabilities } = hypergeometricLaw(cells, connections, trials);
      probabilities.forEach((probability, i) => {
        const k = first + i;
        const exact = quotient(choose(connections, k) * choose(cells - connections, trials - k), choose(cells, trials));
        if (exact > 1e-20) assert.ok(Math.abs(probability / exact - 1) < 1e-11, `${k}: ${probability} ${exact}`);
      });
    }
  });

  it('large layers: mean and variance are those of the formulas', () => {
    const [cells, connections, trials] = [1e12, 4e7, 1e6];
    const law = hypergeometricLaw(cells, connections, trials);
    const p = connections / cells;
    assert.ok(Math.abs(meanOf(law) / (trials * p) - 1) < 1e-9);
    const variance = (trials * p * (1 - p) * (cells - trials)) / (cells - 1);
    assert.ok(Math.abs(varianceOf(law) / variance - 1) < 1e-9);
    const tail = tailOf(law);
    assert.ok(
      Math.abs((tail[0] as number) - 1) < 1e-12 && tail.every((one, i) => i === 0 || one <= (tail[i - 1] as number)),
    );
  });

  it('the zeta function and the normal tail have their known values', () => {
    assert.ok(Math.abs(hurwitzZeta(2, 1) - Math.PI ** 2 / 6) < 1e-11);
    assert.ok(Math.abs(hurwitzZeta(4, 1) - Math.PI ** 4 / 90) < 1e-11);
    assert.ok(Math.abs(hurwitzZeta(2.5, 1) - 1.341487257250917) < 1e-11);
    const direct = Array.from({ length: 1000 }, (_, k) => (k + 7) ** -20).reduceRight((a, b) => a + b, 0);
    assert.ok(Math.abs(hurwitzZeta(20, 7) / direct - 1) < 1e-10);
    assert.ok(Math.abs(beyondNormal(1.959964) - 0.05) < 1e-6);
  });

  it('binomial draws have mean and variance, by both ways', () => {
    const random = randomSource(5);
    for (const [trials, p] of [
      [40, 0.1],
      [1000, 0.3],
      [1000, 0.99],
    ] as const) {
      const drawn = tallyOf(Array.from({ length: 20_000 }, () => binomialDraw(random, trials, p)));
      const variance = trials * p * (1 - p);
      assert.ok(Math.abs(drawn.mean - trials * p) < 5 * Math.sqrt(variance / 20_000));
      assert.ok(Math.abs(drawn.variance / variance - 1) < 0.06);
    }
  });

  it('a power law that was made is found: its exponent, its beginning, and that it is plausible', async () => {
    for (const [exponent, start] of [
      [2.5, 1],
      [2.2, 6],
    ] as const) {
      const below = Array.from({ length: start === 1 ? 0 : 2000 }, (_, i) => 1 + (i % (start - 1)));
      const tally = tallyOf([...below, ...powerLawSample(3000, exponent, start, 11)]);
      const analysis = await analyseTail(tally, binomialLaw(1000, tally.mean / 1000));
      const { fit } = analysis;
      assert.ok(Math.abs((fit?.exponent as number) - exponent) < 0.15, JSON.stringify(analysis));
      assert.ok((fit?.start as number) >= start && (fit?.start as number) <= 2 * start + 2, JSON.stringify(analysis));
      assert.equal(analysis.verdict, 'powerLaw', JSON.stringify(analysis));
      assert.deepEqual(await analyseTail(tally, binomialLaw(1000, tally.mean / 1000)), analysis, 'a fixed seed');
    }
  });

  it('random wiring is never called a power law', async () => {
    const random = randomSource(3);
    for (let run = 0; run < 6; run++) {
      const tally = tallyOf(Array.from({ length: 1000 }, () => binomialDraw(random, 784, run < 3 ? 0.045 : 0.003)));
      const { verdict } = await analyseTail(tally, binomialLaw(784, run < 3 ? 0.045 : 0.003), 40);
      assert.ok(verdict === 'ruledOut' || verdict === 'undecided', verdict);
    }
  });

  it('a geometric distribution of many units is ruled out', async () => {
    const random = randomSource(8);
    const tally = tallyOf(Array.from({ length: 20_000 }, () => 1 + Math.floor(Math.log(1 - random()) / Math.log(0.9))));
    // The tail may hide where it is thin; with all numbers in it the law is wrong.
    const whole = fitPowerLaw(tally);
    assert.ok((whole?.start as number) > 10, JSON.stringify(whole));
    assert.notEqual((await analyseTail(tally, binomialLaw(100, tally.mean / 100), 40)).verdict, 'powerLaw');
  });

  it('too few units, or one number only, give no fit', async () => {
    const law = binomialLaw(10, 0.5);
    for (const numbers of [[], [1, 2, 3], new Array(500).fill(7), new Array(500).fill(0)])
      assert.deepEqual(await analyseTail(tallyOf(numbers), law), { verdict: 'tooFew' });
  });

  it('every weight is in one bin of its sign, or beyond', async () => {
    for (const values of [[], [0, -0], [1], [-3, -1, 0, 2, 2], Array.from({ length: 5000 }, (_, i) => Math.tan(i))]) {
      const histogram = await weightHistogram(Float32Array.from(values));
      const sum = (bins: readonly number[]) => bins.reduce((a, b) => a + b, 0);
      assert.equal(histogram.positives, values.filter((value) => value > 0).length);
      assert.equal(histogram.negatives, values.filter((value) => value < 0).length);
      assert.equal(histogram.zeros, values.filter((value) => value === 0).length);
      assert.equal(
        sum(histogram.positive) + sum(histogram.negative) + histogram.beyond,
        histogram.positives + histogram.negatives,
      );
      assert.ok(histogram.beyond <= values.length / 500);
    }
  });
});
