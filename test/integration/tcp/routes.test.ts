/**
 * Which connections are spliced, to which backend, and what becomes of those that cannot be.
 */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { startBackend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { connectTls, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { startTcpBackend, type TcpConnection } from '../../support/tcp-backend.js';
import { unusedPort } from '../../support/unused-port.js';

const saying =
  (text: string) =>
  ({ socket }: TcpConnection): void =>
    void socket.end(text);

async function heard(port: number, servername?: string, ALPNProtocols?: string[]): Promise<string> {
  const socket = await connectTls({
    port,
    ...(servername !== undefined && { servername }),
    ...(ALPNProtocols && { ALPNProtocols }),
  });
  socket.on('error', () => undefined);
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
  if (!socket.closed) await once(socket, 'close');
  return text;
}

describe('TCP routes', () => {
  it('are taken by the server name, beside HTTP routes; a client without a name gets the default', async () => {
    await using one = await startTcpBackend(saying('one'));
    await using suffix = await startTcpBackend(saying('suffix'));
    await using rest = await startTcpBackend(saying('rest'));
    await using web = await startBackend((_, response) => response.end('web'));
    await using program = await startProgram([
      ...['--backend', `one.localhost=${one.url}`, '--backend', `*.more.localhost=${suffix.url}`],
      ...['--backend', `web.localhost=${web.url}`, '--backend', rest.url],
    ]);
    const { port } = program;
    expect(await heard(port, 'one.localhost')).to.equal('one');
    expect(await heard(port, 'ONE.localhost.')).to.equal('one');
    expect(await heard(port, 'any.more.localhost')).to.equal('suffix');
    expect(await heard(port, 'other.localhost')).to.equal('rest');
    expect(await heard(port)).to.equal('rest');
    expect((await request({ port, name: 'web.localhost' })).body).to.equal('web');
  });

  it('are not reached by a Host field', async () => {
    await using mail = await startTcpBackend();
    await using web = await startBackend((_, response) => response.end('web'));
    await using program = await startProgram([
      ...['--backend', `mail.localhost=${mail.url}`, '--backend', web.url],
    ]);
    const answer = await request({ port: program.port, headers: { host: 'mail.localhost' } });
    expect(answer.status).to.equal(421);
    expect(mail.connections).to.have.length(0);
    expect(web.requests).to.have.length(0);
  });

  it('accept what the client offers by ALPN, HTTP/2 only where there is nothing else', async () => {
    await using backend = await startTcpBackend(({ socket }) => socket.resume().end());
    await using web = await startBackend();
    await using program = await startProgram([
      ...['--backend', `tcp.localhost=${backend.url}`, '--backend', web.url],
    ]);
    const chosen = async (servername: string, ALPNProtocols?: string[]): Promise<string | false | null> => {
      const socket = await connectTls({
        port: program.port,
        servername,
        ...(ALPNProtocols && { ALPNProtocols }),
      });
      socket.destroy();
      return socket.alpnProtocol;
    };
    expect(await chosen('tcp.localhost')).to.equal(false);
    expect(await chosen('tcp.localhost', ['imap'])).to.equal('imap');
    expect(await chosen('tcp.localhost', ['xmpp-client', 'http/1.1'])).to.equal('xmpp-client');
    expect(await chosen('tcp.localhost', ['h2', 'http/1.1'])).to.equal('http/1.1');
    expect(await chosen('tcp.localhost', ['h2'])).to.equal('h2');
    expect(await chosen('web.localhost', ['http/1.1', 'h2'])).to.equal('h2');
    expect(await chosen('web.localhost', ['http/1.1'])).to.equal('http/1.1');
  });

  it('balance connections, and pass over a backend that refuses', async () => {
    const refusing = await unusedPort();
    await using one = await startTcpBackend();
    await using two = await startTcpBackend();
    await using program = await startProgram(
      [`tcp://127.0.0.1:${refusing}`, one.url, two.url].flatMap((url) => ['--backend', url]),
    );
    const clients = [];
    for (let i = 1; i <= 6; i++) {
      clients.push(await connectTls({ port: program.port, servername: 'a.localhost' }));
      await eventually('it is spliced', () => one.connections.length + two.connections.length === i);
    }
    expect([one.connections.length, two.connections.length]).to.deep.equal([3, 3]);
    await program.logged('backend left out', { backend: `tcp://127.0.0.1:${refusing}` });
    for (const client of clients) client.destroy();
  });

  for (const [how, close] of [
    ['closes', ({ socket }: TcpConnection): void => void socket.end()],
    ['resets', ({ socket }: TcpConnection): void => void socket.resetAndDestroy()],
  ] as const) {
    it(`leave out a backend that takes connections and ${how} them without a word`, async () => {
      await using well = await startTcpBackend(({ socket }) => void socket.write('well'));
      await using mute = await startTcpBackend(close);
      await using program = await startProgram(['--backend', well.url, '--backend', mute.url]);
      const clients = [];
      for (let i = 0; i < 12; i++) {
        const client = await connectTls({ port: program.port, servername: 'a.localhost' });
        clients.push(client.on('error', () => undefined));
        await once(client, client.closed ? 'close' : 'readable').catch(() => undefined);
      }
      await program.logged('backend left out', { backend: mute.url });
      // Three until it is left out, and one after each rest; without that it would get all but the first.
      expect(mute.connections.length).to.be.below(8);
      for (const client of clients) client.destroy();
    });
  }

  it('leave out no backend for clients that go before it has said a word', async () => {
    const closing = ({ socket }: TcpConnection): void => void socket.on('end', () => socket.end());
    await using one = await startTcpBackend(closing);
    await using two = await startTcpBackend(closing);
    await using program = await startProgram(['--backend', one.url, '--backend', two.url]);
    for (let i = 1; i <= 10; i++) {
      const client = await connectTls({ port: program.port, servername: 'a.localhost' });
      const isAll = (): boolean => one.connections.length + two.connections.length === i;
      await eventually('it is spliced', isAll);
      if (i % 2 === 0) client.end();
      else client.destroy();
      const all = [...one.connections, ...two.connections];
      await eventually('it has ended', () => all.every(({ isClosed }) => isClosed));
    }
    expect([one.connections.length, two.connections.length]).to.deep.equal([5, 5]);
    expect(program.log.filter(({ msg }) => msg === 'backend left out')).to.deep.equal([]);
  });

  it('go on asking an only backend that closes connections without a word', async () => {
    await using mute = await startTcpBackend(({ socket }) => void socket.end());
    await using program = await startProgram(['--backend', mute.url]);
    for (let i = 0; i < 6; i++) expect(await heard(program.port, 'a.localhost')).to.equal('');
    expect(mute.connections).to.have.length(6);
  });

  it('close a client whose backends all refuse', async () => {
    const refusing = await unusedPort();
    await using program = await startProgram(['--backend', `tcp://127.0.0.1:${refusing}`]);
    expect(await heard(program.port, 'a.localhost')).to.equal('');
    await program.logged('backend failed', { name: 'a.localhost', level: 'err' });
  });

  it('close a client whose backend is not connected in time', async () => {
    await using backend = await startDeafBackend();
    await using program = await startProgram([
      ...['--backend', `tcp://127.0.0.1:${backend.port}`, '--backend-connect-timeout', '1'],
    ]);
    expect(await heard(program.port, 'a.localhost')).to.equal('');
    const { error } = await program.logged('backend failed', { level: 'err' });
    expect(error).to.equal('no connection after 1000 ms');
  });

  it('serve no client without a certificate of its own, where unknown names are not served', async () => {
    await using backend = await startTcpBackend(saying('secret'));
    const flags = ['--internal-ca', 'ca', '--backend', backend.url];
    await using strict = await startProgram([...flags, '--unknown-name', '421']);
    expect(await heard(strict.port, 'a.localhost')).to.equal('secret');
    expect(await heard(strict.port, 'unknown.example')).to.equal('');
    expect(await heard(strict.port)).to.equal('');
    await using lax = await startProgram(flags);
    expect(await heard(lax.port, 'unknown.example')).to.equal('secret');
  });

  it('change with a reload, and leave the connections that are there alone', async () => {
    await using before = await startTcpBackend(({ socket }) => void socket.pipe(socket));
    await using after = await startTcpBackend(saying('after'));
    const { dir, remove } = await makeTempDir();
    try {
      const config = join(dir, 'config.yaml');
      await writeFile(config, `backend: ${before.url}\n`);
      await using program = await startProgram(['--config', config]);
      const client = await connectTls({ port: program.port, servername: 'a.localhost' });
      client.write('1');
      await once(client, 'data');
      await writeFile(config, `backend: ${after.url}\n`);
      await program.reload();
      expect(await heard(program.port, 'a.localhost')).to.equal('after');
      client.write('2');
      const [echo] = (await once(client, 'data')) as [Buffer];
      expect(echo.toString()).to.equal('2');
      client.destroy();
    } finally {
      await remove();
    }
  });
});

/** A process that is stopped, with its queue of connections full: the kernel answers no further one. */
async function startDeafBackend(): Promise<AsyncDisposable & { readonly port: number }> {
  const code = `const server = require('node:net').createServer().listen(
    { port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: 4 }, () => connectTcp(port, '127.0.0.1').on('error', () => undefined));
  await eventually('its queue is full', () => fillers.filter(({ connecting }) => !connecting).length >= 2);
  return {
    port,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      for (const filler of fillers) filler.destroy();
      await exited;
    },
  };
}
