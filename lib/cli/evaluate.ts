// `setnet evaluate`: how good a network is on a file.
import { maxThreads } from '../loader';
import { Network } from '../network';
import { wrap } from '../text';
import type { Targets } from '../types';
import { type Command, defineCommand } from './command';
import { describeTable, factsOf, labelledOptions, readAnswered } from './data_file';
import { printConfusion, printEvaluations } from './evaluation_table';
import { flag, number } from './options';

export const evaluate: Command = defineCommand({
  name: 'evaluate',
  summary: 'Measure a trained network on a file that has the answers',
  positionals: [
    { name: 'MODEL', help: 'A file that setnet train has written.' },
    { name: 'DATA', help: 'As for setnet train. A column is found by its name where both files have names.' },
  ],
  notes: [
    'Accuracy, balanced accuracy (the mean over the classes of the fraction that is right), the area under the ROC curve (of several classes: the mean of each one against the rest), the loss, and which classes are taken for which. Of a network that was trained on numbers the mean squared error.',
  ],
  options: {
    ...labelledOptions,
    json: flag('Print one JSON object.'),
    threads: number('N', { min: 1, max: maxThreads, integer: true }, 'Default: SETNET_THREADS, else all.'),
  },
  examples: ['setnet evaluate flowers.safetensors flowers.csv --label species'],
  answers: ({ json }) => json === true,
  async run(values, [model = '', path = ''], context) {
    const { screen, signal } = context;
    const net = await Network.load(model, values.threads === undefined ? {} : { threads: values.threads });
    const facts = factsOf(net);
    const began = performance.now();
    const table = await readAnswered(path, values, facts, context);
    const seconds = (performance.now() - began) / 1000;
    screen.lines(wrap(describeTable(path, table, seconds), screen.width));
    const evaluation = await net.evaluate({ x: table.x, y: table.y as Targets }, { metrics: 'all' });
    signal.throwIfAborted();
    if (values.json) {
      await context.write(`${JSON.stringify({ model, data: path, ...evaluation })}\n`);
      return;
    }
    screen.line();
    printEvaluations([{ name: '', evaluation }], screen);
    if (evaluation.confusion !== undefined) printConfusion(evaluation.confusion, screen);
  },
});
