// `npm start`: trains a sparse network that rewires itself and the same network as a dense one under a mask on images of
// Fashion-MNIST, one thread each, compares them, and lets the saved sparse network name a few test images.
//
//   SETNET_DATA=folder     the full data set (IDX or NPY files, gzipped or not) instead of the images kept here
//   SETNET_EPOCHS=number   instead of 15
import { spawn } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gallery } from './picture.mjs';
import * as screen from './screen.mjs';
import { readEpochs, settings } from './settings.mjs';

const { line, live, paragraph, count, percent, megabytes, bold, dim, green, red } = screen;

/** Ends the program with a sentence and without a stack. */
class Failure extends Error {}

/** Thrown where a task was stopped by a signal; `kept` is what the child saved, if anything. */
class Interrupted extends Error {
  constructor(kept) {
    super('interrupted');
    this.kept = kept;
  }
}

let interruptedBy; // the signal that ended the run
let interruptedAt;
let child; // the running one
const finished = []; // what is trained and saved: [name, path] pairs

/** The first signal asks the child to stop after its step; another one, not at once, kills it. */
function onSignal(signal) {
  if (interruptedBy !== undefined) {
    // One Ctrl-C may arrive more than once: from the terminal, and passed on by npm.
    if (Date.now() - interruptedAt > 500) child?.kill('SIGKILL');
    return;
  }
  interruptedBy = signal;
  interruptedAt = Date.now();
  live('stopping after this step ...');
  if (child?.connected) child.send({ type: 'stop' }, () => {});
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => onSignal(signal));
// A reader that went away (`| head`): stop as after Ctrl-C; what is written from here on is lost.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  onSignal('SIGHUP');
});

