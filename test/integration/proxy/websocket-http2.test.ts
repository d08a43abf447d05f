/**
 * WebSockets on streams of HTTP/2 (RFC 8441), to backends on HTTP/1.1.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { startBackend, type Backend } from '../../support/backend.js';
import type { Duplex } from 'node:stream';
import { makeTempDir } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front, type FrontOptions } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { DATA, EMPTY, END_STREAM, frame, RST_STREAM, u32 } from '../../support/raw-h2.js';
import { CONNECT, openFrames, Tunnel } from '../../support/h2-tunnel.js';
import { startProgram } from '../../support/program.js';
import { acceptWebSockets, clientFrame, echoWebSockets, serverFrame } from '../../support/web-socket.js';

const { NGHTTP2_CANCEL } = constants;
const MIB = 1024 ** 2;
const TOTAL_BYTES = 60 * MIB;

/** What became of a backend's side. */
interface Side {
  readonly socket: Socket;
  received: Buffer;
  hasEnded: boolean;
  error: string | undefined;
  isClosed: boolean;
}

/** A backend that accepts WebSockets, and does nothing more by itself. */
async function startSides(isRead = true): Promise<Backend & { readonly sides: readonly Side[] }> {
  const backend = await startBackend();
  const sides: Side[] = [];
  acceptWebSockets(backend, (socket) => {
    const side: Side = {
      ...{ socket, received: Buffer.alloc(0), hasEnded: false, error: undefined, isClosed: false },
    };
    socket.allowHalfOpen = true;
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (side.error = code));
    socket.on('end', () => (side.hasEnded = true));
    socket.on('close', () => (side.isClosed = true));
    if (isRead) socket.on('data', (chunk: Buffer) => (side.received = Buffer.concat([side.received, chunk])));
    sides.push(side);
  });
  return Object.assign(backend, { sides });
}

