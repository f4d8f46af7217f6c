// Thousands of model files and checkpoints that somebody has changed, most of them with a checksum that is right again, so
// that nothing but the checks of every field stands between them and the memory of the process.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adam, dense, type FitOptions, masked, Network, Session, SetnetError, sparse } from '../lib/index';
import { native } from '../lib/loader';
import { type Anything, blobs, digestOf, randomSource } from './helpers/helpers';
import { type FileParts, mend, putTogether, type TensorEntry, takeApart, xxh64 } from './helpers/model_files';

const inputs = 5;
const data = blobs(40, inputs, 3, 1);
const validation = blobs(20, inputs, 3, 2);
const fit: FitOptions = {
  epochs: 5,
  batchSize: 16,
  optimizer: adam({ learningRate: 0.02 }),
  validation,
  restoreBest: 'loss',
};

interface Victim {
  name: 'model' | 'checkpoint';
  bytes: Buffer;
  parts: FileParts;
}

/** JSON that JSON.stringify does not write: numbers beyond 2^53, keys that are there twice. */
type Entries = [key: string, text: string][];

function headerOf({ text, tensors }: FileParts): { metadata: string; entries: Entries } {
  const metadata = JSON.stringify(JSON.parse(text).__metadata__);
  return { metadata, entries: Object.entries(tensors).map(([name, entry]) => [name, JSON.stringify(entry)]) };
}

