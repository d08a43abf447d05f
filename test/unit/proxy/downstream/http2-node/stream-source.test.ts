import { expect } from 'chai';
import type { ServerHttp2Stream } from 'node:http2';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  StreamSource,
  type SourceObserver,
} from '../../../../../lib/proxy/downstream/http2-node/stream-source.js';

const KIB = 1024;

/** Without Node's handle of a stream of HTTP/2, so that it is read by its events: integration tests have real ones. */
class FakeStream extends PassThrough {
  readonly aborted = false;
  rstCode = 0;
  readonly headersSent = false;
  readonly sent: unknown[] = [];

  additionalHeaders(headers: unknown): void {
    this.sent.push(headers);
  }
}

class Stage {
  readonly stream = new FakeStream();
  readonly told: string[] = [];
  readonly pieces: Buffer[] = [];
  readonly source: StreamSource;
  /** What a sink says of each piece. */
  isKept = false;

  constructor(expectation?: string) {
    const note =
      (what: string) =>
      (...[, value]: unknown[]): void =>
        void this.told.push(`${what} ${String(value)}`.trim());
    const observer: SourceObserver = {
      onSourceOpen: () => this.told.push('open'),
      onSourceClose: () => this.told.push('close'),
      onReading: note('reading'),
      onWaitingTaken: () => this.told.push('taken'),
      onPiece: note('piece'),
      onJoined: note('joined'),
    };
    const stream = this.stream as unknown as ServerHttp2Stream;
    this.source = new StreamSource(stream, { observer, expectation, isOfTunnel: false });
  }

  start(): void {
    this.source.body.start({
      onBodyPiece: (piece) => {
        this.pieces.push(piece);
        return this.isKept;
      },
      onBodyEnd: (trailers) => this.told.push(['end', ...trailers].join(' ')),
      onBodyFailure: (reason) => this.told.push(reason),
    });
  }

  /** Has some come, each piece for itself. */
  async send(...pieces: Buffer[]): Promise<void> {
    for (const piece of pieces) this.stream.emit('data', piece);
    await nextTurn();
    await nextTurn();
  }

  get lengths(): number[] {
    return this.pieces.map(({ length }) => length);
  }
}

describe('The body on a stream of HTTP/2', () => {
  it('is passed on together where it has come in one turn', async () => {
    const stage = new Stage();
    stage.start();
    await stage.send(...Array.from('hello', (letter) => Buffer.from(letter)));
    await stage.send(Buffer.from(' world'));
    expect(stage.pieces.map(String)).to.deep.equal(['hello', ' world']);
    expect(stage.told.filter((one) => one.startsWith('piece'))).to.deep.equal([
      ...Array<string>(5).fill('piece 1'),
      'piece 6',
    ]);
    expect(stage.told.filter((one) => one.startsWith('joined'))).to.deep.equal(['joined 5', 'joined 6']);
  });

  it('is passed on before its turn is over where there is much', async () => {
    const stage = new Stage();
    stage.isKept = true;
    stage.start();
    const all = Buffer.from(Array.from({ length: 300 * KIB }, (_, i) => i % 253));
    const pieces = Array.from({ length: 30 }, (_, i) => all.subarray(10 * KIB * i, 10 * KIB * (i + 1)));
    await stage.send(...pieces);
    expect(Buffer.concat(stage.pieces).equals(all)).to.equal(true);
    expect(Math.max(...stage.lengths)).to.be.at.most(64 * KIB);
    expect(stage.lengths.length).to.be.at.most(7);
    stage.pieces.length = 0;
    await stage.send(all);
    expect(Buffer.concat(stage.pieces).equals(all)).to.equal(true);
  });

  it('is read into the same memory again, unless that is still needed', async () => {
    const stage = new Stage();
    stage.start();
    for (const isKept of [false, false, true, true]) {
      stage.isKept = isKept;
      await stage.send(Buffer.alloc(40 * KIB, 1));
    }
    const [first, second, third, fourth] = stage.pieces.map(({ buffer }) => buffer);
    expect(second).to.equal(first);
    expect(third).to.equal(first);
    expect(fourth).to.not.equal(first);
  });

  it('keeps no more memory than it has bytes while nobody takes it', async () => {
    const stage = new Stage();
    for (let i = 0; i < 100; i++) await stage.send(Buffer.from([i]));
    await stage.send(Buffer.alloc(20 * KIB));
    expect(stage.source.heldBytes).to.equal(100 + 20 * KIB);
    stage.start();
    expect(stage.source.heldBytes).to.equal(0);
    expect(stage.lengths).to.deep.equal([...Array<number>(100).fill(1), 20 * KIB]);
    // Not that of 64 KiB in which they were joined, but of their own size, or in Node's pool, whose memory they share.
    for (const { buffer } of stage.pieces) expect(buffer.byteLength).to.not.equal(64 * KIB);
    expect(stage.told).to.include('taken');
  });

  it('is read only while somebody takes it', async () => {
    const stage = new Stage();
    expect(stage.told).to.deep.equal(['open']);
    expect(stage.stream.isPaused()).to.equal(true);
    stage.start();
    expect(stage.stream.isPaused()).to.equal(false);
    stage.source.body.pause();
    expect(stage.stream.isPaused()).to.equal(true);
    await stage.send(Buffer.from('late'));
    expect(stage.source.heldBytes).to.equal(4);
    expect(stage.told).to.deep.equal(['open', 'reading true', 'reading false', 'piece 4', 'joined 4']);
    stage.source.body.resume();
    expect(stage.pieces.map(String)).to.deep.equal(['late']);
    expect(stage.told.slice(5)).to.deep.equal(['taken', 'reading true']);
  });

  it('ends with its trailers, behind what has come in the same turn', async () => {
    const stage = new Stage();
    stage.start();
    stage.stream.write('hello');
    stage.stream.emit('trailers', {}, 0, ['x-sum', '1']);
    stage.stream.end();
    await nextTurn();
    await nextTurn();
    expect(stage.pieces.map(String)).to.deep.equal(['hello']);
    expect(stage.told).to.include('end x-sum 1');
  });

  it('fails where its stream is reset, or closed before its end', async () => {
    const stage = new Stage();
    stage.start();
    stage.stream.rstCode = 8;
    stage.stream.end();
    await nextTurn();
    expect(stage.told).to.include('the client has reset the stream');
    const other = new Stage();
    other.start();
    other.stream.destroy();
    await nextTurn();
    expect(other.told.slice(-3)).to.deep.equal(['the client has gone', 'reading false', 'close']);
  });

  it('is asked for with 100 Continue, once, when it is wanted', () => {
    const stage = new Stage('100-Continue');
    expect(stage.stream.sent).to.deep.equal([]);
    stage.start();
    stage.source.body.stop();
    stage.start();
    expect(stage.stream.sent).to.deep.equal([{ ':status': 100 }]);
    const other = new Stage();
    other.start();
    expect(other.stream.sent).to.deep.equal([]);
  });
});
