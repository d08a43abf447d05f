/**
 * TCP mode passes bytes, ends and resets as they are, and holds no more of them than a slow receiver needs.
 */
import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeTempDir } from '../support/certificates.js';
import { connectTls } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startProgram, type Program } from '../support/program.js';
import { RawClient as RawTcp } from '../support/raw-tls.js';
import { startTcpBackend, type TcpConnection } from '../support/tcp-backend.js';

const MIB = 1024 ** 2;

const connect = (program: Program): Promise<TLSSocket> =>
  connectTls({ port: program.port, servername: 'a.localhost', allowHalfOpen: true } as Parameters<
    typeof connectTls
  >[0]);

/** All that comes until the end. (Iterating over a socket would destroy it at its end, and both its halves.) */
async function bytesOf(socket: Socket, onChunk: (chunk: Buffer) => void): Promise<void> {
  socket.on('data', onChunk).resume();
  await once(socket, 'end');
}

async function text(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  await bytesOf(socket, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks).toString('latin1');
}

/** The most memory that the worker has had until now. */
async function peakBytes(program: Program): Promise<number> {
  const [pid] = await program.workerPids();
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

describe('A spliced connection', () => {
  it('passes bytes that are no HTTP, whoever speaks first', async () => {
    await using backend = await startTcpBackend(({ socket }) => {
      socket.write('220 ready\r\n');
      socket.once('data', (chunk: Buffer) => socket.end(`got ${chunk.toString('hex')}`));
    });
    await using program = await startProgram(['--backend', backend.url]);
    const client = await connect(program);
    const [greeting] = (await once(client, 'data')) as [Buffer];
    expect(greeting.toString()).to.equal('220 ready\r\n');
    client.write(Buffer.from([0, 255, 13, 10, 0]));
    expect(await text(client)).to.equal('got 00ff0d0a00');
    client.end();
  });

  it('goes on to the backend after the client has ended, and to the client after the backend has', async () => {
    const seen: TcpConnection[] = [];
    await using backend = await startTcpBackend((connection) => seen.push(connection));
    await using program = await startProgram(['--backend', backend.url]);

    const asking = await connect(program);
    asking.end('all of the question');
    const first = await backend.connection(0);
    await eventually('the backend has the end', () => first.hasEnded);
    expect(first.received.toString()).to.equal('all of the question');
    first.socket.end('a late answer');
    expect(await text(asking)).to.equal('a late answer');

    const listening = await connect(program);
    const second = await backend.connection(1);
    second.socket.end('all is said');
    expect(await text(listening)).to.equal('all is said');
    expect(second.hasEnded).to.equal(false);
    listening.end('one more thing');
    await eventually('the backend has the rest', () => second.hasEnded);
    expect(second.received.toString()).to.equal('one more thing');
    await eventually('both are closed', () => first.isClosed && second.isClosed);
    await program.logged('spliced connection closed', { how: 'ended' }, 2);
  });

  it('passes on an end that comes with the handshake', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram(['--backend', backend.url]);
    for (const [index, maxVersion] of (['TLSv1.2', 'TLSv1.3'] as const).entries()) {
      const client = await connectTls({ port: program.port, servername: 'a.localhost', maxVersion });
      client.end();
      const connection = await backend.connection(index);
      await eventually('the backend has the end', () => connection.hasEnded);
    }
  });

  it('is closed with the backend when the client resets it', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram(['--backend', backend.url]);
    const raw = await RawTcp.connect(program.port);
    raw.socket.removeAllListeners('data');
    const client = await connectTls({ port: program.port, socket: raw.socket, servername: 'a.localhost' });
    client.on('error', () => undefined);
    client.write('half of a message');
    const connection = await backend.connection();
    await eventually('the bytes are there', () => connection.received.length > 0);
    raw.socket.resetAndDestroy();
    await eventually('the backend is closed', () => connection.isClosed);
    expect(connection.error).to.equal('ECONNRESET');
    await program.logged('spliced connection closed', { how: 'client failed' });
  });

  it('is reset when the backend resets it', async () => {
    await using backend = await startTcpBackend(({ socket }) => {
      socket.write('half of an answer');
      socket.once('data', () => socket.resetAndDestroy());
    });
    await using program = await startProgram(['--backend', backend.url]);
    const client = await connect(program);
    const failed = once(client, 'error') as Promise<[NodeJS.ErrnoException]>;
    client.once('data', () => client.write('now'));
    const [error] = await failed;
    expect(error.code).to.equal('ECONNRESET');
    await program.logged('spliced connection closed', { how: 'backend failed' });
  });

  it('is closed when no byte has passed for the time-out, and not before', async () => {
    await using backend = await startTcpBackend(({ socket }) => socket.pipe(socket));
    await using program = await startProgram(['--backend', backend.url, '--tcp-idle-timeout', '0.5']);
    const client = await connect(program);
    client.on('error', () => undefined);
    const startedMs = Date.now();
    for (let i = 0; i < 8; i++) {
      client.write('x');
      await once(client, 'data');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const lastMs = Date.now();
    await once(client.resume(), 'end');
    expect(lastMs - startedMs).to.be.greaterThan(500);
    expect(Date.now() - lastMs).to.be.greaterThan(300);
    const connection = await backend.connection();
    await eventually('the backend is closed', () => connection.isClosed);
    await program.logged('spliced connection closed', { how: 'idle' });
  });

  it('comes to a unix socket', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const backendOptions = { socketPath: join(dir, 'backend.sock') };
      await using backend = await startTcpBackend(
        ({ socket }) => socket.end('from the socket'),
        backendOptions,
      );
      await using program = await startProgram(['--backend', backend.url]);
      const client = await connect(program);
      expect(await text(client)).to.equal('from the socket');
      client.end();
    } finally {
      await remove();
    }
  });

  it('brings 200 MiB whole in both directions at once', async () => {
    const size = 200 * MIB;
    const block = randomBytes(MIB);
    const expected = createHash('sha256');
    for (let i = 0; i < size / MIB; i++) expected.update(block);
    const sum = expected.digest('hex');
    const drain = async (socket: Socket): Promise<string> => {
      const hash = createHash('sha256');
      await bytesOf(socket, (chunk) => hash.update(chunk));
      return hash.digest('hex');
    };
    const fill = async (socket: Socket): Promise<void> => {
      for (let i = 0; i < size / MIB; i++) if (!socket.write(block)) await once(socket, 'drain');
      socket.end();
    };
    const backendSum: Promise<string>[] = [];
    await using backend = await startTcpBackend(
      ({ socket }) => {
        backendSum.push(drain(socket));
        void fill(socket);
      },
      { isSilent: true },
    );
    await using program = await startProgram(['--backend', backend.url]);
    const client = await connect(program);
    const before = await peakBytes(program);
    const [clientSum] = await Promise.all([drain(client), fill(client)]);
    expect(clientSum).to.equal(sum);
    expect(await backendSum[0]).to.equal(sum);
    // What has been read and passed on is garbage for a while.
    expect((await peakBytes(program)) - before).to.be.lessThan(130 * MIB);
  }).timeout(60_000);

  for (const slow of ['client', 'backend'] as const) {
    it(`holds little in memory while the ${slow} does not read, and brings it all when it does`, async () => {
      const size = 200 * MIB;
      const block = randomBytes(MIB);
      await using backend = await startTcpBackend(undefined, { isSilent: true });
      await using program = await startProgram(['--backend', backend.url]);
      const client = await connect(program);
      client.pause();
      const { socket } = await backend.connection();
      const [from, to] = slow === 'client' ? [socket, client] : [client, socket];
      const before = await peakBytes(program);
      let written = 0;
      const fill = (async () => {
        for (; written < size; written += MIB) {
          if (!from.write(block)) await once(from, 'drain');
        }
        from.end();
      })();
      // It stands still when every buffer is full.
      let last = -1;
      await eventually('nothing moves any more', async () => {
        const moved = from.bytesWritten - from.writableLength;
        const stands = moved === last && moved > 0;
        last = moved;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return stands;
      });
      expect(written).to.be.lessThan(40 * MIB);
      expect((await peakBytes(program)) - before).to.be.lessThan(20 * MIB);
      let received = 0;
      await Promise.all([bytesOf(to, (chunk) => (received += chunk.length)), fill]);
      expect(received).to.equal(size);
      // What has been read and passed on is garbage for a while, and Node 26 collects later.
      expect((await peakBytes(program)) - before).to.be.lessThan(130 * MIB);
    }).timeout(60_000);
  }
});
