// The directory of a ZIP file (APPNOTE.TXT 4.3; with ZIP64), for members that are stored or deflated.
import { ByteReader, type DataFile, formatError } from './source';

interface Member {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly header: number;
}

/** Signatures of the records. */
const endRecord = 0x06054b50;
const locator64 = 0x07064b50;
const endRecord64 = 0x06064b50;
const centralHeader = 0x02014b50;
const localHeader = 0x04034b50;

/** What a 32-bit field says whose number stands in the ZIP64 field. */
const unsaid = 0xffffffff;

export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The members of a ZIP file, by name, each checked to lie in the file. */
export class ZipFile {
  readonly #file: DataFile;
  readonly #members: ReadonlyMap<string, Member>;

  private constructor(file: DataFile, members: ReadonlyMap<string, Member>) {
    this.#file = file;
    this.#members = members;
  }

  static async open(file: DataFile): Promise<ZipFile> {
    const { path, size } = file;
    if (size === undefined) throw formatError(path, 'ZIP files are read from regular files only');
    const [first, second] = await file.readAt(0, 2);
    if (first === 0x1f && second === 0x8b) throw formatError(path, 'a gzipped ZIP file; unpack it first');
    const { start, length, count } = await findDirectory(file, size);
    if (start + length > size)
      throw formatError(path, 'the directory of the ZIP file is not in the file: it was cut off');
    const bytes = await file.readAt(start, length);
    if (bytes.length < length) throw formatError(path, 'the directory of the ZIP file was cut off');
    const members = new Map<string, Member>();
    for (const member of readMembers(bytes, count, path)) {
      if (members.has(member.name)) throw formatError(path, `'${member.name}' is in the ZIP file twice`);
      if (member.header + 30 + member.packed > size)
        throw formatError(path, `'${member.name}' is not in the ZIP file as a whole: it was cut off`);
      members.set(member.name, member);
    }
    return new ZipFile(file, members);
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The bytes of a member that is there, unpacked. */
  async read<Result>(name: string, use: (reader: ByteReader) => Promise<Result>): Promise<Result> {
    const member = this.#members.get(name) as Member;
    const place = `${this.#file.path}: ${name}`;
    if (member.isEncrypted) throw formatError(place, 'it is encrypted');
    if (member.method !== 0 && member.method !== 8)
      throw formatError(place, `packed by method ${member.method}; 0 (stored) and 8 (deflated) are read`);
    const head = await this.#file.readAt(member.header, 30);
    const view = viewOf(head);
    if (head.length < 30 || view.getUint32(0, true) !== localHeader)
      throw formatError(place, 'it does not begin where the directory of the ZIP file says');
    const start = member.header + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + member.packed > (this.#file.size as number)) throw formatError(place, 'it was cut off');
    const reader = ByteReader.part(this.#file, place, { ...member, start, isDeflated: member.method === 8 });
    try {
      return await use(reader);
    } finally {
      await reader.close();
    }
  }
}

/** Where the directory is, by the record at the end of the file, which a comment of at most 65,535 bytes may follow. */
async function findDirectory(file: DataFile, size: number): Promise<{ start: number; length: number; count: number }> {
  const tailStart = Math.max(0, size - 22 - 65535 - 20);
  const tail = await file.readAt(tailStart, size - tailStart);
  const view = viewOf(tail);
  let at = tail.length - 22;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === endRecord && at + 22 + view.getUint16(at + 20, true) === tail.length)
  )
    at--;
  if (at < 0)
    throw formatError(file.path, 'no whole ZIP file: its directory is missing; it was cut off or is another format');
  const directory = {
    count: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  if (at < 20 || view.getUint32(at - 20, true) !== locator64) return directory;
  const record = await file.readAt(toNumber(view.getBigUint64(at - 12, true), file.path), 56);
  const view64 = viewOf(record);
  if (record.length < 56 || view64.getUint32(0, true) !== endRecord64)
    throw formatError(file.path, 'the directory of the ZIP64 file is not where it says');
  return {
    count: toNumber(view64.getBigUint64(32, true), file.path),
    length: toNumber(view64.getBigUint64(40, true), file.path),
    start: toNumber(view64.getBigUint64(48, true), file.path),
  };
}

function toNumber(value: bigint, path: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw formatError(path, `a size of ${value} bytes in the ZIP file`);
}

function* readMembers(bytes: Uint8Array, count: number, path: string): Generator<Member> {
  const view = viewOf(bytes);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== centralHeader)
      throw formatError(path, `the directory of the ZIP file has ${count} entries, but entry ${i} is damaged`);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > bytes.length) throw formatError(path, `the directory of the ZIP file ends in entry ${i}`);
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const [unpacked, packed, header] = largeSizes(
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      extra,
      path,
    );
    yield {
      name: Buffer.from(bytes.subarray(at + 46, at + 46 + nameLength)).toString('utf8'),
      method: view.getUint16(at + 10, true),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      crc: view.getUint32(at + 16, true),
      ...{ packed, unpacked, header },
    };
    at = end;
  }
}

type Sizes = [unpacked: number, packed: number, header: number];

/** Sizes that the header does not say stand in the ZIP64 field, in this order. */
function largeSizes(sizes: Sizes, extra: Uint8Array, path: string): Sizes {
  if (!sizes.includes(unsaid)) return sizes;
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    const end = next + view.getUint16(at + 2, true);
    return sizes.map((size) => {
      if (size !== unsaid) return size;
      if (next + 8 > Math.min(end, extra.length)) throw formatError(path, 'a ZIP64 field is damaged');
      next += 8;
      return toNumber(view.getBigUint64(next - 8, true), path);
    }) as Sizes;
  }
  throw formatError(path, 'a ZIP64 field is missing');
}
