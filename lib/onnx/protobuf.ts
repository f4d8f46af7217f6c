// Protocol Buffers, as far as a writer needs them: a message is a list of fields, a field is a tag and a value. Nothing is
// written before every length is known, and large values are made only while the bytes are read out.

/** Bytes whose number is known and that are made piece by piece, each time they are asked for. */
export interface Deferred {
  readonly byteLength: number;
  pieces(): Iterable<Uint8Array>;
}

/** The type of a field's value on the wire; the low three bits of its tag. */
const wire = { varint: 0, lengthDelimited: 2, fourBytes: 5 } as const;

/** Seven bits a byte, the lowest first; all but the last byte have the high bit. Negative numbers are of 64 bits. */
function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Smaller values are collected, so that a reader does not get thousands of pieces of a few bytes. */
const leastPiece = 65536;

/** A message that is being written, field by field; iterating over it gives its bytes in pieces, as often as wanted. */
export class Message implements Deferred {
  readonly #parts: (Uint8Array | Deferred)[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  /** int32, int64, enum. */
  integer(field: number, value: number | bigint): this {
    return this.#tag(field, wire.varint).#add(varint(value));
  }

  /** float. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#tag(field, wire.fourBytes).#add(bytes);
  }

  /** bytes, and messages, which are bytes to the message around them. It must not change any more. */
  bytes(field: number, value: Uint8Array | Deferred): this {
    return this.#tag(field, wire.lengthDelimited).#add(varint(value.byteLength)).#add(value);
  }

  string(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  *pieces(): Iterable<Uint8Array> {
    let small: Uint8Array[] = [];
    let smallLength = 0;
    for (const piece of this.#rawPieces()) {
      small.push(piece);
      smallLength += piece.byteLength;
      if (smallLength < leastPiece) continue;
      yield small.length === 1 ? piece : Buffer.concat(small, smallLength);
      small = [];
      smallLength = 0;
    }
    if (smallLength > 0) yield Buffer.concat(small, smallLength);
  }

  *#rawPieces(): Iterable<Uint8Array> {
    for (const part of this.#parts) {
      if (part instanceof Message) yield* part.#rawPieces();
      else if ('pieces' in part) yield* part.pieces();
      else yield part;
    }
  }

  #tag(field: number, type: number): this {
    return this.#add(varint(field * 8 + type));
  }

  #add(part: Uint8Array | Deferred): this {
    this.#parts.push(part);
    this.#byteLength += part.byteLength;
    return this;
  }
}
