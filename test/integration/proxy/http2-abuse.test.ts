/**
 * HTTP/2 clients that make us work for nothing, by the frame: they are cut off, and others are served.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { startBackend, type Backend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client, responseOf } from '../../support/h2-client.js';
import {
  block,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  GREETING,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  type Field,
} from '../../support/raw-h2.js';

const NAME = 'a.test';
const ENHANCE_YOUR_CALM = 11;
const MIB = 1024 ** 2;

const fieldsOf = (method: string, path: string): Field[] => [
  [':method', method],
  [':path', path],
  [':scheme', 'https'],
  [':authority', NAME],
];
const head = (stream: number, method: string, path: string, flags: number): Buffer =>
  frame(HEADERS, flags, stream, block(fieldsOf(method, path)));
const get = (stream: number, path = '/mute'): Buffer => head(stream, 'GET', path, END_STREAM | END_HEADERS);
const post = (stream: number): Buffer => head(stream, 'POST', '/sink', END_HEADERS);
const reset = (stream: number): Buffer => frame(RST_STREAM, 0, stream, u32(8));
const repeat = (count: number, bytes: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => bytes(index)));
/** Of a client, one after the other. */
const idOf = (index: number): number => 2 * index + 1;

/** A client that sends bytes as they are. */
class RawPeer implements Disposable {
  readonly #socket: TLSSocket;
  #received = EMPTY;
  isClosed = false;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.on('close', () => (this.isClosed = true));
    socket.on('end', () => (this.isClosed = true));
  }

  static async connect(port: number): Promise<RawPeer> {
    const peer = new RawPeer(await connectTls({ port, servername: NAME, ALPNProtocols: ['h2'] }));
    await peer.send(GREETING);
    return peer;
  }

  async send(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** The codes of what was received as GOAWAY. */
  get goaways(): number[] {
    const codes: number[] = [];
    for (let at = 0; at + 9 <= this.#received.length; at += 9 + this.#received.readUIntBE(at, 3)) {
      if (this.#received[at + 3] === GOAWAY) codes.push(this.#received.readUInt32BE(at + 9 + 4));
    }
    return codes;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

describe('An HTTP/2 client that makes us work for nothing', () => {
  let backend: Backend;
  let front: Front;
  /** The pieces in which bodies have come to the backend. */
  let pieces: number;
  /** And how many bytes in all. */
  let taken: number;
  const asked = (path: string): number => backend.requests.filter(({ url }) => url === path).length;
  const cutOff = (): number => front.log.filter(({ msg }) => msg.startsWith('HTTP/2 client cut off')).length;

  beforeEach(async () => {
    pieces = 0;
    taken = 0;
    backend = await startBackend((request, response) => {
      request.on('data', ({ length }: Buffer) => {
        pieces += 1;
        taken += length;
      });
      if (request.url === '/mute') return;
      request.on('end', () => response.end('hello'));
    });
    // No budget fills again, however long a flood takes here.
    front = await startFront({ backends: [backend.url], now: () => 0 });
  });
  afterEach(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const FLOODS: [what: string, first: Buffer, flood: Buffer][] = [
    ['PING', EMPTY, repeat(30_000, () => frame(PING, 0, 0, Buffer.alloc(8)))],
    ['SETTINGS', EMPTY, repeat(20_000, () => frame(SETTINGS, 0, 0, EMPTY))],
    [
      'PRIORITY',
      EMPTY,
      repeat(250_000, (i) => frame(PRIORITY, 0, idOf(i % 100), Buffer.from([0, 0, 0, 0, 15]))),
    ],
    ['WINDOW_UPDATE', EMPTY, repeat(250_000, () => frame(WINDOW_UPDATE, 0, 0, u32(1)))],
    ['DATA of one byte', post(1), repeat(160_000, () => frame(DATA, 0, 1, Buffer.from('x')))],
    [
      'padding',
      post(1),
      repeat(12_000, () => frame(DATA, PADDED, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(256)]))),
    ],
    [
      'requests that are reset at once',
      EMPTY,
      repeat(600, (i) => Buffer.concat([get(idOf(i)), reset(idOf(i))])),
    ],
  ];
  for (const [what, first, flood] of FLOODS) {
    it(`by ${what} is cut off, and logged once`, async () => {
      using peer = await RawPeer.connect(front.port);
      using other = await H2Client.connect(front.port, NAME);
      await peer.send(Buffer.concat([first, flood]));
      await eventually('it is logged', () => cutOff() === 1);
      await eventually('it is closed', () => front.openPorts.length === 1);
      expect(await other.request()).to.include({ status: 200, body: 'hello', isWhole: true });
      expect(cutOff()).to.equal(1);
      expect(front.log.find(({ msg }) => msg.startsWith('HTTP/2 client cut off'))).to.deep.include({
        level: 'info',
      });
    });
  }

  it('is told ENHANCE_YOUR_CALM where it listens', async () => {
    using peer = await RawPeer.connect(front.port);
    for (let i = 0; i < 600 && !peer.isClosed; i++) {
      await peer.send(Buffer.concat([get(idOf(i)), reset(idOf(i))]));
    }
    await eventually('it is closed', () => peer.isClosed);
    expect(peer.goaways).to.deep.equal([ENHANCE_YOUR_CALM]);
  });

  it('by requests that it resets in the same piece asks no backend', async () => {
    using peer = await RawPeer.connect(front.port);
    using other = await H2Client.connect(front.port, NAME);
    // Connections to the backend that wait for requests.
    await Promise.all(Array.from({ length: 20 }, () => other.request()));
    for (let i = 0; i < 10; i++) {
      await peer.send(repeat(20, (j) => Buffer.concat([get(idOf(20 * i + j)), reset(idOf(20 * i + j))])));
      await other.request();
    }
    expect(asked('/mute')).to.equal(0);
    expect(cutOff()).to.equal(0);
  });

  it('by provoking resets of ours is cut off', async () => {
    using peer = await RawPeer.connect(front.port);
    const fields = block([...fieldsOf('POST', '/mute'), ['content-length', '2']]);
    const AT_ONCE = 50;
    const startedMs = performance.now();
    for (let sent = 0; sent < 1_000 && cutOff() === 0; sent += AT_ONCE) {
      const data = (bytes: string) => (i: number) => frame(DATA, 0, idOf(sent + i), Buffer.from(bytes));
      await peer.send(repeat(AT_ONCE, (i) => frame(HEADERS, END_HEADERS, idOf(sent + i), fields)));
      await peer.send(repeat(AT_ONCE, data('x')));
      await eventually('the backend has them', () => asked('/mute') >= sent + AT_ONCE || cutOff() > 0);
      // More than their length. (Node 26 ends the session at once.)
      await peer.send(repeat(AT_ONCE, data('xx')));
    }
    await eventually('it is logged', () => cutOff() === 1);
    // The budget is 400, and 40 a second.
    const allowed = 400 + (40 * (performance.now() - startedMs)) / 1_000;
    expect(asked('/mute')).to.be.at.most(allowed + AT_ONCE);
  });

  it('costs the backend few writes for DATA of one byte', async () => {
    using peer = await RawPeer.connect(front.port);
    await peer.send(Buffer.concat([post(1), repeat(4_000, () => frame(DATA, 0, 1, Buffer.from('x')))]));
    await peer.send(frame(DATA, END_STREAM, 1, Buffer.from('x')));
    await eventually('the backend has it all', () => taken === 4_001);
    expect(pieces).to.be.below(100);
  });
});

describe('An HTTP/2 client that means well is not cut off', () => {
  it('when it leaves a page with 100 requests under way, three times', async () => {
    await using backend = await startBackend((_, response) => void response.write('begun'));
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, NAME);
    for (let i = 1; i <= 3; i++) {
      const streams = Array.from({ length: 100 }, (_, j) => client.open({ ':path': `/${i}/${j}` }));
      await eventually('the backend has them', () => backend.requests.length === 100 * i);
      const closed = streams.map((stream) => once(stream, 'close'));
      for (const stream of streams) stream.close(8);
      await Promise.all(closed);
      await new Promise((resolve) => client.session.ping(resolve));
    }
    expect(client.session.destroyed).to.equal(false);
    expect(front.log.filter(({ level }) => level !== 'debug')).to.deep.equal([]);
  });

  it('when its uploads are refused while they are on their way', async () => {
    await using backend = await startBackend((_, response) => void response.writeHead(413).end());
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, NAME);
    // Budgets may be looked at once a second.
    const until = performance.now() + 1_500;
    for (let i = 0; i < 20 || performance.now() < until; i++) {
      const stream = client.open({ ':method': 'POST' }, { isOpen: true });
      stream.end(Buffer.alloc(MIB));
      expect(await responseOf(stream)).to.include({ status: 413 });
    }
    expect(client.session.destroyed).to.equal(false);
  });
});
