import { expect } from 'chai';
import { Writable } from 'node:stream';
import { writeCopy } from '../../../lib/net/write-copy.js';

const KIB = 1024;

/** Keeps what it is given, until it is told how that went out. */
class Keeper extends Writable {
  readonly kept: Buffer[] = [];
  readonly #done: ((error?: Error) => void)[] = [];

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    this.kept.push(chunk);
    this.#done.push(done);
  }

  sent(error?: Error): void {
    this.#done.shift()?.(error);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('What is written from memory that is used again', () => {
  it('is a copy, whole, in pieces of 64 KiB at the most', async () => {
    const stream = new Keeper();
    const chunk = Buffer.from(Array.from({ length: 200 * KIB }, (_, i) => i % 251));
    const wanted = Buffer.from(chunk);
    writeCopy(stream, chunk);
    chunk.fill(0);
    for (let i = 0; i < 4; i++) {
      stream.sent();
      await settled();
    }
    expect(stream.kept.map(({ length }) => length / KIB)).to.deep.equal([64, 64, 64, 8]);
    expect(Buffer.concat(stream.kept).equals(wanted)).to.equal(true);
  });

  it('has memory of its own until it has gone out, and then the same as what was sent before', async () => {
    const stream = new Keeper();
    const [first, second] = [Buffer.alloc(64 * KIB, 1), Buffer.alloc(64 * KIB, 2)];
    writeCopy(stream, first);
    writeCopy(stream, second);
    stream.sent();
    await settled();
    stream.sent();
    await settled();
    const [one, two] = stream.kept;
    expect(one?.buffer).to.not.equal(two?.buffer);
    expect(one?.equals(first)).to.equal(true);
    writeCopy(stream, Buffer.alloc(60 * KIB, 3));
    const three = stream.kept.at(-1);
    expect([one?.buffer, two?.buffer]).to.include(three?.buffer);
    expect(three?.length).to.equal(60 * KIB);
    stream.sent();
  });

  for (const [what, end] of [
    ['that fails', (stream: Keeper) => stream.sent(new Error('reset'))],
    [
      'that is destroyed, of which Node 20 tells no error',
      (stream: Keeper) => {
        stream.destroy();
        stream.sent();
      },
    ],
  ] as const) {
    it(`keeps its memory for ever in a stream ${what}`, async () => {
      const stream = new Keeper().on('error', () => undefined);
      writeCopy(stream, Buffer.alloc(64 * KIB, 1));
      end(stream);
      await settled();
      const other = new Keeper();
      for (let i = 0; i < 100; i++) {
        writeCopy(other, Buffer.alloc(64 * KIB, 2));
        expect(other.kept.at(-1)?.buffer).to.not.equal(stream.kept[0]?.buffer);
        other.sent();
        await settled();
      }
    });
  }

  it('takes no more than twice the memory that it has bytes', async () => {
    for (const bytes of [1, 4, 8, 9, 16, 17, 20, 40, 48, 49, 64, 70, 90].map((kib) => kib * KIB)) {
      const stream = new Keeper();
      writeCopy(stream, Buffer.alloc(bytes, 1));
      for (let i = 0; i < 8; i++) {
        stream.sent();
        await settled();
      }
      expect(Buffer.concat(stream.kept).equals(Buffer.alloc(bytes, 1))).to.equal(true);
      let memory = 0;
      for (const { buffer, length } of stream.kept) {
        const isOurs = buffer.byteLength === 16 * KIB || buffer.byteLength === 64 * KIB;
        // Else it is in Node's pool, whose memory it shares with others.
        memory += isOurs ? buffer.byteLength : length;
        if (length < 8 * KIB) expect(isOurs).to.equal(false);
      }
      expect(memory, `of ${bytes}`).to.be.at.most(2 * bytes);
    }
  });

  it('says when the stream takes no more', () => {
    const stream = new Keeper({ highWaterMark: 100 * KIB });
    expect(writeCopy(stream, Buffer.alloc(50 * KIB))).to.equal(true);
    expect(writeCopy(stream, Buffer.alloc(50 * KIB))).to.equal(false);
  });
});
