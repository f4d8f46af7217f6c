// The weights of each layer, by sign.
import { compact, count, significant } from './format';
import { type Bin, histogramChart } from './histogram_chart';
import { chartSize } from './learning_section';
import type { ReportedLayer, ReportedNetwork } from './network_data';
import { charts, figure, section } from './page';
import { linearScale } from './scale';

function weightsFigure({ index, spec, weights, connections }: ReportedLayer): string {
  const { limit, positive, negative, positives, negatives, zeros, beyond, largest } = weights;
  const title = `Layer ${index}, ${spec.kind}`;
  const text = `${count(positives)} positive, ${count(negatives)} negative${zeros === 0 ? '' : `, ${count(zeros)} exactly 0`}`;
  if (connections === 0 || largest === 0) return figure({ title, subtitle: text, chart: '' });
  const step = limit / positive.length;
  const bins: Bin[] = [
    ...negative
      .map((number, i): Bin => ({ from: -(i + 1) * step, to: -i * step, count: number, class: 'fill2' }))
      .reverse(),
    ...positive.map((number, i): Bin => ({ from: i * step, to: (i + 1) * step, count: number, class: 'fill1' })),
  ];
  const top = Math.max(1, ...positive, ...negative);
  const format = (value: number) => compact(value);
  return figure({
    title,
    subtitle: `${text}; mean magnitude ${significant(weights.meanMagnitude)}.`,
    chart: histogramChart({
      ...chartSize,
      title: `Weights of layer ${index}`,
      description: `${text}; the largest magnitude is ${significant(largest)}.`,
      x: { scale: linearScale([-limit, limit], { nice: false, count: 6 }), label: 'Weight', unit: 'no unit' },
      y: { scale: linearScale([0, top], { format }), label: 'Connections', unit: 'number in a bin' },
      bins,
      keys: [
        { name: 'negative', sign: 'bar', class: 'fill2' },
        { name: 'positive', sign: 'bar', class: 'fill1' },
      ],
    }),
    ...(beyond > 0
      ? { note: `${count(beyond)} weights lie beyond, up to a magnitude of ${significant(largest)}.` }
      : {}),
  });
}

export function weightsSection(network: ReportedNetwork, part: boolean): string {
  return section({
    title: 'Weights',
    intro: 'Pruning takes the weights closest to zero, of each sign by itself.',
    content: [charts(network.layers.map(weightsFigure))],
    part,
  });
}
