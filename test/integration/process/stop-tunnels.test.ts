/**
 * WebSockets and spliced connections, which may last for days: reloads leave them alone, and a stop waits for them as for
 * requests, until `--drain-timeout`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { startTcpBackend, type TcpBackend } from '../../support/tcp-backend.js';
import { EchoClient, echoWebSockets } from '../../support/web-socket.js';
import { isAccepting } from '../../support/process-stage.js';

const NAME = 'a.localhost';
const OK = { code: 0, signal: null };
const CUT = 'drain timeout: connections are cut';
const KIB = 1024;
/** Far above what any of it takes: a program that waits for this does not exit at once. */
const FOR_EVER = ['--drain-timeout', '600'];
const SHORT_MS = 1_000;
const SHORT = ['--drain-timeout', String(SHORT_MS / 1000)];

/** Waits until the workers know, too. @returns when the signal was sent, by the clock of `performance` */
async function terminate(program: Program): Promise<number> {
  const sentAtMs = performance.now();
  program.kill('SIGTERM');
  await program.logged('stopping');
  await eventually('it refuses connections', async () => !(await isAccepting(program.port)));
  return sentAtMs;
}

const connect = (program: Program): ReturnType<typeof connectTls> =>
  connectTls({ port: program.port, servername: NAME, allowHalfOpen: true } as Parameters<
    typeof connectTls
  >[0]);

/** What comes until the end. */
async function digestOf(socket: Socket): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  await once(socket, 'end');
  return { bytes, sha256: hash.digest('hex') };
}

describe('A WebSocket, when the program stops', () => {
  let backend: Backend;
  /** Those of the backend's connections that changed their protocol. */
  const sockets: Socket[] = [];

  before(async () => {
    backend = await startBackend();
    echoWebSockets(backend);
    backend.server.on('upgrade', ({ socket }) => void sockets.push(socket));
  });
  after(() => backend[Symbol.asyncDispose]());

  it('lives on, and the program exits as soon as it is closed', async () => {
    await using program = await startProgram(['--backend', backend.url, ...FOR_EVER]);
    await using client = await EchoClient.connect(program.port, NAME);
    await terminate(program);
    for (const text of ['one', 'two', 'x'.repeat(100 * KIB)]) expect(await client.echo(text)).to.equal(text);
    expect(await client.close()).to.equal(1000);
    expect(await program.exited).to.deep.equal(OK);
    expect(program.log.map(({ msg }) => msg)).not.to.include(CUT);
  });

  it('lives on until the drain time-out, and is cut then', async () => {
    await using program = await startProgram(['--backend', backend.url, ...SHORT]);
    await using client = await EchoClient.connect(program.port, NAME);
    const sentAtMs = await terminate(program);
    const closed = new Promise<number>((resolve) => {
      client.socket.addEventListener('close', ({ code }) => resolve(code));
    });
    expect(await client.echo('still here')).to.equal('still here');
    // Abnormal: no close frame has come (RFC 6455 §7.1.5).
    expect(await closed).to.equal(1006);
    expect(performance.now() - sentAtMs).to.be.at.least(SHORT_MS);
    expect(await program.exited).to.deep.equal(OK);
    await program.logged(CUT, { connections: 1 });
    await eventually('the backend knows', () => sockets.every(({ destroyed }) => destroyed));
  });
});

describe('A spliced connection', () => {
  let echo: TcpBackend;

  before(async () => {
    echo = await startTcpBackend(({ socket }) => void socket.pipe(socket), { isSilent: true });
  });
  after(() => echo[Symbol.asyncDispose]());

  it('loses no byte in reloads, whatever comes and goes, and none when the program stops', async () => {
    await using program = await startProgram(['--backend', echo.url, '--workers', '2', ...FOR_EVER]);
    const client = await connect(program);
    const echoed = digestOf(client);
    const sent = createHash('sha256');
    let sentBytes = 0;
    const enough = new AbortController();
    const flow = (async () => {
      while (!enough.signal.aborted) {
        const block = randomBytes(64 * KIB);
        sent.update(block);
        sentBytes += block.length;
        if (!client.write(block)) await once(client, 'drain');
      }
      client.end();
    })();
    const flows = async (): Promise<void> => {
      const before = client.bytesRead;
      await eventually('bytes flow', () => client.bytesRead > before + 1024 * KIB);
    };
    await flows();
    for (let count = 0; count < 5; count++) {
      await program.reload();
      await flows();
    }
    await terminate(program);
    await flows();
    enough.abort();
    await flow;
    expect(await echoed).to.deep.equal({ bytes: sentBytes, sha256: sent.digest('hex') });
    expect(await program.exited).to.deep.equal(OK);
    expect(program.log.map(({ msg }) => msg)).not.to.include(CUT);
  });

  it('brings a slow backend all that its client has sent before it went', async () => {
    const size = 16 * 1024 * KIB;
    await using slow = await startTcpBackend(undefined, { isSilent: true });
    await using program = await startProgram(['--backend', slow.url, ...FOR_EVER]);
    const client = await connect(program);
    client.resume().end(Buffer.alloc(size));
    const connection = await slow.connection();
    const { socket } = connection;
    socket.end();
    // It takes as little as makes the client's last byte go out: then the buffers behind are full.
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      socket.pause();
      setImmediate(() => {
        if (!client.closed) socket.resume();
      });
    });
    socket.resume();
    if (!client.closed) await once(client, 'close');
    await terminate(program);
    expect(received).to.be.below(size);
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    await once(socket.resume(), 'close');
    expect(received).to.equal(size);
    expect(connection).to.include({ hasEnded: true, error: undefined });
    expect(await program.exited).to.deep.equal(OK);
  });

  it('lives on until the drain time-out, and is reset then, on both sides, and told of', async () => {
    await using backend = await startTcpBackend(({ socket }) => socket.write('hello'));
    await using program = await startProgram([
      ...['--backend', backend.url, '--access-log', 'access.log', '--access-log-format', 'json', ...SHORT],
    ]);
    const client = await connect(program);
    const failed = once(client, 'error') as Promise<[NodeJS.ErrnoException]>;
    await once(client, 'data');
    const sentAtMs = await terminate(program);
    client.write('half a message');
    const connection = await backend.connection();
    await eventually('it has passed', () => connection.received.toString() === 'half a message');
    expect((await failed)[0].code).to.equal('ECONNRESET');
    expect(performance.now() - sentAtMs).to.be.at.least(SHORT_MS);
    await eventually('the backend knows', () => connection.isClosed);
    expect(connection).to.include({ hasEnded: false, error: 'ECONNRESET' });
    expect(await program.exited).to.deep.equal(OK);
    await program.logged(CUT, { connections: 1 });
    const line = JSON.parse(readFileSync(join(program.cwd, 'access.log'), 'utf8')) as unknown;
    expect(line).to.include({ end: 'stopped', bytes: 5, received: 14, cut: true });
  });
});
