/**
 * A client that takes nothing must not make the proxy keep what its backend sends. One that takes little at a time is waited
 * for, however long all of it takes. (On HTTP/1.1 only the kernel says how little: see the tests of `TakeWatch` and of who uses it.)
 */
import { expect } from 'chai';
import type { TLSSocket } from 'node:tls';
import { startBackend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';
import {
  block,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GREETING,
  HEADERS,
  RST_STREAM,
  u32,
  WINDOW_UPDATE,
} from '../../support/raw-h2.js';

/** Less than what is written at once. */
const PIECE = Buffer.alloc(8_192, 'x');
/** More than what sockets hold on the way. */
const MAX_PIECES = 8_192;

describe('A client that takes nothing', () => {
  for (const [what, fields] of [
    ['in chunks', {}],
    ['of a length', { 'content-length': String(PIECE.length * MAX_PIECES) }],
  ] as const) {
    it(`holds up a backend that sends small pieces ${what}, and is given up`, async () => {
      let sent = 0;
      let isHeldUp = false;
      let isGone = false;
      await using backend = await startBackend((_, response) => {
        response.writeHead(200, fields);
        response.on('close', () => (isGone = true));
        // One piece a turn: none of them is seen together with another.
        const next = (): void => {
          if (response.destroyed || sent === MAX_PIECES) return;
          sent += 1;
          if (response.write(PIECE)) setImmediate(next);
          else {
            isHeldUp = true;
            response.once('drain', () => setImmediate(next));
          }
        };
        next();
      });
      await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 300 } });
      using client = await RawClient.connect(front.port, 'a.test');
      client.socket.pause();
      client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      await eventually('the backend knows', () => isGone);
      expect(isHeldUp).to.equal(true);
      expect(sent).to.be.below(MAX_PIECES);
      expect(front.log.map(({ fields: { reason } }) => reason)).to.deep.equal([
        'the client takes no more of the response',
      ]);
    });
  }
});

const TIMEOUT_MS = 400;

const reasons = ({ log }: Front): unknown[] => log.map(({ fields: { reason } }) => reason);

/** A client on HTTP/2 that opens its windows as a test says. */
class WindowClient implements Disposable {
  readonly socket: TLSSocket;
  /** Of bodies, by stream. */
  readonly bytes = new Map<number, number>();
  readonly ended = new Set<number>();
  isClosed = false;
  readonly resets = new Set<number>();
  #pending = Buffer.alloc(0);

  static async connect(port: number): Promise<WindowClient> {
    const socket = await connectTls({ port, servername: 'a.test', ALPNProtocols: ['h2'] });
    return new WindowClient(socket);
  }

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined).on('close', () => (this.isClosed = true));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.write(GREETING);
  }

  get(stream: number, path = '/'): void {
    const fields = block([
      [':method', 'GET'],
      [':path', path],
      [':scheme', 'https'],
      [':authority', 'a.test'],
    ]);
    this.socket.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, fields));
  }

  /** @param stream 0: the window of the connection */
  open(stream: number, bytes: number): void {
    this.socket.write(frame(WINDOW_UPDATE, 0, stream, u32(bytes)));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const length = this.#pending.length < 9 ? Infinity : this.#pending.readUIntBE(0, 3);
      if (this.#pending.length < 9 + length) return;
      const stream = this.#pending.readUInt32BE(5);
      const isLast = ((this.#pending[4] ?? 0) & END_STREAM) !== 0;
      if (this.#pending[3] === DATA) this.bytes.set(stream, (this.bytes.get(stream) ?? 0) + length);
      if (this.#pending[3] === RST_STREAM) this.resets.add(stream);
      if (isLast && (this.#pending[3] === DATA || this.#pending[3] === HEADERS)) this.ended.add(stream);
      this.#pending = this.#pending.subarray(9 + length);
    }
  }
}

describe('A client that takes little at a time on HTTP/2', () => {
  for (const [what, bytes] of [
    ['a response', 1_000_000],
    ['a response of which all waits for it', 250_000],
  ] as const) {
    it(`gets ${what}`, async () => {
      await using backend = await startBackend((_, response) => void response.end(Buffer.alloc(bytes, 'x')));
      await using front = await startFront({
        backends: [backend.url],
        limits: { bodyTimeoutMs: TIMEOUT_MS },
      });
      using client = await WindowClient.connect(front.port);
      client.open(0, 2 ** 30);
      client.get(1);
      const timer = setInterval(() => client.open(1, 16_384), 50);
      await eventually('it has all or is cut', () => client.ended.has(1) || client.resets.has(1)).finally(
        () => clearInterval(timer),
      );
      expect(reasons(front)).to.deep.equal([]);
      expect(client.bytes.get(1)).to.equal(bytes);
    });
  }
});

describe('A client that takes nothing of one response on HTTP/2', () => {
  it('has that one cut, while it takes others', async () => {
    await using backend = await startBackend((incoming, response) =>
      response.end(Buffer.alloc(incoming.url === '/large' ? 1_000_000 : 100, 'x')),
    );
    await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 150 } });
    using client = await WindowClient.connect(front.port);
    client.open(0, 2 ** 30);
    client.get(1, '/large');
    let stream = 1;
    const timer = setInterval(() => client.get((stream += 2)), 20);
    await eventually('it is cut', () => client.resets.has(1)).finally(() => clearInterval(timer));
    expect([client.isClosed, client.resets.size]).to.deep.equal([false, 1]);
    expect(client.ended.size).to.be.above(5);
    expect(reasons(front)).to.deep.equal(['the client takes no more of the response']);
  });
});
