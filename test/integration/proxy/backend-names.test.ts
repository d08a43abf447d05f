/**
 * Backends that are given by name: what a client gets while the addresses of the name change, or cannot be found.
 */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { expect } from 'chai';
import type { Found } from '../../../lib/net/names/found.js';
import { Names } from '../../../lib/net/names/names.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { ManualTime } from '../../support/manual-time.js';
import { unusedPort } from '../../support/unused-port.js';
import { EchoClient, echoWebSockets } from '../../support/web-socket.js';

const TTL_MS = 5_000;

/** A name whose addresses a test sets; time stands still until the test moves it. */
class Stage {
  readonly time = new ManualTime();
  addresses: readonly string[] = [];
  lookUps: string[] = [];
  readonly names = new Names({
    lookUp: (name): Promise<Found> => {
      this.lookUps.push(name);
      const { addresses } = this;
      if (name.startsWith('hang')) return new Promise(() => undefined);
      if (addresses.length === 0) return Promise.resolve({ kind: 'absent' });
      return Promise.resolve({ kind: 'found', addresses, ttlMs: TTL_MS });
    },
    now: this.time.now,
    startTimer: this.time.startTimer,
    firstTurn: () => 0,
  });

  constructor(...addresses: string[]) {
    this.addresses = addresses;
  }

  /** Sets the addresses, and lets the TTL of the old ones end. */
  async move(...addresses: string[]): Promise<void> {
    this.addresses = addresses;
    await this.time.advance(TTL_MS);
  }
}

const portOf = (url: string): number => Number(new URL(url.replace('h2+', '')).port);

