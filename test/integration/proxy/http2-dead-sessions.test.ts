/**
 * HTTP/2 connections that have come to their end without saying so: each is closed within seconds, whatever was under way.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { LimitSettings } from '../../../lib/config/settings.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { eventually, eventuallySees } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { startProgram } from '../../support/program.js';
import {
  ACK,
  block,
  CONTINUATION,
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
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  setting,
} from '../../support/raw-h2.js';
import { countSockets, untilSockets } from '../../support/worker-sockets.js';

const NAME = 'a.test';
const MIB = 1024 ** 2;
/** Far above what is used before. */
const LATE = 201;

const head = (method: string, path: string, authority = NAME): Buffer =>
  block([
    [':method', method],
    [':path', path],
    [':scheme', 'https'],
    [':authority', authority],
  ]);
/** Lets the server send as much as it likes. */
const WIDE = Buffer.concat([
  frame(SETTINGS, 0, 0, setting(4, 2 ** 30)),
  frame(WINDOW_UPDATE, 0, 0, u32(2 ** 30)),
]);

/** Behind each of them the server closes the connection (RFC 9113 §5.4.1). */
const CONNECTION_ERRORS: Readonly<Record<string, readonly Buffer[]>> = {
  'a frame longer than it may be': [frame(DATA, 0, 1, Buffer.alloc(16_385))],
  'PING of another length': [frame(PING, 0, 0, Buffer.alloc(7))],
  'RST_STREAM of another length': [frame(RST_STREAM, 0, 1, Buffer.alloc(3))],
  'WINDOW_UPDATE of another length': [frame(WINDOW_UPDATE, 0, 0, Buffer.alloc(3))],
  'SETTINGS of half a setting': [frame(SETTINGS, 0, 0, Buffer.alloc(5))],
  'SETTINGS with ACK and settings': [frame(SETTINGS, ACK, 0, setting(3, 1))],
  'fields that are no HPACK': [frame(HEADERS, END_STREAM | END_HEADERS, LATE, Buffer.from([0x80]))],
  'fields that are interrupted': [
    frame(HEADERS, 0, LATE, head('GET', '/')),
    frame(PING, 0, 0, Buffer.alloc(8)),
  ],
  'CONTINUATION without a head': [frame(CONTINUATION, END_HEADERS, LATE, head('GET', '/'))],
  'CONTINUATION on another stream': [
    frame(HEADERS, END_STREAM, LATE, head('GET', '/')),
    frame(CONTINUATION, END_HEADERS, LATE + 2, EMPTY),
  ],
  'a stream with an even number': [frame(HEADERS, END_STREAM | END_HEADERS, 2, head('GET', '/'))],
  'DATA on stream 0': [frame(DATA, 0, 0, Buffer.from('x'))],
  'DATA on an idle stream': [frame(DATA, 0, LATE, Buffer.from('x'))],
  'more padding than DATA': [
    frame(HEADERS, END_HEADERS, LATE, head('POST', '/')),
    frame(DATA, PADDED, LATE, Buffer.from([9, 1])),
  ],
  'more padding than HEADERS': [frame(HEADERS, PADDED | END_HEADERS | END_STREAM, LATE, Buffer.from([9, 1]))],
  'HEADERS on stream 0': [frame(HEADERS, END_STREAM | END_HEADERS, 0, head('GET', '/'))],
  'RST_STREAM on stream 0': [frame(RST_STREAM, 0, 0, u32(8))],
  'RST_STREAM on an idle stream': [frame(RST_STREAM, 0, LATE, u32(8))],
  'SETTINGS on a stream': [frame(SETTINGS, 0, 1, EMPTY)],
  'a window larger than any': [frame(SETTINGS, 0, 0, setting(4, 2 ** 31))],
  'frames smaller than any': [frame(SETTINGS, 0, 0, setting(5, 16_383))],
  'a push that is neither on nor off': [frame(SETTINGS, 0, 0, setting(2, 2))],
  'a push of the client': [frame(PUSH_PROMISE, END_HEADERS, 1, u32(2))],
  'PING on a stream': [frame(PING, 0, 1, Buffer.alloc(8))],
  'an answer to no PING': [frame(PING, ACK, 0, Buffer.alloc(8))],
  'GOAWAY on a stream': [frame(GOAWAY, 0, 1, Buffer.alloc(8))],
  'GOAWAY with an error': [frame(GOAWAY, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]))],
  'a window that grows by nothing': [frame(WINDOW_UPDATE, 0, 0, u32(0))],
  'WINDOW_UPDATE on an idle stream': [frame(WINDOW_UPDATE, 0, LATE, u32(1))],
  'a window that grows beyond any': [
    frame(WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1)),
    frame(WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1)),
  ],
};

