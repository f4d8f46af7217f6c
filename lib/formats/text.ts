// Text of a file in pieces, UTF-8 and nothing else.
import { type ByteReader, formatError } from './source';

/** No row is longer, in characters: a quote that is not closed would make one of the whole file. */
export const longestRow: number = 2 ** 26;

/** How often a text has a character. */
export function countOf(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count++;
  return count;
}

/** Decodes; `ERR_SETNET_FORMAT` with the line where bytes are not UTF-8. A byte order mark is left out. */
export async function* textPieces(reader: ByteReader): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 0;
  let isFirst = true;
  const decode = (bytes: Uint8Array | undefined) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (error) {
      throw invalidText(reader.place, lines, bytes, error);
    }
  };
  for await (const bytes of reader.rest()) {
    const [first, second] = bytes;
    if (isFirst && ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)))
      throw formatError(reader.place, 'the text is in UTF-16; save it as UTF-8');
    isFirst = false;
    const text = decode(bytes);
    yield text;
    lines += countOf(text, '\n');
  }
  const end = decode(undefined);
  if (end !== '') yield end;
}

function invalidText(place: string, linesBefore: number, bytes: Uint8Array | undefined, error: unknown): Error {
  // Up to the first byte that does not fit, roughly: a character that another piece began may count as one.
  const text = new TextDecoder().decode(bytes);
  const line = linesBefore + 1 + countOf(text.slice(0, Math.max(0, text.indexOf('\ufffd', 1))), '\n');
  return formatError(`${place}, line ${line}`, 'the text is not UTF-8; save it as UTF-8', error);
}