async function stage(
  options: FrontOptions = {},
  isRead = true,
): Promise<AsyncDisposable & { front: Front; client: H2Client; tunnel: Tunnel; side: Side }> {
  const backend = await startSides(isRead);
  const front = await startFront({ backends: [backend.url], ...options });
  const client = await H2Client.connect(front.port, 'a.test');
  const tunnel = await Tunnel.open(client);
  const [side] = backend.sides;
  if (side === undefined) throw new Error('the backend has no connection');
  return {
    ...{ front, client, tunnel, side },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await front[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

describe('A WebSocket on HTTP/2', () => {
  it('is announced, and opened with the fields of either side, and a key of ours', async () => {
    await using backend = await startBackend();
    echoWebSockets(backend);
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    await eventually('it is announced', () => client.session.remoteSettings.enableConnectProtocol === true);
    const stream = client.open(
      { ...CONNECT, 'sec-websocket-protocol': 'chat', 'sec-websocket-key': 'not ours', 'x-a': '1' },
      { isOpen: true },
    );
    const [response] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(response).to.include({ ':status': 200, 'x-backend': '1' });
    expect(response).not.to.have.any.keys('sec-websocket-accept', 'connection', 'upgrade', 'content-length');
    const [request] = backend.requests;
    expect(request).to.include({ method: 'GET', url: '/chat?x=1' });
    expect(request?.headers).to.include({
      ...{ host: 'a.test', 'x-a': '1', connection: 'Upgrade', upgrade: 'websocket' },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-protocol': 'chat', 'x-forwarded-proto': 'https' },
    });
    expect(Buffer.from(String(request?.headers['sec-websocket-key']), 'base64')).to.have.length(16);
    expect(request?.rawHeaders.join('\n')).not.to.include('not ours');
    expect(request?.headers).not.to.have.any.keys('content-length', 'transfer-encoding', ':protocol');
  });

  it('passes messages both ways, beside other requests of its connection, and its close', async () => {
    await using backend = await startBackend((_, response) => response.end('page'));
    echoWebSockets(backend);
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const tunnels = await Promise.all([1, 2, 3].map(() => Tunnel.open(client)));
    const texts = Array.from({ length: 50 }, (_, i) => `message ${i} ${'x'.repeat(i)}`);
    for (const { stream } of tunnels) for (const text of texts) stream.write(clientFrame(text));
    expect((await client.request()).body).to.equal('page');
    const echoes = Buffer.concat(texts.map((text) => serverFrame(text)));
    for (const tunnel of tunnels) await tunnel.until(echoes);
    for (const tunnel of tunnels) {
      tunnel.stream.end(clientFrame('bye', 8));
      expect(await tunnel.closed()).to.equal(0);
      expect(tunnel.received.subarray(echoes.length)).to.deep.equal(serverFrame('bye', 8));
    }
    expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });

  it('passes large amounts both ways as they are', async () => {
    await using at = await stage({}, false);
    at.side.socket.pipe(at.side.socket);
    const bytes = Buffer.alloc(5 * MIB, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
    at.tunnel.stream.end(bytes);
    await at.tunnel.closed();
    expect(at.tunnel.received.equals(bytes)).to.equal(true);
  });

  it('brings the backend what was sent before the 101, after it', async () => {
    let answer: () => void = () => undefined;
    await using backend = await startBackend();
    const received: Buffer[] = [];
    backend.server.prependListener('upgrade', (_, socket: Socket) => {
      const write = socket.write.bind(socket);
      // Holds the 101 back.
      socket.write = ((head: string) => (answer = () => write(head))) as unknown as Socket['write'];
    });
    acceptWebSockets(backend, (socket) => socket.on('data', (chunk: Buffer) => received.push(chunk)));
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open(CONNECT, { isOpen: true });
    const early = Buffer.alloc(300_000, 'early');
    await new Promise<void>((resolve) => stream.write(early, () => resolve()));
    await eventually('the backend is asked', () => backend.requests.length === 1);
    // All of it is there when another stream has been answered.
    expect((await client.request({ ':path': '/other' })).status).to.equal(200);
    expect(received).to.deep.equal([]);
    answer();
    await once(stream, 'response');
    stream.write('late');
    await eventually('all has come', () => Buffer.concat(received).length === early.length + 4);
    expect(Buffer.concat(received).equals(Buffer.concat([early, Buffer.from('late')]))).to.equal(true);
  });

  it('ends each direction by itself', async () => {
    await using first = await stage();
    first.tunnel.stream.end('last words');
    await eventually('the end has passed', () => first.side.hasEnded);
    expect(first.side.received.toString()).to.equal('last words');
    expect(first.tunnel.hasEnded).to.equal(false);
    first.side.socket.end('goodbye');
    expect(await first.tunnel.closed()).to.equal(0);
    expect(first.tunnel.received.toString()).to.equal('goodbye');

    await using second = await stage();
    second.side.socket.end('goodbye');
    await eventually('the end has passed', () => second.tunnel.hasEnded);
    expect(second.side.hasEnded).to.equal(false);
    second.tunnel.stream.end('last words');
    expect(await second.tunnel.closed()).to.equal(0);
    await eventually('it is closed', () => second.side.isClosed);
    expect(second.side.received.toString()).to.equal('last words');
    expect(second.side.error).to.equal(undefined);
  });

  for (const when of ['at first', 'after the backend has ended', 'after it has ended itself'] as const) {
    for (const what of ['resets the stream', 'is gone'] as const) {
      it(`is reset at the backend when the client ${what} (${when})`, async () => {
        await using backend = await startSides();
        await using front = await startFront({ backends: [backend.url] });
        using client = await openFrames(front.port, 'a.test');
        client.send(frame(DATA, 0, 1, Buffer.from('half a mess')));
        await eventually('it has come', () => backend.sides[0]?.received.toString() === 'half a mess');
        const side = backend.sides[0] ?? expect.fail('the backend has no connection');
        if (when === 'after the backend has ended') {
          side.socket.end();
          await eventually('its end has passed', () =>
            client.of(DATA, 1).some(({ flags }) => flags === END_STREAM),
          );
        } else if (when === 'after it has ended itself') {
          client.send(frame(DATA, END_STREAM, 1, EMPTY));
          await eventually('its end has passed', () => side.hasEnded);
        }
        if (what === 'is gone') client[Symbol.dispose]();
        else client.send(frame(RST_STREAM, 0, 1, u32(NGHTTP2_CANCEL)));
        await eventually('the backend knows', () => {
          // Who reads no more hears of a reset when it writes.
          if (side.hasEnded) side.socket.write('more');
          return side.error !== undefined;
        });
        expect(side.error).to.be.oneOf(side.hasEnded ? ['ECONNRESET', 'EPIPE'] : ['ECONNRESET']);
        expect(side.hasEnded).to.equal(when === 'after it has ended itself');
      });
    }
  }

  it('whose backend ends first, and takes slowly what its client sends before its own end, loses nothing', async () => {
    await using at = await stage({}, false);
    const { side, tunnel } = at;
    side.socket.end();
    await eventually('the client knows', () => tunnel.hasEnded);
    let takenBytes = 0;
    side.socket.on('data', ({ length }: Buffer) => {
      takenBytes += length;
      side.socket.pause();
      setTimeout(() => side.socket.resume(), 2);
    });
    tunnel.stream.end(Buffer.alloc(12 * MIB));
    await eventually('it has ended', () => side.hasEnded || side.error !== undefined);
    expect({ error: side.error, takenBytes }).to.deep.equal({ error: undefined, takenBytes: 12 * MIB });
  });

  it('is not cut off for small frames, as many as there are', async () => {
    await using backend = await startSides();
    await using front = await startFront({ backends: [backend.url] });
    using client = await openFrames(front.port, 'a.test');
    const count = 200_000;
    // Longer than a second: what there is to pay for is found once a second.
    for (const round of [1, 2, 3]) {
      client.send(Buffer.alloc(count * 10, frame(DATA, 0, 1, Buffer.from('x'))));
      await eventually('all of it has come', () => backend.sides[0]?.received.length === round * count);
    }
    expect(front.log.filter(({ msg }) => msg === 'HTTP/2 client cut off')).to.deep.equal([]);
  });

  it('is reset at the client when the backend is, and its connection lives on', async () => {
    await using at = await stage();
    at.side.socket.resetAndDestroy();
    expect(await at.tunnel.closed()).to.equal(NGHTTP2_CANCEL);
    expect((await at.client.request()).status).to.equal(200);
  });

  it('that its client resets before the 101 is ended at the backend', async () => {
    await using backend = await startBackend();
    let hasEnded = false;
    backend.server.on('upgrade', (_, socket: Socket) => {
      socket.on('error', () => undefined).resume();
      socket.on('end', () => (hasEnded = true));
      backend.requests.push({ method: 'GET', url: '', rawHeaders: [], headers: {} });
    });
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const stream = client.open(CONNECT, { isOpen: true });
    stream.write('early');
    await eventually('the backend is asked', () => backend.requests.length === 1);
    stream.close(NGHTTP2_CANCEL);
    await eventually('the backend knows', () => hasEnded);
    expect((await client.request()).status).to.equal(200);
    expect(front.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });

  it('makes a fast backend wait for a slow client, and a fast client for a slow backend', async () => {
    const still = async (sent: () => number): Promise<void> =>
      eventually('the fast side is held up', async () => {
        const earlier = sent();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return earlier > 0 && sent() === earlier;
      });
    const block = Buffer.alloc(MIB / 4);
    await using at = await stage({}, false);
    at.side.socket.pause();
    at.tunnel.stream.pause();
    let fromClient = 0;
    let fromBackend = 0;
    const send = (to: Duplex, onSent: () => number): void =>
      void to.write(block, () => {
        if (onSent() < TOTAL_BYTES) send(to, onSent);
      });
    send(at.tunnel.stream, () => (fromClient += block.length));
    send(at.side.socket, () => (fromBackend += block.length));
    // Other requests of the connection are answered meanwhile.
    expect((await at.client.request()).status).to.equal(200);
    await still(() => fromClient + fromBackend);
    expect(fromClient).to.be.below(TOTAL_BYTES / 3);
    expect(fromBackend).to.be.below(TOTAL_BYTES / 3);
    // And then all of it comes.
    const taken = { atBackend: 0, atClient: 0 };
    at.side.socket.on('data', (chunk: Buffer) => (taken.atBackend += chunk.length)).resume();
    at.tunnel.stream.removeAllListeners('data');
    at.tunnel.stream.on('data', (chunk: Buffer) => (taken.atClient += chunk.length)).resume();
    await eventually('all of it has come', () => Math.min(taken.atBackend, taken.atClient) === TOTAL_BYTES);
  });

  it('on which nothing passes for a while is closed, and its connection lives on', async () => {
    await using at = await stage({ limits: { tcpIdleTimeoutMs: 200 } });
    expect(await at.tunnel.closed()).to.equal(NGHTTP2_CANCEL);
    await eventually('the backend knows', () => at.side.isClosed || at.side.hasEnded);
    expect((await at.client.request()).status).to.equal(200);
  });

  it('lives on in a drain and through reloads; its connection ends when it does', async () => {
    await using backend = await startBackend();
    echoWebSockets(backend);
    await using front = await startFront({ backends: [backend.url] });
    using client = await H2Client.connect(front.port, 'a.test');
    const tunnel = await Tunnel.open(client);
    front.configure({ backends: [] });
    let isGoing = false;
    client.session.on('goaway', () => (isGoing = true));
    front.frontend.drain(0);
    await eventually('the client is told', () => isGoing);
    tunnel.stream.write(clientFrame('still here'));
    await tunnel.until(serverFrame('still here'));
    const closed = once(client.session, 'close');
    tunnel.stream.end(clientFrame('', 8));
    expect(await tunnel.closed()).to.equal(0);
    await closed;
  });

  it('is cut by the end of the program’s patience: reset on both sides', async () => {
    await using at = await stage();
    at.front.frontend.splices.cut();
    expect(await at.tunnel.closed()).to.equal(NGHTTP2_CANCEL);
    await eventually('the backend knows', () => at.side.error === 'ECONNRESET');
  });

  it('has one line in the access log, when it has ended', async () => {
    const { dir, remove } = await makeTempDir();
    await using backend = await startBackend();
    echoWebSockets(backend);
    const file = join(dir, 'access.log');
    const flags = ['--backend', backend.url, '--access-log', file, '--access-log-format', 'json'];
    await using program = await startProgram(flags);
    using client = await H2Client.connect(program.port, 'a.test');
    const tunnel = await Tunnel.open(client);
    tunnel.stream.write(clientFrame('hello'));
    await tunnel.until(serverFrame('hello'));
    await client.request({ ':path': '/other' });
    const lines = (): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);
    await eventually('there is one line', () => lines().length === 1);
    tunnel.stream.end(clientFrame('', 8));
    await tunnel.closed();
    await eventually('there are two lines', () => lines().length === 2);
    const line = JSON.parse(lines()[1] ?? '') as Record<string, unknown>;
    expect(line).to.include({ method: 'GET', target: '/chat?x=1', protocol: 'HTTP/2.0', status: 200 });
    expect(line['bytes']).to.equal(serverFrame('hello').length + serverFrame('', 8).length);
    expect(line).not.to.have.property('cut');
    await remove();
  });
});