const requests = (count: number, method: string, path: string, flags: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) => frame(HEADERS, flags, 2 * index + 1, head(method, path))),
  );

const ONE_BODY = 'a request whose body is under way';

const UNDER_WAY: Readonly<Record<string, Buffer>> = {
  'nothing under way': EMPTY,
  [ONE_BODY]: requests(1, 'POST', '/mute', END_HEADERS),
  'ten requests whose bodies are under way': requests(10, 'POST', '/mute', END_HEADERS),
  'ten requests that wait for the backend': requests(10, 'GET', '/mute', END_HEADERS | END_STREAM),
  'responses that stand still': requests(10, 'GET', '/begun', END_HEADERS | END_STREAM),
  'a response that waits for its window': requests(1, 'GET', '/large', END_HEADERS | END_STREAM),
};

const ENDS = ['closes it', 'resets it', 'says nothing more'] as const;

/** Of those that Node 20 does not hear of, and one that it does. */
const SOME_ERRORS = ['PING of another length', 'fields that are no HPACK', 'a window that grows by nothing'];

interface RawPeer {
  readonly raw: Socket;
  readonly tls: TLSSocket;
}

async function connectH2(port: number): Promise<RawPeer> {
  const raw = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  raw.on('error', () => undefined);
  const tls = await connectTls({ port, socket: raw, servername: NAME, ALPNProtocols: ['h2'] });
  tls.on('error', () => undefined);
  return { raw, tls };
}

const close = ({ raw, tls }: RawPeer): void => {
  tls.destroy();
  raw.destroy();
};

async function until(socket: Socket, isEnough: (bytes: number) => boolean): Promise<void> {
  let bytes = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (isEnough(bytes)) resolve();
    });
  });
}