describe('A backend that is given by name', () => {
  it('is reached at its new address as soon as that is known: its idle connection is closed', async () => {
    const stage = new Stage('127.0.0.1');
    await using old = await startBackend((_, response) => response.end('old'));
    keepForLong(old);
    const port = portOf(old.url);
    await using fresh = await startBackend((_, response) => response.end('new'), { host: '127.0.0.2', port });
    await using front = await startFront({ backends: [`http://b.test:${port}`], backendNames: stage.names });
    const ask = async (): Promise<string> => (await request({ port: front.port, name: 'a.test' })).body;
    expect([await ask(), await ask()]).to.deep.equal(['old', 'old']);
    expect([old.connections, stage.lookUps.length]).to.deep.equal([1, 1]);
    await stage.move('127.0.0.2');
    await eventually('the old connection is closed', () => countOf(old).then((count) => count === 0));
    expect([await ask(), await ask()]).to.deep.equal(['new', 'new']);
    expect([fresh.connections, stage.lookUps.length]).to.deep.equal([1, 2]);
  });

  it('finishes what is under way at its old address, on a connection that is not used again', async () => {
    const stage = new Stage('127.0.0.1');
    const waiting: ServerResponse[] = [];
    await using old = await startBackend((_, response) => waiting.push(response));
    keepForLong(old);
    const port = portOf(old.url);
    await using fresh = await startBackend((_, response) => response.end('new'), { host: '127.0.0.2', port });
    await using front = await startFront({ backends: [`http://b.test:${port}`], backendNames: stage.names });
    const underWay = request({ port: front.port, name: 'a.test' });
    await eventually('it is under way', () => waiting.length === 1);
    await stage.move('127.0.0.2');
    expect((await request({ port: front.port, name: 'a.test' })).body).to.equal('new');
    waiting[0]?.end('old');
    expect(await underWay).to.include({ status: 200, body: 'old' });
    await eventually('the old connection is closed', () => countOf(old).then((count) => count === 0));
    expect(fresh.connections).to.equal(1);
  });

  it('on HTTP/2 is the same: a stream ends in peace, new ones go to the new address', async () => {
    const stage = new Stage('127.0.0.1');
    const waiting: ServerHttp2Stream[] = [];
    await using old = await startH2Backend((stream) => waiting.push(stream));
    const port = portOf(old.url);
    await using fresh = await startH2Backend(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('new');
      },
      { host: '127.0.0.2', port },
    );
    await using front = await startFront({
      backends: [`h2+http://b.test:${port}`],
      backendNames: stage.names,
    });
    const underWay = request({ port: front.port, name: 'a.test' });
    await eventually('it is under way', () => waiting.length === 1);
    await stage.move('127.0.0.2');
    expect((await request({ port: front.port, name: 'a.test' })).body).to.equal('new');
    waiting[0]?.respond({ ':status': 200 });
    waiting[0]?.end('old');
    expect(await underWay).to.include({ status: 200, body: 'old' });
    await eventually('the old session is closed', () => old.sessions[0]?.closed === true);
    expect([old.sessions.length, fresh.sessions.length]).to.deep.equal([1, 1]);
  });

  it('keeps its connections while its addresses stay, in whatever order they come', async () => {
    const stage = new Stage('127.0.0.1', '127.0.0.2');
    await using first = await startBackend((_, response) => response.end('1'));
    const port = portOf(first.url);
    await using second = await startBackend((_, response) => response.end('2'), { host: '127.0.0.2', port });
    await using front = await startFront({ backends: [`http://b.test:${port}`], backendNames: stage.names });
    const { body } = await request({ port: front.port, name: 'a.test' });
    await stage.move('127.0.0.2', '127.0.0.1');
    expect((await request({ port: front.port, name: 'a.test' })).body).to.equal(body);
    expect(first.connections + second.connections).to.equal(1);
    expect(stage.lookUps).to.have.length(2);
  });

  it('is not looked up any more when it has no connection', async () => {
    const stage = new Stage('127.0.0.1');
    await using backend = await startBackend((_, response) =>
      response.setHeader('Connection', 'close').end('once'),
    );
    await using front = await startFront({
      backends: [`http://b.test:${portOf(backend.url)}`],
      backendNames: stage.names,
    });
    await request({ port: front.port, name: 'a.test' });
    await eventually('nobody follows the name', () => stage.time.delaysMs.length === 0);
    expect(stage.lookUps).to.have.length(1);
  });

  it('is connected at its next address where one refuses, and at each of them in turn', async () => {
    const stage = new Stage('127.0.0.3', '127.0.0.1', '127.0.0.2');
    const once = { Connection: 'close' };
    await using first = await startBackend((_, response) => response.writeHead(200, once).end('1'));
    const port = portOf(first.url);
    await using second = await startBackend((_, response) => response.writeHead(200, once).end('2'), {
      host: '127.0.0.2',
      port,
    });
    await using front = await startFront({ backends: [`http://b.test:${port}`], backendNames: stage.names });
    const bodies: string[] = [];
    for (let i = 0; i < 6; i++) bodies.push((await request({ port: front.port, name: 'a.test' })).body);
    expect(bodies.join('')).to.equal('112112');
    expect(second.connections).to.equal(2);
    expect(stage.lookUps).to.have.length(1);
  });

  for (const scheme of ['http', 'h2+http'] as const) {
    it(`that has no address is a 502 (${scheme}), and the log has the name`, async () => {
      const stage = new Stage();
      await using front = await startFront({
        backends: [`${scheme}://b.test:80`],
        backendNames: stage.names,
      });
      expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(502);
      expect(front.log.find(({ msg }) => msg === 'backend failed')?.fields['error']).to.include(
        'the name b.test cannot be looked up: there is no such name, or it has no address',
      );
    });

    it(`whose look-up hangs is given up with --backend-connect-timeout (${scheme})`, async () => {
      const stage = new Stage();
      await using front = await startFront({
        backends: [`${scheme}://hang.test:80`],
        backendNames: stage.names,
        limits: { backendConnectTimeoutMs: 100 },
      });
      expect((await request({ port: front.port, name: 'a.test' })).status).to.equal(504);
    });

    it(`whose look-up hangs is given up by itself after four seconds (${scheme})`, async () => {
      const stage = new Stage();
      await using front = await startFront({
        backends: [`${scheme}://hang.test:80`],
        backendNames: stage.names,
      });
      const answered = request({ port: front.port, name: 'a.test' });
      await eventually('it is looked up', () => stage.lookUps.length === 1);
      await stage.time.advance(4_000);
      expect((await answered).status).to.equal(502);
      expect(front.log.find(({ msg }) => msg === 'backend failed')?.fields['error']).to.include(
        'the name hang.test cannot be looked up: no answer in time',
      );
    });
  }

  it('is waited for where its name has gone for the time of its restart', async () => {
    const stage = new Stage();
    await using backend = await startBackend((_, response) => response.end('here'));
    await using front = await startFront({
      backends: [`http://b.test:${portOf(backend.url)}`],
      backendNames: stage.names,
      limits: { backendRestartWaitMs: 60_000 },
    });
    const answered = request({ port: front.port, name: 'a.test' });
    await eventually('it is waited for', () => front.log.length > 0);
    expect(front.log[0]?.msg).to.equal('backend refuses connections: waiting for its restart');
    stage.addresses = ['127.0.0.1'];
    await stage.time.advance(1_000);
    expect((await answered).body).to.equal('here');
  });

  it('is left for the next backend of its route where it has no address', async () => {
    const stage = new Stage();
    await using backend = await startBackend((_, response) => response.end('here'));
    await using front = await startFront({
      backends: [`http://b.test:${await unusedPort()}`, backend.url],
      backendNames: stage.names,
    });
    for (let i = 0; i < 2; i++) {
      expect((await request({ port: front.port, name: 'a.test' })).body).to.equal('here');
    }
  });

  it('is looked up for WebSockets likewise', async () => {
    const stage = new Stage('127.0.0.3', '127.0.0.1');
    await using backend = await startBackend();
    echoWebSockets(backend);
    await using front = await startFront({
      backends: [`http://b.test:${portOf(backend.url)}`],
      backendNames: stage.names,
    });
    await using client = await EchoClient.connect(front.port, 'a.test');
    expect(await client.echo('hello')).to.equal('hello');
    expect(stage.lookUps).to.deep.equal(['b.test']);
  });

  it('is looked up for TCP likewise', async () => {
    const stage = new Stage('127.0.0.3', '127.0.0.1');
    await using backend = await startBackend((_, response) => response.end('spliced'));
    await using front = await startFront({
      settings: {
        routes: [{ backends: [{ kind: 'tcp', address: { host: 'b.test', port: portOf(backend.url) } }] }],
      },
      backendNames: stage.names,
    });
    expect((await request({ port: front.port, name: 'a.test' })).body).to.equal('spliced');
    expect(stage.lookUps).to.deep.equal(['b.test']);
  });

  it('that is an address is never looked up', async () => {
    const stage = new Stage();
    await using backend = await startBackend((_, response) => response.end('here'));
    await using front = await startFront({ backends: [backend.url], backendNames: stage.names });
    expect((await request({ port: front.port, name: 'a.test' })).body).to.equal('here');
    expect(stage.lookUps).to.deep.equal([]);
  });
});

/** Makes a backend tell that it leaves idle connections open: only a change of its name ends them within the test. */
function keepForLong({ server }: Backend): void {
  server.keepAliveTimeout = 600_000;
}

/** The connections that are open. */
function countOf({ server }: Backend): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}
