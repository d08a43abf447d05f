/**
 * A route's only backend that is being restarted: whoever asks meanwhile waits for it, for `--backend-restart-wait` at most.
 */
import { expect } from 'chai';
import { startBackend } from '../../support/backend.js';
import { request } from '../../support/client.js';
import { unusedPort } from '../../support/unused-port.js';
import { eventually } from '../../support/eventually.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { startKillableBackend } from '../../support/killable-backend.js';
import { startProgram, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';
import { startTcpBackend } from '../../support/tcp-backend.js';
import { echoWebSockets, EchoClient } from '../../support/web-socket.js';

const NAME = 'a.localhost';
const WAITING = 'backend refuses connections: waiting for its restart';
/** So long that only an answer of the backend ends it. */
const LONG = ['--backend-restart-wait', '60'];

describe('A backend that is not there', () => {
  const start = (url: string, ...flags: string[]): Promise<Program> =>
    startProgram(['--backend', url, ...(flags.length > 0 ? flags : LONG)]);

  it('answers a request, and an upload, that came before it', async () => {
    const port = await unusedPort();
    await using program = await start(`http://127.0.0.1:${port}`);
    const to = { port: program.port, name: NAME };
    const answers = Promise.all([request(to), request({ ...to, method: 'POST', body: 'upload' })]);
    await program.logged(WAITING, { host: NAME }, 2);
    await using backend = await startBackend(
      (incoming, response) => {
        incoming.setEncoding('utf8').on('data', (text: string) => response.write(text));
        incoming.on('end', () => response.end('!'));
      },
      { port },
    );
    expect((await answers).map(({ status, body }) => [status, body])).to.deep.equal([
      [200, '!'],
      [200, 'upload!'],
    ]);
    expect(backend.requests).to.have.length(2);
  });

  it('answers a request that came before it on HTTP/2', async () => {
    const port = await unusedPort();
    await using program = await start(`h2c://127.0.0.1:${port}`);
    const answer = request({ port: program.port, name: NAME });
    await program.logged(WAITING, { host: NAME });
    await using backend = await startH2Backend(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('there');
      },
      { port },
    );
    const { status, body } = await answer;
    expect([status, body]).to.deep.equal([200, 'there']);
    expect(backend.requests).to.have.length(1);
  });

  it('takes a WebSocket that came before it', async () => {
    const port = await unusedPort();
    await using program = await start(`http://127.0.0.1:${port}`);
    const connected = EchoClient.connect(program.port, NAME);
    await program.logged(WAITING);
    await using backend = await startBackend(undefined, { port });
    echoWebSockets(backend);
    await using client = await connected;
    expect(await client.echo('hello')).to.equal('hello');
  });

  it('takes a TCP connection that came before it, and what was sent on it', async () => {
    const port = await unusedPort();
    await using program = await start(`tcp://127.0.0.1:${port}`);
    using client = await RawClient.connect(program.port, NAME);
    client.send('hello');
    await program.logged(WAITING, { name: NAME });
    await using backend = await startTcpBackend(({ socket }) => void socket.pipe(socket), { port });
    await eventually('it is echoed', () => client.received === 'hello');
    expect(backend.connections).to.have.length(1);
  });

  it('is not asked any more once the client has gone', async () => {
    const port = await unusedPort();
    await using program = await start(`http://127.0.0.1:${port}`, ...LONG, '--access-log', '-');
    {
      using client = await RawClient.connect(program.port, NAME);
      client.send(`GET / HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
      await program.logged(WAITING);
    }
    await program.until('its request is over', ({ stdout }) => stdout.includes('"GET / HTTP/1.1"'));
    await using backend = await startTcpBackend(undefined, { port });
    // Longer than the longest time between two questions.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(backend.connections).to.have.length(0);
  });

  it('costs nobody a wait with --backend-restart-wait 0', async () => {
    const port = await unusedPort();
    await using program = await start(`http://127.0.0.1:${port}`, '--backend-restart-wait', '0');
    expect((await request({ port: program.port, name: NAME })).status).to.equal(502);
    expect(program.log.filter(({ msg }) => msg === WAITING)).to.deep.equal([]);
  });

  it('fails no request while it is killed and started again, under load', async () => {
    await using backend = await startKillableBackend();
    await using program = await start(backend.url, '--backend-restart-wait', '10');
    const statuses: number[] = [];
    let isOver = false;
    const ask = async (): Promise<void> => {
      while (!isOver) statuses.push((await request({ port: program.port, name: NAME })).status);
    };
    const clients = Promise.all(Array.from({ length: 8 }, ask));
    for (let restart = 0; restart < 3; restart += 1) {
      await backend.moreRequests(32);
      await backend.kill();
      await backend.start();
    }
    await backend.moreRequests(32);
    isOver = true;
    await clients;
    const failures = program.log.filter(({ msg }) => msg === 'backend failed');
    expect(failures.map(({ error }) => error)).to.deep.equal([]);
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    expect(statuses.length).to.be.above(30);
  });
});