/** Runs a task in a process of its own; resolves with its result. `onMessage` gets what it sends before, the task gets `input`. */
function runTask(args, onMessage = () => {}, input = undefined) {
  if (interruptedBy !== undefined) throw new Interrupted();
  const script = join(dirname(fileURLToPath(import.meta.url)), 'child.mjs');
  return new Promise((resolve, reject) => {
    let last;
    child = spawn(process.execPath, ['--expose-gc', script, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    if (input !== undefined) child.send({ type: 'input', value: input }, () => {});
    child.on('message', (message) => {
      if (['result', 'stopped', 'failed'].includes(message.type)) last = message;
      else onMessage(message);
    });
    child.on('error', (error) => reject(new Failure(`node could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      child = undefined;
      if (interruptedBy !== undefined && last?.type !== 'failed') reject(new Interrupted(last));
      else if (last?.type === 'result') resolve(last);
      else reject(failureOf(args, last, code, signal));
    });
  });
}

function failureOf(args, last, code, signal) {
  if (last?.type !== 'failed') {
    const how = signal ? `was ended by ${signal}` : `ended with code ${code} and no result`;
    return new Failure(`the process '${args.join(' ')}' ${how}.`);
  }
  // Messages of the data files and of setnet say all that is needed; anything else is a fault of the example.
  if (last.name === 'DataError' || last.code?.startsWith('ERR_SETNET_')) {
    return new Failure(last.code ? `${last.message} (${last.code})` : last.message);
  }
  return new Failure(`the process '${args.join(' ')}' failed: ${last.stack}`);
}

/** Trains one kind of network and shows its epochs; resolves with the child's result. */
async function train(kind, title) {
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
  const cells = ({ epoch, epochs, loss, accuracy, connections }) => ({
    epoch: `${epoch}/${epochs}`,
    loss: loss.toFixed(4),
    train: percent(accuracy),
    connections: count(connections),
    seconds: seconds(),
  });
  let epochs;
  const result = await runTask(['train', kind], (message) => {
    if (message.type === 'start') {
      epochs = message.epochs;
      line();
      const { connections, cells: possible, instructionSet } = message;
      paragraph(
        `${title}: ${count(connections)} of ${count(possible)} possible connections ` +
          `(${percent(connections / possible)}), one thread, ${instructionSet}`,
        bold,
      );
      line(dim(screen.epochHeader()));
    } else if (message.type === 'progress') {
      if (interruptedBy === undefined) live(screen.epochRow(cells(message)));
    } else {
      const { epoch } = message;
      line(
        screen.epochRow({
          ...cells({ ...epoch, epochs }),
          test: percent(epoch.validation.accuracy),
          ...evolutionCells(epoch.evolution),
        }),
      );
    }
  });
  line(
    screen.epochRow({
      epoch: 'removal',
      loss: '',
      test: percent(result.after),
      connections: count(result.connections.final),
      ...evolutionCells(result.final.removal),
      seconds: seconds(),
    }),
  );
  return result;
}

/** What an epoch's evolution did; the last epoch has none, the final removal follows in a line of its own. */
function evolutionCells(evolution) {
  if (!evolution) return {};
  return { pruned: `-${count(evolution.pruned)}`, grown: `+${count(evolution.grown)}` };
}

/** Peak memory above that of a process that only loads the data. */
const memoryAbove = (data, result) => Math.max(0, result.peakMemory - data.peakMemory);

function compare(data, sparse, masked) {
  const times = (ratio, [over, under]) =>
    ratio >= 1 ? `${ratio.toFixed(1)} times ${over}` : `${(1 / ratio).toFixed(1)} times ${under}`;
  const memory = (result) => memoryAbove(data, result);
  const row = (name, format, pick, note = '') => [name, format(pick(sparse)), format(pick(masked)), note];
  const exact = (fraction) => percent(fraction, 2);
  const milliseconds = (seconds) => seconds.toFixed(3);
  const speed = times(masked.secondsPerEpoch / sparse.secondsPerEpoch, ['faster', 'slower']);
  const space =
    memory(sparse) > 0 && memory(masked) > 0 ? times(memory(masked) / memory(sparse), ['less', 'more']) : '';
  line();
  screen.table(
    ['', 'sparse', 'masked', ''],
    [
      row('test accuracy before the final removal', exact, (result) => result.before),
      row('test accuracy after it', exact, (result) => result.after),
      row('connections in training', count, (result) => result.connections.trained),
      row('connections deployed', count, (result) => result.connections.final),
      row('seconds per epoch', milliseconds, (result) => result.secondsPerEpoch, speed),
      row('peak memory above the data', megabytes, memory, space),
      row('file', megabytes, (result) => result.fileSize),
    ],
  );
  line();
  paragraph(
    `Seconds are the median over the epochs, with evolution, without the test. Memory is each process's peak less that ` +
      `of a process that only loads the data (${megabytes(data.peakMemory)}), ` +
      (data.isRestarted
        ? 'counted once the data are loaded.'
        : 'the loading included: this system cannot leave it out.'),
    dim,
  );
}

/** States whether both runs agree to the bit; where they must and do not, the program fails. */
function compareDigests(sparse, masked) {
  const name = sparse.digest.slice(0, 16);
  if (sparse.digest === masked.digest) {
    paragraph(
      `Bit for bit equal: wiring, weights, biases and the losses of every epoch of both runs (sha256 ${name}...).`,
    );
  } else if (sparse.instructionSet === 'baseline') {
    paragraph(
      'The runs differ in bits: this processor or build computes without fused multiply-add, where equality is not promised.',
    );
  } else {
    paragraph('The runs differ in bits, which they must not: please report this with the output above.', red);
    process.exitCode = 1;
  }
}

async function showPictures(path) {
  const { images, height, width } = await runTask(['predict', path]);
  const [right, wrong] = screen.hasUnicode ? ['\u2713', '\u2717'] : ['+', 'X'];
  const pictures = images.map(({ pixels, truth, answer, probability }) => {
    const isRight = truth === answer;
    const says = `${isRight ? right : wrong} ${answer} ${probability.toFixed(2)}`;
    return {
      pixels,
      captions: [
        [truth, dim],
        [says, isRight ? green : red],
      ],
    };
  });
  const hits = images.filter(({ truth, answer }) => truth === answer).length;
  line();
  paragraph(`A new process loaded ${relative(process.cwd(), path)}: the first ${images.length} test images`, bold);
  paragraph(`what each is, what the network says (${right} right, ${wrong} wrong), how sure it is`, dim);
  line();
  for (const row of gallery(pictures, height, width)) line(row);
  paragraph(`${hits} of ${images.length} right.`);
}

/** One HTML file with both networks side by side. */
async function writeReport(data, results) {
  const runs = Object.entries(results).map(([name, result]) => {
    const memoryBytes = memoryAbove(data, result);
    return { name, path: result.path, history: result.history, ...(memoryBytes > 0 ? { memoryBytes } : {}) };
  });
  const { report } = await runTask(['report'], undefined, runs);
  line();
  paragraph(`The report: ${relative(process.cwd(), report)}`, bold);
  paragraph('learning curves, where the connections of the pixels went, degrees, weights; open it in a browser', dim);
}

async function main() {
  if (process.argv.length > 2) {
    throw new Failure(
      `unknown argument '${process.argv[2]}': there are only the environment variables SETNET_DATA and SETNET_EPOCHS.`,
    );
  }
  try {
    readEpochs();
  } catch (error) {
    throw new Failure(error.message);
  }
  const data = await runTask(['data']);
  const shape = [784, ...settings.hidden, 10].join('-');
  paragraph(
    `Fashion-MNIST: ${count(data.trainRows)} training and ${count(data.testRows)} test images; a network ${shape}`,
  );
  const sparse = await train('sparse', 'Sparse, rewired after each epoch');
  finished.push(['the sparse network', sparse.path]);
  const masked = await train('masked', 'The same as a dense network under a mask');
  finished.push(['the masked network', masked.path]);
  compare(data, sparse, masked);
  compareDigests(sparse, masked);
  await showPictures(sparse.path);
  await writeReport(data, { sparse, masked });
}

function reportInterrupt(kept) {
  screen.clearLive();
  line();
  const where = (path) => relative(process.cwd(), path);
  if (kept?.type === 'result' && kept.path) finished.push(['the network just trained', kept.path]);
  for (const [name, path] of finished) paragraph(`Kept: ${name}, finished, in ${where(path)}.`);
  if (kept?.path && kept.type === 'stopped') {
    // Stopped right at the end of an epoch: before the next one's first step.
    const when =
      kept.step === 0 ? `epoch ${kept.epoch - 1}` : `step ${kept.step} of ${kept.steps} of epoch ${kept.epoch}`;
    paragraph(
      `Kept: the network as after ${when}, without the final removal, ${percent(kept.accuracy)} of the test images ` +
        `right, in ${where(kept.path)}.`,
    );
  } else if (finished.length === 0) {
    paragraph('Stopped before anything was trained: nothing was kept.');
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof Interrupted) {
    reportInterrupt(error.kept);
    process.exitCode = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[interruptedBy];
  } else {
    screen.clearLive();
    console.error(error instanceof Failure ? `setnet: ${error.message}` : error);
    process.exitCode = 1;
  }
}