function headerText(metadata: string, entries: Entries): string {
  const pairs = [['__metadata__', metadata], ...entries];
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`;
}

function entryText({ dtype, shape, data_offsets }: Record<keyof TensorEntry, string>): string {
  return `{"dtype":${dtype},"shape":${shape},"data_offsets":${data_offsets}}`;
}

/** How many files are there at once. */
const atOnce = 48;

describe('48 hostile files', function () {
  this.timeout(200_000);
  let folder: string;
  let path: string;
  let victims: Victim[];
  let mutations = 0;
  let loads = 0;
  const outcomes = new Map<string, number>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'setnet-test-'));
    path = join(folder, 'changed');
    const options = { inputs, seed: 3, threads: 1, scaling: 'perFeature', classes: ['a', 'b', 'c'] } as const;
    const srelu = sparse({ units: 5, density: 0.5, activation: 'srelu', dropout: 0.1 });
    const layers = {
      model: [srelu, masked({ units: 4, density: 0.5, bias: false }), dense({ units: 3 })],
      checkpoint: [srelu, dense({ units: 3, bias: false })],
    };
    victims = [];
    for (const name of ['model', 'checkpoint'] as const) {
      const net = Network.createSync({ ...options, missing: Number.NaN, layers: layers[name] });
      const training = net.fit(data, fit);
      for await (const { epoch } of training) if (epoch === 2) break;
      await training.done;
      await net.save(join(folder, name), { training: name === 'checkpoint' });
      const bytes = readFileSync(join(folder, name));
      victims.push({ name, bytes, parts: takeApart(bytes) });
    }
    const names = Object.keys((victims[1] as Victim).parts.tensors);
    assert.ok(names.some((name) => /^best\..*activation.*firstMoment$/.test(name)));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The code a file is refused with, or the network that it is. Anything but a SetnetError fails. */
  async function outcomeOf(bytes: Uint8Array, what: string): Promise<Network | string> {
    mutations++;
    // A new file each time: where an old one is cut to nothing first, some file systems wait for the disk.
    const file = `${path}-${mutations}`;
    writeFileSync(file, bytes);
    try {
      const net = await Network.load(file, { threads: 1 });
      outcomes.set('loaded', (outcomes.get('loaded') ?? 0) + 1);
      return net;
    } catch (error) {
      assert.ok(error instanceof SetnetError, `${what}: ${(error as Error)?.stack ?? error}`);
      assert.match(error.code, /^ERR_SETNET_(FORMAT|MEMORY)$/, `${what}: ${error.message}`);
      assert.ok(error.message.length < 2000, `${what}: a message of ${error.message.length} characters`);
      outcomes.set(error.code, (outcomes.get(error.code) ?? 0) + 1);
      return error.code;
    } finally {
      unlinkSync(file);
    }
  }

  async function assertRefused(bytes: Uint8Array, what: string): Promise<void> {
    const outcome = await outcomeOf(bytes, what);
    assert.ok(typeof outcome === 'string', `${what}: it was loaded`);
  }

  /** Or the code, where features leave the finite numbers under a scaling that is another now. */
  function answersOf(net: Network | Session): Float32Array | string {
    try {
      return net.predictSync(data.x);
    } catch (error) {
      assert.ok(error instanceof SetnetError && error.code === 'ERR_SETNET_NONFINITE', `${error}`);
      return error.code;
    }
  }

  /** It may be refused; what is loaded is whole: it answers, shows itself, and comes back from a file as it is. */
  async function assertSafe(bytes: Uint8Array, what: string): Promise<Network | string> {
    const net = await outcomeOf(bytes, what);
    if (typeof net === 'string') return net;
    const answers = answersOf(net);
    assert.ok(typeof answers === 'string' || answers.length === 40 * 3, what);
    for (const { weights } of net.layers) assert.equal(weights.toDense().length, weights.rows * weights.columns);
    assert.match(net.summary(), /setnet network/);
    // Saving waits for the disk: now and then.
    if (loads++ % 8 > 0) return net;
    const again = join(folder, 'again');
    await net.save(again);
    const loaded = await Network.load(again);
    assert.equal(digestOf(loaded), digestOf(net), what);
    assert.deepEqual(answersOf(loaded), answers, what);
    loaded.dispose();
    return net;
  }

  const running = new Set<Promise<void>>();
  let failure: unknown;
  /** Begins with the next file before this one is read, which saves waiting; `settle` waits for all of them. */
  async function queue(work: Promise<void>): Promise<void> {
    const one = work
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => running.delete(one));
    running.add(one);
    while (running.size >= atOnce) await Promise.race(running);
    if (failure !== undefined) throw failure;
  }
  async function settle(): Promise<void> {
    await Promise.all(running);
    if (failure !== undefined) throw failure;
  }

  function dispose(outcome: Network | string): void {
    if (typeof outcome !== 'string') outcome.dispose();
  }

  /** With the old checksum, and with the right one. */
  async function bothRefused(bytes: Buffer, original: Buffer, what: string): Promise<void> {
    await assertRefused(mend(bytes), `${what}, mended`);
    const stale = Buffer.from(bytes);
    const key = Buffer.from('"setnet_checksum":"');
    const digits = (file: Buffer) => file.indexOf(key) + key.length;
    if (stale.indexOf(key) >= 0) original.copy(stale, digits(stale), digits(original), digits(original) + 16);
    await assertRefused(stale, `${what}, stale`);
  }

  it('the checksum is computed here as it is there, and the files as they are load', async () => {
    // Of the specification's reference implementation.
    assert.equal(xxh64(Buffer.from('')), 0xef46db3751d8e999n);
    assert.equal(xxh64(Buffer.from('abc')), 0x44bc2cf5ad770999n);
    for (const { name, bytes, parts } of victims) {
      assert.ok(mend(bytes).equals(bytes), name);
      const { metadata, entries } = headerOf(parts);
      assert.ok(putTogether(headerText(metadata, entries), parts.data).equals(bytes), name);
      const net = await assertSafe(bytes, name);
      assert.notEqual(typeof net, 'string');
      dispose(net);
    }
  });

  it('cut off at every byte of the header, and at many of the data; cut off with a length that says so', async () => {
    for (const { name, bytes, parts } of victims) {
      const header = bytes.length - parts.data.length;
      const lengths: number[] = [];
      for (let length = 0; length < bytes.length; length += length <= header ? 1 : 13) lengths.push(length);
      for (const length of lengths) await queue(assertRefused(bytes.subarray(0, length), `${name}, ${length} bytes`));
      for (let length = 16; length < parts.text.length; length += 16) {
        const text = parts.text.slice(0, length);
        await queue(assertRefused(putTogether(text, parts.data), `${name}, a header of ${length} bytes`));
      }
      await queue(assertRefused(Buffer.concat([bytes, Buffer.alloc(1)]), `${name} and a byte more`));
      await queue(assertRefused(mend(Buffer.concat([bytes, Buffer.alloc(64)])), `${name} and 64 bytes more`));
    }
    await settle();
  });

  it('the length of the header: every power of two, and what lies beside it', async () => {
    for (const { name, bytes } of victims) {
      const length = bytes.readBigUInt64LE(0);
      const lengths = Array.from({ length: 64 }, (_, bit) => 2n ** BigInt(bit)).flatMap((power) => [power - 1n, power]);
      for (const other of [...lengths, length - 1n, length + 1n, length + 64n, length - 64n, 2n ** 64n - 1n]) {
        if (other === length) continue;
        const changed = Buffer.from(bytes);
        changed.writeBigUInt64LE(other);
        await queue(bothRefused(changed, bytes, `${name}, a header of ${other} bytes`));
      }
    }
    await settle();
  });

  it('random bytes flipped: never loaded with the old checksum, never half loaded with the right one', async () => {
    const random = randomSource(48);
    const integer = (limit: number) => Math.floor(random() * limit);
    let loaded = 0;
    for (const { name, bytes, parts } of victims) {
      const header = bytes.length - parts.data.length;
      for (let i = 0; i < 900; i++) {
        const changed = Buffer.from(bytes);
        for (let n = 0; n <= integer(3); n++) {
          // Half of them in the data, where a right checksum leaves most of them valid.
          const at = i % 2 === 0 ? integer(header) : header + integer(parts.data.length);
          changed[at] = (changed[at] as number) ^ (1 << integer(8));
        }
        if (changed.equals(bytes)) continue;
        const what = `${name}, flips ${i}`;
        if (i % 3 !== 0) await assertRefused(changed, what);
        else {
          const outcome = await assertSafe(mend(changed), what);
          if (typeof outcome !== 'string') loaded++;
          dispose(outcome);
        }
      }
    }
    assert.ok(loaded > 20, `${loaded} were loaded: finite numbers that are others`);
  });

  it('every field of every tensor in the header', async () => {
    const numbers = ['-1', '1.5', '1e3', '01', '"0"', 'null', '[]', String(2n ** 53n + 1n), String(2n ** 64n - 1n)];
    numbers.push(String(2n ** 64n), String(2n ** 65n), '9'.repeat(400), '-0', '', 'NaN');
    for (const { name: file, bytes, parts } of victims) {
      const { metadata, entries } = headerOf(parts);
      for (const [index, [name, text]] of entries.entries()) {
        const entry: TensorEntry = JSON.parse(text);
        const { dtype, shape, data_offsets } = entry;
        const [begin, end] = data_offsets;
        const size = dtype === 'U64' ? 8 : 4;
        const whole = {
          dtype: JSON.stringify(dtype),
          shape: JSON.stringify(shape),
          data_offsets: JSON.stringify(data_offsets),
        };
        const change = (part: Partial<typeof whole>): string => entryText({ ...whole, ...part });
        const odd = numbers[index % numbers.length] as string;
        const another = numbers[(index + 7) % numbers.length] as string;
        const texts = [
          ...['F64', 'F16', 'U8', 'I32', dtype === 'U32' ? 'F32' : 'U32', dtype.toLowerCase(), '']
            .map((type) => JSON.stringify(type))
            .concat('7', 'null')
            .map((type) => change({ dtype: type })),
          ...['[]', `[${shape},1]`, `[1,${shape}]`, '[0]', `[${odd}]`, `[${shape.slice(1).concat(0)},${odd}]`, '7'].map(
            (other) => change({ shape: other }),
          ),
          change({ shape: `[${(shape[0] as number) + 1},${shape.slice(1)}]`.replace(',]', ']') }),
          change({ shape: `[${2n ** 32n},${2n ** 32n}]` }),
          change({ shape: `[${2n ** 62n},4]` }),
          ...[
            ...[`[${end},${begin}]`, `[${begin}]`, `[${begin},${end},${end}]`, '[]', `[${odd},${end}]`],
            ...[`[${begin},${another}]`, `[${begin + size},${end + size}]`, `[${begin},${end + size}]`, '{}'],
            `[${begin},${2n ** 64n + BigInt(end)}]`,
            `[${2n ** 64n - BigInt(size)},${2n ** 64n - BigInt(size) + BigInt(end - begin)}]`,
            ...(begin > 0
              ? [`[${begin - size},${end - size}]`, `[0,${end - begin}]`, `[${begin - 1},${end - 1}]`]
              : []),
          ].map((offsets) => change({ data_offsets: offsets })),
          `{"dtype":${whole.dtype},"shape":${whole.shape}}`,
          `{"dtype":${whole.dtype},"data_offsets":${whole.data_offsets}}`,
          `{"shape":${whole.shape},"data_offsets":${whole.data_offsets}}`,
          `${text.slice(0, -1)},"dtype":${whole.dtype}}`,
          `${text.slice(0, -1)},"stride":1}`,
          '{}',
          'null',
          `[${text}]`,
        ];
        for (const [i, other] of texts.entries()) {
          const changed: Entries = entries.map((each, at) => (at === index ? [name, other] : each));
          const made = putTogether(headerText(metadata, changed), parts.data);
          const what = `${file}: ${name} is ${other.slice(0, 100)}`;
          if ((index + i) % 8 === 0) await queue(bothRefused(made, bytes, what));
          else await queue(assertRefused(made, what));
        }
        const renamed = (to: string): Entries => entries.map((each, at) => (at === index ? [to, text] : each));
        const [neighbour] = entries[(index + 1) % entries.length] as [string, string];
        const lists: [string, Entries][] = [
          ['missing', entries.filter((_, at) => at !== index)],
          ['there twice', [...entries, [name, text]]],
          ['renamed', renamed(`${name}x`)],
          ['renamed to its neighbour', renamed(neighbour)],
          ['of another layer', renamed(name.replace(/layers\.\d/, 'layers.9').replace('scaling', 'scalings'))],
          [
            'beside one that nobody knows',
            [...entries, [`${name}.more`, '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}']],
          ],
        ];
        for (const [what, list] of lists)
          await queue(
            assertRefused(putTogether(headerText(metadata, list), parts.data), `${file}: ${name} is ${what}`),
          );
        // Missing with its data, so that nothing but the name can be missed.
        const without: Entries = entries.flatMap(([other, otherText], at) => {
          if (at === index) return [];
          const { data_offsets: offsets, ...rest }: TensorEntry = JSON.parse(otherText);
          const moved = offsets.map((offset) => (offset >= end ? offset - (end - begin) : offset));
          return [[other, JSON.stringify({ ...rest, data_offsets: moved })]];
        });
        const rest = Buffer.concat([parts.data.subarray(0, begin), parts.data.subarray(end)]);
        await queue(
          assertRefused(putTogether(headerText(metadata, without), rest), `${file}: ${name} is gone with its data`),
        );
      }
    }
    await settle();
  });

  it('rows, columns and numbers: unsorted, twice, out of range, descending, not finite', async () => {
    for (const { name: file, bytes, parts } of victims) {
      const { text, tensors, data: original } = parts;
      let writes = 0;
      const written = async (write: (data: Buffer) => void, what: string, refused = true) => {
        const changed = Buffer.from(original);
        write(changed);
        assert.ok(!changed.equals(original), what);
        const made = putTogether(text, changed);
        if (refused && writes++ % 4 === 0) await queue(bothRefused(made, bytes, what));
        else if (refused) await queue(assertRefused(made, what));
        else {
          const outcome = await assertSafe(made, what);
          assert.notEqual(typeof outcome, 'string', `${what}: other finite numbers are as good`);
          dispose(outcome);
        }
      };
      for (const [name, { dtype, shape, data_offsets }] of Object.entries(tensors)) {
        const [begin] = data_offsets;
        const count = shape.reduce((a, b) => a * b, 1);
        const last = count - 1;
        const what = `${file}: ${name}`;
        if (dtype === 'F32') {
          for (const at of new Set([0, count >> 1, last])) {
            for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
              await written((d) => d.writeFloatLE(value, begin + 4 * at), `${what}[${at}] = ${value}`);
          }
          const isMoment = name.includes('.state.');
          if (!isMoment && !name.startsWith('scaling'))
            await written((d) => d.writeFloatLE(0.123, begin), `${what}[0] = 0.123`, false);
          continue;
        }
        if (dtype === 'U64') {
          const pointer = (at: number) => Number(original.readBigUInt64LE(begin + 8 * at));
          const set = (at: number, value: bigint) => (d: Buffer) => d.writeBigUInt64LE(value, begin + 8 * at);
          await written(set(0, 1n), `${what} begin at 1`);
          for (let at = 0; at <= last; at++) {
            for (const value of [2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, BigInt(pointer(last) + 1)])
              await written(set(at, value), `${what}[${at}] = ${value}`);
            if (at > 0 && pointer(at - 1) > 0)
              await written(set(at, BigInt(pointer(at - 1) - 1)), `${what}[${at}] descends`);
          }
          continue;
        }
        const pointers = tensors[name.replace('columnIndices', 'rowPointers')] as TensorEntry;
        const rowEnds = Array.from({ length: pointers.shape[0] as number }, (_, i) =>
          Number(original.readBigUInt64LE(pointers.data_offsets[0] + 8 * i)),
        );
        const column = (at: number) => original.readUInt32LE(begin + 4 * at);
        for (let at = 0; at <= last; at++) {
          for (const value of [100, 2 ** 31, 2 ** 32 - 1])
            await written((d) => d.writeUInt32LE(value, begin + 4 * at), `${what}[${at}] = ${value}`);
          if (at === 0 || rowEnds.includes(at)) continue;
          await written((d) => d.writeUInt32LE(column(at - 1), begin + 4 * at), `${what}[${at}] is there twice`);
          await written((d) => {
            d.writeUInt32LE(column(at - 1), begin + 4 * at);
            d.writeUInt32LE(column(at), begin + 4 * (at - 1));
          }, `${what}[${at}] and the one before are unsorted`);
        }
        // Valid, but not the wiring that the run record vouches for.
        const free = column(0) - 1;
        if (free >= 0 && !name.startsWith('best.'))
          await written((d) => d.writeUInt32LE(free, begin), `${what}[0] is another valid column`);
      }
    }
    await settle();
  });

  it('every field of the metadata and of the training in them', async () => {
    const others: unknown[] = [
      null,
      -1,
      1.5,
      2 ** 53,
      1e300,
      'x',
      '',
      '18446744073709551616',
      [],
      {},
      true,
      '-1',
      [[]],
    ];
    let loaded = 0;
    let resumed = 0;
    for (const { name: file, bytes, parts } of victims) {
      const { entries } = headerOf(parts);
      const made = (metadata: unknown, json = JSON.stringify(metadata)) =>
        putTogether(headerText(JSON.stringify({ setnet: json, setnet_checksum: '0'.repeat(16) }), entries), parts.data);
      assert.ok(made(parts.metadata).equals(bytes));
      let turn = 0;
      const tried = async (what: string, change: (copy: Anything) => void) => {
        const copy = structuredClone(parts.metadata);
        change(copy);
        const json = JSON.stringify(copy);
        if (json === JSON.stringify(parts.metadata)) return;
        const outcome = await assertSafe(made(copy), `${file}: ${what}`);
        if (typeof outcome === 'string') return;
        loaded++;
        if (file === 'checkpoint') {
          // What goes on from it goes on, or says why not.
          const goOn = async () => outcome.fit(data, { ...fit, resume: true }).done;
          await goOn()
            .then(() => resumed++)
            .catch((error: unknown) => assert.ok(error instanceof SetnetError, `${what}: ${(error as Error)?.stack}`));
        }
        outcome.dispose();
      };
      const walk = async (value: Anything, keys: string[]): Promise<void> => {
        const at = keys.join('.');
        const parentOf = (copy: Anything) => keys.slice(0, -1).reduce((part, key) => part[key], copy);
        const key = keys.at(-1) as string;
        if (keys.length > 0) {
          const isLeaf = typeof value !== 'object' || value === null;
          for (let n = 0; n < (isLeaf ? 4 : 3); n++) {
            const other = others[turn++ % others.length];
            await tried(`${at} is ${JSON.stringify(other)}`, (copy) => {
              parentOf(copy)[key] = other;
            });
          }
          await tried(`${at} is missing`, (copy) => {
            const parent = parentOf(copy);
            if (Array.isArray(parent)) parent.splice(Number(key), 1);
            else delete parent[key];
          });
          if (typeof value === 'number')
            await tried(`${at} is one more`, (copy) => {
              parentOf(copy)[key] = value + 1;
            });
          if (typeof value === 'boolean')
            await tried(`${at} is the other`, (copy) => {
              parentOf(copy)[key] = !value;
            });
        }
        if (typeof value !== 'object' || value === null) return;
        const self = (copy: Anything) => keys.reduce((part, each) => part[each], copy);
        if (Array.isArray(value)) {
          if (value.length > 0)
            await tried(`${at} has one twice`, (copy) => self(copy).push(structuredClone(value[0])));
        } else {
          await tried(`${at} has a field more`, (copy) => {
            self(copy).unknown = 1;
          });
          await tried(`${at} has a field __proto__`, (copy) => {
            Object.defineProperty(self(copy), '__proto__', { value: { x: 1 }, enumerable: true });
          });
        }
        for (const [each, part] of Object.entries(value)) await walk(part, [...keys, each]);
      };
      await walk(parts.metadata, []);
      const json = JSON.stringify(parts.metadata);
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      for (const [what, text] of [
        ['no JSON', json.slice(1)],
        ['empty', ''],
        ['an array', `[${json}]`],
        ['deep', deep],
        ['deep inside', json.replace('"definition":{', `"definition":{"deep":${deep},`)],
        ['deep in the layers', json.replace(/"layers":\[/, `"layers":[${deep},`)],
        ['deep in the history', json.replace('"history":{', `"history":{"deep":${deep},`)],
        ['deep in an epoch', json.replace('"history":{"epochs":[{', `"history":{"epochs":[{"deep":${deep},`)],
        ['a key twice', json.replace('"format":1', '"format":1,"format":2')],
      ] as const) {
        if (text !== json) await assertRefused(made(null, text), `${file}: metadata that are ${what}`);
      }
      const { metadata } = headerOf(parts);
      for (const [what, text] of [
        ['without a checksum', metadata.replace(/,"setnet_checksum":"\w+"/, '')],
        ['without setnet', metadata.replace(/"setnet":".*",/, '')],
        ['with a short checksum', metadata.replace(/"\w{16}"\}$/, '"00"}')],
        ['with a number', metadata.replace('{', '{"n":1,')],
        ['empty', '{}'],
        ['an array', '[]'],
      ] as const) {
        assert.notEqual(text, metadata, what);
        await assertRefused(putTogether(headerText(text, entries), parts.data), `${file}: metadata ${what}`);
      }
      // The right digits, but not as they are written.
      const capitals = putTogether(parts.text.replace(/(?<="setnet_checksum":")\w{16}/, '0'.repeat(16)), parts.data);
      const digits = capitals.indexOf('"setnet_checksum":"') + '"setnet_checksum":"'.length;
      capitals.write(capitals.toString('latin1', digits, digits + 16).toUpperCase(), digits, 'latin1');
      assert.ok(!capitals.equals(bytes));
      await assertRefused(capitals, `${file}: a checksum in capitals`);
    }
    assert.ok(loaded > 20 && resumed > 5, `${loaded} were loaded, ${resumed} went on`);
  });

  it('sessions refuse what networks refuse', async () => {
    const random = randomSource(7);
    for (const { bytes } of victims) {
      for (let i = 0; i < 100; i++) {
        const changed = Buffer.from(bytes);
        const at = Math.floor(random() * bytes.length);
        changed[at] = (changed[at] as number) ^ (1 << Math.floor(random() * 8));
        const made = i % 2 === 0 ? mend(changed) : changed;
        const outcome = await outcomeOf(made, `flip at ${at}`);
        writeFileSync(path, made);
        const session = await Session.load(path).catch((error: SetnetError) => error.code);
        if (typeof outcome === 'string') assert.equal(session, outcome);
        else {
          assert.ok(session instanceof Session, `a flip at ${at}: ${session}`);
          assert.deepEqual(answersOf(session), answersOf(outcome));
          await session.close();
          outcome.dispose();
        }
      }
    }
  });

  it('there were at least 5,000 of them, and nothing of those refused is left in memory', async () => {
    const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    console.log(`      ${mutations} files: ${counts}`);
    assert.ok(mutations >= 5000, `${mutations}: ${counts}`);
    assert.ok((outcomes.get('ERR_SETNET_FORMAT') ?? 0) > 4500, counts);
    const { gc } = globalThis as { gc?: () => void };
    for (let i = 0; i < 50 && native().counters().networks > 1; i++) {
      gc?.();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // Other tests of this process may have left networks; of thousands of files none has.
    assert.ok(native().counters().networks < 200, `${native().counters().networks} networks`);
  });
});
