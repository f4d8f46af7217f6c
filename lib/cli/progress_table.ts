// The epochs of a training as they happen: a table of finished lines, and below it the running epoch where there is a terminal.

import { count, duration, figure, percent, roughly } from '../text';
import type { EpochReport, Progress } from '../types';
import type { Screen } from './screen';

const columns = [
  { name: 'epoch', width: 9 },
  { name: 'loss', width: 9 },
  { name: 'accuracy', width: 8 },
  { name: 'held out', width: 9 },
  { name: 'connections', width: 12 },
  { name: 's/epoch', width: 9 },
  { name: 'left', width: 10 },
] as const;

type Cells = Partial<Record<(typeof columns)[number]['name'], string>>;

/** So many finished lines at most: of a hundred epochs every fifth one is shown. */
const mostLines = 20;

/** How the table is to look. */
export interface ProgressOptions {
  readonly epochs: number;
  /** Of those that are to come, the first one. */
  readonly firstEpoch: number;
  /** Whether answers are right or wrong; else what was held out shows its loss. */
  readonly hasAccuracy: boolean;
  readonly hasValidation: boolean;
}

/** Shows a training. */
export class ProgressTable {
  readonly #screen: Screen;
  readonly #options: ProgressOptions;
  readonly #began: number = performance.now();
  readonly #every: number;
  #finished = 0;
  #hasHeader = false;

  constructor(screen: Screen, options: ProgressOptions) {
    this.#screen = screen;
    this.#options = options;
    this.#every = everyFor(options.epochs);
  }

  /** Seconds since it began. */
  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** The running epoch. */
  progress({ epoch, epochs, step, steps, loss, accuracy, connections }: Progress): void {
    const done = this.#finished + (steps === undefined || steps === 0 ? 0 : step / steps);
    this.#header();
    this.#screen.live(
      this.#row({
        epoch: `${count(epoch)}/${count(epochs)}`,
        loss: figure(loss),
        ...(accuracy === undefined ? {} : { accuracy: percent(accuracy) }),
        connections: count(connections),
        left: this.#left(done),
      }),
    );
  }

  /** An epoch has ended. */
  epoch({ epoch, loss, accuracy, validation, connections, ...times }: EpochReport): void {
    this.#finished++;
    const { epochs, firstEpoch } = this.#options;
    const seconds = times.seconds + times.evolutionSeconds + times.validationSeconds;
    const cells: Cells = {
      epoch: `${count(epoch)}/${count(epochs)}`,
      loss: figure(loss),
      ...(accuracy === undefined ? {} : { accuracy: percent(accuracy) }),
      ...(validation === undefined ? {} : { 'held out': score(validation) }),
      connections: count(connections),
      's/epoch': duration(seconds).replace(/ s$/, ''),
      left: this.#left(this.#finished),
    };
    this.#header();
    if (epoch === firstEpoch || epoch === epochs || epoch % this.#every === 0) this.#screen.line(this.#row(cells));
    else this.#screen.live(this.#row(cells));
  }

  #left(done: number): string {
    const { epochs, firstEpoch } = this.#options;
    const all = epochs - firstEpoch + 1;
    return done === 0 ? '' : roughly((this.seconds / done) * (all - done));
  }

  #header(): void {
    if (this.#hasHeader) return;
    this.#hasHeader = true;
    const names = Object.fromEntries(columns.map(({ name }) => [name, name]));
    this.#screen.line(this.#screen.dim(this.#row(names)));
  }

  #row(cells: Cells): string {
    const { hasAccuracy, hasValidation } = this.#options;
    return columns
      .filter(({ name }) => (hasAccuracy || name !== 'accuracy') && (hasValidation || name !== 'held out'))
      .map(({ name, width }) => (cells[name] ?? '').padStart(width))
      .join(' ')
      .trimEnd();
  }
}

function score({ accuracy, loss }: { readonly accuracy?: number; readonly loss: number }): string {
  return accuracy === undefined ? figure(loss) : percent(accuracy);
}

/** Every first, second, fifth, tenth, ... epoch has a line. */
function everyFor(epochs: number): number {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (epochs / (factor * power) <= mostLines) return factor * power;
  }
}
