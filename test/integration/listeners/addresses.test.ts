/**
 * Unix sockets and dual-stack addresses to listen on, and the addresses of clients there.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { startBackend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { connectTls } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { spawnProgram, startProgram } from '../../support/program.js';
import { startTcpBackend } from '../../support/tcp-backend.js';

describe('A listener on a unix socket', () => {
  let dir: string;
  let path: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    path = join(dir, 'tls.sock');
  });

  afterEach(() => remove());

  const ask = async (): Promise<string> => {
    const socket = await connectTls({
      port: 0,
      socket: connectTcp({ path }),
      servername: 'a.localhost',
      ALPNProtocols: ['http/1.1'],
    });
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    socket.write('GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n');
    await once(socket, 'close');
    return text;
  };

  it('serves as any other, with every worker, and is gone after the end', async () => {
    await using backend = await startBackend((_, response) => response.end('hello'));
    await using program = await startProgram([
      ...['--listen', `unix:${path}`, '--backend', backend.url, '--workers', '2'],
    ]);
    expect(JSON.parse(program.stdout)).to.have.deep.property('ready', [`unix:${path}`]);
    expect((await stat(path)).mode & 0o777).to.equal(0o666);
    const workers = await program.workerPids();
    for (const stopped of workers) {
      process.kill(stopped, 'SIGSTOP');
      try {
        expect(await ask()).to.match(/^HTTP\/1\.1 200 .*hello$/s);
      } finally {
        process.kill(stopped, 'SIGCONT');
      }
    }
    program.kill('SIGTERM');
    expect((await program.exited).code).to.equal(0);
    await eventually('the file is gone', () =>
      stat(path).then(
        () => false,
        () => true,
      ),
    );
  });

  it('takes the place of one that a killed program has left, and not of one that is served', async () => {
    const flags = ['--listen', `unix:${path}`];
    await using first = await startProgram(flags);
    await using second = await spawnProgram(flags);
    expect((await second.exited).code).to.equal(1);
    expect(second.stderr).to.include(`--listen unix:${path}: the address is in use by another program`);
    expect(await ask()).to.match(/^HTTP\/1\.1 200/);
    const workers = await first.workerPids();
    first.kill('SIGKILL');
    await first.exited;
    await eventually('its workers are gone', () => workers.every((pid) => !isAlive(pid)));
    await using third = await startProgram(flags);
    expect(await ask()).to.match(/^HTTP\/1\.1 200/);
    expect(third.pid).not.to.equal(first.pid);
  });

  it('tells a backend by the PROXY protocol that there are no addresses', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram([
      ...['--listen', `unix:${path}`, '--backend', backend.url, '--send-proxy-protocol', 'v1'],
    ]);
    const socket = await connectTls({ port: 0, socket: connectTcp({ path }), servername: 'a.localhost' });
    socket.write('x');
    const connection = await backend.connection();
    await eventually('the byte is there', () => connection.received.toString().endsWith('x'));
    expect(connection.received.toString()).to.equal('PROXY UNKNOWN\r\nx');
    socket.destroy();
    expect(program.port).to.equal(0);
  });
});

describe('A listener on [::]', () => {
  it('shows IPv4 clients by their IPv4 address', async () => {
    await using backend = await startTcpBackend();
    await using program = await startProgram([
      ...['--listen', '[::]:0', '--backend', backend.url, '--send-proxy-protocol', 'v1'],
    ]);
    const { port } = program;
    const expected = ['127.0.0.1', '::1'];
    for (const [index, host] of expected.entries()) {
      const client = await connectTls({ host, port, servername: 'a.localhost' });
      const connection = await backend.connection(index);
      await eventually('the header is there', () => connection.received.includes('\n'));
      const family = index === 0 ? 'TCP4' : 'TCP6';
      expect(connection.received.toString()).to.equal(
        `PROXY ${family} ${host} ${host} ${client.localPort} ${port}\r\n`,
      );
      client.destroy();
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