describe('An HTTP/2 connection that has come to its end', () => {
  let backend: Backend;
  let front: Front;
  const start = (limits: Partial<LimitSettings> = {}): Promise<Front> =>
    startFront({ backends: [backend.url], limits });

  before(async () => {
    backend = await startBackend((incoming, response) => {
      if (incoming.url === '/begun') response.write('begun');
      if (incoming.url === '/large') response.end(Buffer.alloc(64 * MIB));
      if (incoming.url === '/sink') incoming.resume().on('end', () => response.end());
    });
    front = await start();
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });
  const untilNoneIsOpen = (one: Front): Promise<unknown> =>
    eventuallySees(
      'all connections are closed',
      () => one.openPorts,
      (ports) => ports.length === 0,
    );

  describe('by an error of the client', () => {
    interface Case extends RawPeer {
      readonly what: string;
      readonly end: (typeof ENDS)[number];
      readonly during: string;
      readonly port: number;
    }
    const cases: Case[] = [];
    let left: readonly Case[] = [];

    async function open(during: string, what: string, end: Case['end']): Promise<void> {
      const peer = await connectH2(front.port);
      peer.tls.resume();
      peer.tls.write(Buffer.concat([GREETING, UNDER_WAY[during] ?? EMPTY]));
      cases.push({ ...peer, what, end, during, port: peer.raw.localPort ?? 0 });
    }

    before(async () => {
      for (const what of Object.keys(CONNECTION_ERRORS)) await open(ONE_BODY, what, 'closes it');
      for (const during of Object.keys(UNDER_WAY)) {
        for (const what of SOME_ERRORS) for (const end of ENDS) await open(during, what, end);
      }
      const asked = SOME_ERRORS.length * ENDS.length * (10 + 10 + 1);
      await eventually('the backend has all requests without a body', () => backend.requests.length >= asked);
      for (const { tls, raw, what, end } of cases) {
        tls.write(Buffer.concat(CONNECTION_ERRORS[what] ?? []), () => {
          if (end === 'closes it') tls.end();
          if (end === 'resets it') raw.resetAndDestroy();
        });
      }
      // The tests below tell of those that are left.
      await untilNoneIsOpen(front).catch(() => undefined);
      const ports = new Set(front.openPorts);
      left = cases.filter(({ port }) => ports.has(port));
    });
    after(() => cases.forEach(close));

    for (const during of Object.keys(UNDER_WAY)) {
      it(`with ${during}, is closed, whether the client closes it or not`, () => {
        const here = left.filter((one) => one.during === during);
        expect(here.map(({ what, end }) => `${what}; the client ${end}`)).to.deep.equal([]);
      });
    }
  });

  it('by an error of the client in a drain is closed', async () => {
    await using draining = await start();
    const peer = await connectH2(draining.port);
    peer.tls.resume();
    peer.tls.write(Buffer.concat([GREETING, requests(1, 'POST', '/mute', END_HEADERS)]));
    await until(peer.tls, (bytes) => bytes >= 2 * 9);
    draining.frontend.drain(0);
    peer.tls.write(Buffer.concat(CONNECTION_ERRORS['PING of another length'] ?? []));
    await untilNoneIsOpen(draining);
    close(peer);
  });

  it('by a reset in the middle of an upload is closed', async () => {
    const uploads = Array.from({ length: 20 }, async (_, index) => {
      const { raw, tls } = await connectH2(front.port);
      tls.resume().write(Buffer.concat([GREETING, requests(1, 'POST', '/sink', END_HEADERS)]));
      for (let i = 0; i < 60; i++) tls.write(frame(DATA, 0, 1, Buffer.alloc(16_384)));
      await eventually('some of it is out', () => raw.bytesWritten > 150_000 * (1 + (index % 5)));
      raw.resetAndDestroy();
      tls.destroy();
    });
    await Promise.all(uploads);
    await untilNoneIsOpen(front);
  });

  it('by our own close, for it was idle, is closed also where the client does not answer', async () => {
    await using other = await start({ idleTimeoutMs: 1_000 });
    // It reads nothing: neither the GOAWAY nor the end.
    const peer = await connectH2(other.port);
    peer.tls.write(GREETING);
    await eventually('it is open', () => other.openPorts.length === 1);
    await untilNoneIsOpen(other);
    close(peer);
  });

  it('by a client that takes nothing more is closed, however much it has asked for', async () => {
    await using other = await start({ bodyTimeoutMs: 500, idleTimeoutMs: 1_000 });
    const peers = await Promise.all([1, 2].map(() => connectH2(other.port)));
    await eventually('both are open', () => other.openPorts.length === 2);
    for (const { tls } of peers) {
      tls.write(Buffer.concat([GREETING, WIDE, requests(1, 'GET', '/large', END_HEADERS | END_STREAM)]));
    }
    peers[0]?.tls.end();
    await untilNoneIsOpen(other);
    peers.forEach(close);
  });

  it('by a backend that never closes what we have closed, is closed', async () => {
    const sockets: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(frame(SETTINGS, 0, 0, EMPTY));
      // `:status: 204` of HPACK's static table.
      socket.once('data', () =>
        socket.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from([0x89]))),
      );
      socket.resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using other = await startFront({ backends: [`h2+http://127.0.0.1:${port}`] });
    using client = await H2Client.connect(other.port, NAME);
    expect(await client.request()).to.include({ status: 204 });
    other.configure({ backends: [backend.url] });
    await eventually('its end is refused', () => {
      // Once our side is closed, and not only its half, this is answered with a reset.
      if (sockets[0]?.readableEnded === true) sockets[0].write('x');
      return sockets[0]?.destroyed === true;
    });
    server.close();
  });

  it('leaves no descriptor in its worker', async () => {
    await using program = await startProgram(['--backend', backend.url]);
    const [worker = 0] = await program.workerPids();
    const before = await countSockets(worker);
    const peers: RawPeer[] = [];
    for (let i = 0; i < 20; i++) {
      const peer = await connectH2(program.port);
      const post = frame(HEADERS, END_HEADERS, 1, head('POST', '/mute', 'a.localhost'));
      peer.tls.resume().end(Buffer.concat([GREETING, post, frame(PING, 0, 0, Buffer.alloc(7))]));
      await once(peer.tls, 'finish');
      peers.push(peer);
    }
    await untilSockets(worker, before, 20_000);
    peers.forEach(close);
  });
});
