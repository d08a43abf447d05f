import { chmod, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { controlClient } from '../../../lib/cli/control-client.js';
import { makeTempDir } from '../../support/certificates.js';

describe('the client of the control socket', () => {
  let dir: string;
  let remove: () => Promise<void>;
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const path = (): string => join(dir, 'control.sock');

  beforeEach(async () => ({ dir, remove } = await makeTempDir()));
  afterEach(async () => {
    await closeAll();
    await remove();
  });

  const closeAll = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  };
  const listen = async (server: Server): Promise<void> => {
    servers.push(server);
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.listen(path());
    await once(server, 'listening');
  };
  const answering = (listener: RequestListener): Promise<void> => listen(createHttpServer(listener));
  const failure = (timeoutMs?: number): Promise<Error> =>
    controlClient(path())('status', {}, timeoutMs).then(
      () => expect.fail('it has answered'),
      (error: unknown) => error as Error,
    );

  it('gives what the program has answered', async () => {
    await answering((request, response) =>
      response.end(JSON.stringify({ was: `${request.method} ${request.url}` })),
    );
    const ask = controlClient(path());
    expect(await ask('expireAll', { hard: true, workers: false })).to.deep.equal({
      was: 'POST /expire/all?hard=1',
    });
    expect(await ask('why', { name: 'a b/ü' })).to.deep.equal({ was: 'GET /why/a%20b%2F%C3%BC' });
  });

  it('says that no program runs, and what to do', async () => {
    const sentence = `no program listens on ${path()}: start one, or name its socket with --control-socket (or its --state-dir)`;
    expect(await failure()).to.include({ code: 'ERR_ENVIRONMENT', message: sentence });
    // One that was killed leaves its socket.
    await writeFile(path(), '');
    expect((await failure()).message).to.equal(sentence);
  });

  it('says that it may not open the socket', async function () {
    if (process.getuid?.() === 0) {
      // Root may open everything: the sentence is made from the code alone.
      expect(await failure()).to.have.property('code', 'ERR_ENVIRONMENT');
      return;
    }
    await answering((_, response) => response.end('{}'));
    await chmod(path(), 0);
    expect((await failure()).message).to.equal(
      `no permission to open ${path()}: run this as the user that the program runs as, or as root`,
    );
  });

  it('says the reason of an error, and quotes what has none', async () => {
    await answering((_, response) => response.writeHead(503).end('{"reason":"it is being stopped"}'));
    expect((await failure()).message).to.equal('the program answered 503: it is being stopped');
    await closeAll();
    await answering((_, response) => response.writeHead(404).end(`not here ${'x'.repeat(1_000)}`));
    expect((await failure()).message).to.match(/^the program answered 404: not here x{291}$/);
  });

  it('does not take another program for ours', async () => {
    await answering((_, response) => response.end('<html>hello'));
    expect(await failure()).to.include({
      code: 'ERR_ENVIRONMENT',
      message: `what listens on ${path()} is another program: its answer is no JSON`,
    });
  });

  it('says so where what answers speaks no HTTP, breaks off, or says nothing', async () => {
    await listen(createServer((socket) => socket.end('SSH-2.0-x\r\n').on('error', () => undefined)));
    expect((await failure()).message).to.match(/^the program on .* gave no answer: /);
    await closeAll();
    await listen(createServer((socket) => socket.destroy()));
    expect((await failure()).message).to.equal(`the program on ${path()} ended before it answered`);
    await closeAll();
    await answering(() => undefined);
    expect((await failure(30)).message).to.equal(
      `the program on ${path()} gave no answer: it has not answered within 0.03 s`,
    );
  });
});
