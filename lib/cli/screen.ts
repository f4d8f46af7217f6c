// Where the command writes words for people: plain lines, and one line that is redrawn where there is a terminal.
import { shorten } from '../text';

/** A stream that may be a terminal. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
  getColorDepth?(env?: object): number;
}

/** Words for people. */
export class Screen {
  readonly #stream: ScreenStream;
  /** Whether a line can be redrawn; elsewhere only finished lines are written. */
  readonly isLive: boolean;
  readonly #hasColor: boolean;
  #liveLength = 0;

  /** `env`: NO_COLOR and TERM are looked at. */
  constructor(stream: ScreenStream, env: NodeJS.ProcessEnv) {
    this.#stream = stream;
    this.isLive = stream.isTTY === true && env.TERM !== 'dumb';
    this.#hasColor = this.isLive && !env.NO_COLOR && (stream.getColorDepth?.(env) ?? 1) > 1;
  }

  /** Characters of a line that may be used: the terminal's last column is left free, some wrap there. */
  get width(): number {
    return this.isLive ? Math.max(20, (this.#stream.columns || 80) - 1) : 100;
  }

  /** Writes a finished line, in the place of the live one. */
  line(text = ''): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Several lines. */
  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  /** Draws the live line; nothing where there is no terminal. `text` has no colours and is cut to the width. */
  live(text: string): void {
    if (!this.isLive) return;
    const cut = shorten(text, this.width);
    this.#stream.write(`\r${this.dim(cut)}\x1b[K`);
    this.#liveLength = cut.length;
  }

  /** Takes the live line away. */
  clear(): void {
    if (this.#liveLength === 0) return;
    this.#stream.write('\r\x1b[K');
    this.#liveLength = 0;
  }

  bold(text: string): string {
    return this.#paint(text, 1, 22);
  }

  dim(text: string): string {
    return this.#paint(text, 2, 22);
  }

  green(text: string): string {
    return this.#paint(text, 32, 39);
  }

  red(text: string): string {
    return this.#paint(text, 31, 39);
  }

  #paint(text: string, open: number, close: number): string {
    return this.#hasColor ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  }
}
