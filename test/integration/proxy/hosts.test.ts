/**
 * Whom a request is for, from the client's bytes to the backend: one reading for the certificate, the route, the log and the
 * backend, and nothing that has two.
 */
import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerSettings } from '../../../lib/config/worker-settings.js';
import { makeTempDir } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';
import { H2Client } from '../../support/h2-client.js';
import { startH2Backend } from '../../support/h2-backend.js';
import { FINE_HOSTS, HOSTILE_HOSTS } from '../../support/hosts.js';
import { RawClient } from '../../support/raw-client.js';
import { startRecordingBackend, type RecordingBackend } from '../../support/recording-backend.js';
import { serverAt } from '../../support/servers.js';

describe('The host of a request', () => {
  /** That of `a.test`, and everybody else's. */
  let tenant: RecordingBackend;
  let others: RecordingBackend;
  let front: Front;

  const route = (pattern: string | undefined, origin: string): WorkerSettings['routes'][number] => ({
    ...(pattern !== undefined && { pattern }),
    backends: [serverAt(origin)],
  });
  const arrived = () => [...tenant.requests, ...others.requests];
  const fieldOf = (name: string) => arrived().map(({ fields }) => new Map(fields).get(name));

  before(async () => {
    tenant = await startRecordingBackend();
    others = await startRecordingBackend();
    front = await startFront({
      settings: { routes: [route('a.test', tenant.url), route(undefined, others.url)] },
    });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await tenant[Symbol.asyncDispose]();
    await others[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    tenant.clear();
    others.clear();
  });

  /** Sends a head on a connection of its own; returns the status of the answer, 0 without one. */
  async function ask(name: string | undefined, ...head: readonly string[]): Promise<number> {
    using client = await RawClient.connect(front.port, name);
    client.send([...head, '', ''].join('\r\n'));
    await client.until(
      'an answer is there',
      ({ received, isClosed }) => isClosed || received.includes('\r\n\r\n'),
    );
    return Number(/^HTTP\/1\.1 (\d+)/.exec(client.received)?.[1] ?? 0);
  }

  for (const name of ['a.test', undefined]) {
    describe(`on a connection for ${name ?? 'no name'}`, () => {
      it('is answered 400 where it is no name and no address, in the Host field', async () => {
        const passed: string[] = [];
        for (const [what, host] of HOSTILE_HOSTS) {
          const status = await ask(name, 'GET / HTTP/1.1', `Host: ${host}`);
          if (status !== 400 || arrived().length > 0) passed.push(`${what}: ${status}`);
          tenant.clear();
          others.clear();
        }
        expect(passed, `of ${HOSTILE_HOSTS.length}`).to.deep.equal([]);
      });

      it('is answered 400 where it is no name and no address, in a target in absolute form', async () => {
        const passed: string[] = [];
        // With a path, a query or a fragment behind it a target is fine.
        const hosts = HOSTILE_HOSTS.filter(([, host]) => !/[/?#]/.test(host));
        for (const [what, host] of hosts) {
          const status = await ask(name, `GET https://${host}/ HTTP/1.1`, 'Host: a.test');
          if (status !== 400 || arrived().length > 0) passed.push(`${what}: ${status}`);
          tenant.clear();
          others.clear();
        }
        expect(passed, `of ${hosts.length}`).to.deep.equal([]);
      });
    });
  }

  it('is answered 400 where it is no name and no address, in the authority of HTTP/2', async () => {
    const passed: string[] = [];
    // What is left is refused by HTTP/2 itself.
    const hosts = HOSTILE_HOSTS.filter(([, host]) => !/[\0-\x1f\x7f]/.test(host));
    using client = await H2Client.connect(front.port, 'a.test');
    for (const [what, host] of hosts) {
      const { status } = await client.request({ ':authority': host });
      // The library below answers some by resetting the stream.
      if ((status !== 400 && status !== 0) || arrived().length > 0) passed.push(`${what}: ${status}`);
      tenant.clear();
      others.clear();
    }
    expect(passed, `of ${hosts.length}`).to.deep.equal([]);
  });

  it('is answered 400 where it is no name and no address, before the admin routes are asked', async () => {
    const passed: string[] = [];
    for (const [what, host] of HOSTILE_HOSTS) {
      const status = await ask(
        undefined,
        'GET /.peter_sslers/nginx/shared_cache/status HTTP/1.1',
        `Host: ${host}`,
      );
      if (status !== 400) passed.push(`${what}: ${status}`);
    }
    expect(passed, `of ${HOSTILE_HOSTS.length}`).to.deep.equal([]);
  });

  it('arrives as it was read, whatever its spelling', async () => {
    const seen: (readonly [string, string | undefined, string | undefined])[] = [];
    for (const [host] of FINE_HOSTS) {
      expect(await ask(undefined, 'GET / HTTP/1.1', `Host: ${host}`), host).to.equal(200);
      seen.push([host, fieldOf('host')[0], fieldOf('x-forwarded-host')[0]]);
      tenant.clear();
      others.clear();
    }
    expect(seen).to.deep.equal(FINE_HOSTS.map(([host, text]) => [host, text, text]));
  });

  it('takes the same route in every spelling, on one connection', async () => {
    using client = await RawClient.connect(front.port, 'a.test');
    for (const host of ['a.test', 'A.TEST', 'a.test.', 'a.test:443', 'a.test', 'b.test', 'a.test'])
      client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await client.until('all is answered', ({ received }) => received.split('HTTP/1.1 200').length === 8);
    expect(tenant.requests).to.have.length(6);
    expect(others.requests).to.have.length(1);
  });

  it('may be another one that the certificate covers as browsers see it: by whole labels', async () => {
    await using other = await startFront({
      backends: [others.url],
      names: ['a.test', '*.a.test', 'w*.b.test'],
    });
    const statusOf = async (host: string): Promise<number> => {
      using client = await RawClient.connect(other.port, 'a.test');
      client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await client.until('an answer is there', ({ received }) => received.includes('\r\n\r\n'));
      return Number(client.received.slice(9, 12));
    };
    for (const host of ['x.a.test', 'X_y.a.test']) expect(await statusOf(host), host).to.equal(200);
    for (const host of ['web.b.test', 'x.y.a.test', '127.0.0.1'])
      expect(await statusOf(host), host).to.equal(421);
  });

  it('is logged as it was read', async () => {
    const { dir, remove } = await makeTempDir();
    const file = join(dir, 'access.log');
    front.configure({
      settings: {
        routes: [route('a.test', tenant.url), route(undefined, others.url)],
        accessLog: { file, format: 'json' },
      },
    });
    try {
      await ask('a.test', 'GET / HTTP/1.1', 'Host: A.test.:443');
      await ask('a.test', 'GET http://A.TEST/x HTTP/1.1', 'Host: b.test');
      await ask('a.test', 'GET / HTTP/1.0');
      await ask('a.test', 'GET / HTTP/1.1', 'Host: .TEST');
      await ask('a.test', 'GET / HTTP/1.1', 'Host: A.test', 'Connection: Upgrade', 'Upgrade: websocket');
      const lines = async () => (await readFile(file, 'utf8')).trim().split('\n');
      await eventually('all is logged', async () => (await lines()).length === 5);
      const hosts = (await lines()).map((line) => (JSON.parse(line) as { host?: string }).host);
      expect(hosts).to.deep.equal(['a.test:443', 'a.test', 'a.test', '.TEST', 'a.test']);
    } finally {
      front.configure({});
      await remove();
    }
  });

  describe('that is missing', () => {
    it('is the server name of the connection for HTTP/1.0: the route goes by it and the backend is told it', async () => {
      expect(await ask('a.test', 'GET / HTTP/1.0')).to.equal(200);
      expect(tenant.requests).to.have.length(1);
      expect(others.requests).to.have.length(0);
      expect(fieldOf('host')).to.deep.equal(['a.test']);
      expect(fieldOf('x-forwarded-host')).to.deep.equal(['a.test']);
    });

    it('is nobody’s without a server name: the default backend is asked, by its own host', async () => {
      expect(await ask(undefined, 'GET / HTTP/1.0')).to.equal(200);
      expect(tenant.requests).to.have.length(0);
      expect(fieldOf('host')).to.deep.equal([new URL(others.url).host]);
      expect(fieldOf('x-forwarded-host')).to.deep.equal([undefined]);
    });

    it('is the server name for a backend on HTTP/2, and its own host without one', async () => {
      await using backend = await startH2Backend((stream) =>
        stream.respond({ ':status': 200 }, { endStream: true }),
      );
      await using other = await startFront({ backends: [backend.url] });
      for (const name of ['a.test', undefined]) {
        using client = await RawClient.connect(other.port, name);
        client.send('GET / HTTP/1.0\r\n\r\n');
        await client.closed();
      }
      const own = new URL(backend.url.replace('h2+', '')).host;
      expect(backend.requests.map((headers) => headers[':authority'])).to.deep.equal(['a.test', own]);
    });

    it('is not missing where it is there twice', async () => {
      expect(await ask('a.test', 'GET / HTTP/1.0', 'Host: a.test', 'Host: b.test')).to.equal(400);
      expect(await ask(undefined, 'GET / HTTP/1.0', 'Host: a.test', 'host: a.test')).to.equal(400);
      expect(arrived()).to.deep.equal([]);
    });

    it('may not be missing for HTTP/1.1', async () => {
      expect(await ask('a.test', 'GET / HTTP/1.1')).to.equal(400);
    });
  });
});
