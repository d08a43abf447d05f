import { expect } from 'chai';
import { createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { ManagerSettings } from '../../../../lib/config/settings.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger } from '../../../../lib/log/logger.js';
import type { ManagerTimeouts } from '../../../../lib/sources/manager/client.js';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import { ManagerSource } from '../../../../lib/sources/manager/source.js';
import { startFakeManager, type FakeManager, type Script } from '../../../support/fake-manager.js';
import { managerAt } from '../../../support/servers.js';

const FRESH = 'fresh.example.com' as ServerName;
const NOBODY = 'nobody.example.com' as ServerName;
const PAIR = {
  chainPem: '-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n',
  keyPem: '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n',
};

describe('ManagerSource', () => {
  let manager: FakeManager;
  let sources: ManagerSource[] = [];
  const connect = (
    { root = manager.root, ...settings }: Partial<ManagerSettings> = {},
    timeouts: Partial<ManagerTimeouts> = {},
  ) => {
    const source = new ManagerSource({
      settings: { ...managerAt(root), preferences: CERT_PREFERENCES, missRate: 200, ...settings },
      log: silentLogger,
      now: Date.now,
      timeouts,
    });
    sources.push(source);
    return source;
  };
  const look = (source: ManagerSource, name: string = FRESH, signal = new AbortController().signal) =>
    source.lookup(name as ServerName, { signal });
  const reasonOf = (lookup: Lookup) => ('reason' in lookup ? lookup.reason : lookup.kind);

  beforeEach(async () => {
    manager = await startFakeManager();
  });
  afterEach(async () => {
    await Promise.all(sources.map((source) => source.close()));
    sources = [];
    await manager.close();
  });

  it('finds the certificate of a name, asking as the manager wants to be asked', async () => {
    const lookup = await look(connect());
    expect(lookup.kind === 'found' && lookup.candidates[0]?.[0]?.keyPem).to.include('BEGIN EC PRIVATE KEY');
    const [request] = manager.requests;
    expect([request?.method, request?.url]).to.deep.equal([
      'GET',
      '/.well-known/peter_sslers/domain/fresh.example.com/config.json?openresty=1',
    ]);
    expect(request?.headers).to.include({
      accept: 'application/json',
      'user-agent': 'peter-sslers-proxy/0.5.0',
    });
    expect(request?.headers).to.not.have.property('authorization');
  });

  const answers: [string, string, Lookup['kind']][] = [
    ['an unknown name is absent', NOBODY, 'absent'],
    ['a known name without a certificate is absent', 'bare.example.com', 'absent'],
    ['a name with two certificates is found', 'both.example.com', 'found'],
    ['an expired certificate is found: judging it is not the source’s part', 'expired.example.com', 'found'],
    ['a wildcard is asked for literally', '*.wild.example.com', 'found'],
    ['a number, which would be read as a database id, is refused by the answer’s domain', '3', 'unavailable'],
  ];
  for (const [title, name, kind] of answers) {
    it(title, async () => expect((await look(connect(), name)).kind).to.equal(kind));
  }

  it('uses the preferences of the settings', async () => {
    const lookup = await look(connect({ preferences: ['certificate_signed__latest_single'] }));
    expect(reasonOf(lookup)).to.include('keys seen: x509_certificate__latest_single');
  });

  it('escapes what a name might smuggle into the path', async () => {
    await look(connect(), 'a/../../b?x=1#y');
    expect(manager.requests[0]?.url).to.equal(
      '/.well-known/peter_sslers/domain/a%2F..%2F..%2Fb%3Fx%3D1%23y/config.json?openresty=1',
    );
  });

  it('sends the credentials, and says when they are wrong', async () => {
    const guarded = await startFakeManager({ credentials: 'proxy:pässwörd:x' });
    try {
      const right = connect({ root: guarded.root, credentials: 'proxy:pässwörd:x' });
      expect((await look(right)).kind).to.equal('found');
      const wrong = connect({ root: guarded.root, credentials: 'proxy:hunter2' });
      const lookup = await look(wrong);
      expect(lookup).to.deep.include({ kind: 'unavailable', scope: 'source' });
      expect(reasonOf(lookup))
        .to.match(/401.*credentials/)
        .and.not.include('hunter2');
    } finally {
      await guarded.close();
    }
  });

  describe('what goes wrong on the way is unavailable, and of the source', () => {
    const LARGE = 10 * 1_048_576;
    const cases: [string, Script, RegExp][] = [
      ['an answer that never comes', { hang: true }, /did not answer in time/],
      ['a connection closed without an answer', { closeWithoutAnswer: true }, /closed the connection/],
      ['an answer cut off', { body: '{"Domain":{"id":"1"}}', truncateAt: 8 }, /closed the connection/],
      ['an answer that drips', { body: ' '.repeat(1000), dripEveryMs: 20 }, /in time/],
      ['an answer of 10 MiB', { hugeBytes: LARGE }, /larger than 1 MiB/],
      ['a redirect', { redirect: '/elsewhere' }, /302/],
      ['503', { status: 503, headers: { 'Content-Type': 'text/html' }, body: 'busy' }, /503/],
      ['HTML under 200', { headers: { 'Content-Type': 'text/html' }, body: '<html>' }, /text\/html/],
      ['headers without end', { headers: { 'X-Long': 'x'.repeat(100_000) } }, /headers of its answer/],
    ];
    for (const [what, script, reason] of cases) {
      it(what, async () => {
        manager.answer('GET', FRESH, script);
        const source = connect({}, { connectMs: 100, headersMs: 100, bodyMs: 100 });
        const lookup = await look(source);
        expect(lookup).to.deep.include({ kind: 'unavailable', scope: 'source' });
        expect(reasonOf(lookup)).to.match(reason);
        expect(manager.requests).to.have.length(1);
      });
    }

    it('nothing listening', async () => {
      const { root } = manager;
      await manager.close();
      const source = connect({ root });
      expect(reasonOf(await look(source))).to.include('refuses the connection');
      manager = await startFakeManager();
    });

    it('something that speaks no HTTP', async () => {
      const server = createServer((socket) => socket.resume().end('220 mail.example.com ESMTP\r\n'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      expect(reasonOf(await look(connect({ root: `http://127.0.0.1:${port}` })))).to.include(
        'does not speak HTTP',
      );
      await new Promise((resolve) => server.close(resolve));
    });
  });

  it('cuts the connection of an answer that is too large', async () => {
    manager.answer('GET', FRESH, { hugeBytes: 64 * 1_048_576 });
    await look(connect());
    await manager.disconnected();
  });

  it('is back at once when the manager is', async () => {
    manager.answer('GET', FRESH, { closeWithoutAnswer: true, times: 1 });
    const source = connect();
    expect((await look(source)).kind).to.equal('unavailable');
    expect((await look(source)).kind).to.equal('found');
  });

  describe('connections', () => {
    it('are kept and used again', async () => {
      const source = connect();
      for (const name of [FRESH, NOBODY, FRESH, 'bare.example.com']) {
        await look(source, name);
        await nextTurn();
      }
      expect([manager.requests.length, manager.connections]).to.deep.equal([4, 1]);
    });

    it('are three at most, however many names are asked for', async () => {
      let release: () => void = () => undefined;
      const until = new Promise<void>((resolve) => (release = resolve));
      const names = Array.from({ length: 12 }, (_, index) => `n${index}.example.com`);
      for (const name of names) manager.answer('GET', name, { status: 503, until });
      const source = connect();
      const lookups = names.map((name, index) => {
        const { signal } = new AbortController();
        return source.lookup(name as ServerName, { signal, client: `192.0.2.${index}` });
      });
      await manager.received(3);
      expect(manager.requests).to.have.length(3);
      release();
      await Promise.all(lookups);
      expect([manager.requests.length, manager.connections <= 3]).to.deep.equal([12, true]);
    });

    it('one that was kept alive and is closed under a request is tried again, once', async () => {
      const source = connect();
      await look(source);
      await nextTurn();
      manager.answer('GET', NOBODY, { closeWithoutAnswer: true, times: 1 });
      expect((await look(source, NOBODY)).kind).to.equal('absent');
      expect(manager.requestsFor('GET', NOBODY)).to.have.length(2);
    });

    it('a manager that closes every time is not asked for ever', async () => {
      const source = connect();
      await look(source);
      await nextTurn();
      manager.answer('GET', NOBODY, { closeWithoutAnswer: true });
      expect((await look(source, NOBODY)).kind).to.equal('unavailable');
      expect(manager.requestsFor('GET', NOBODY)).to.have.length(2);
    });
  });

  it('a look-up settles when its signal aborts, and its request is given up', async () => {
    manager.answer('GET', FRESH, { hang: true });
    const source = connect();
    const controller = new AbortController();
    const lookup = look(source, FRESH, controller.signal);
    await manager.received(1);
    controller.abort();
    expect(await lookup).to.deep.include({ kind: 'unavailable' });
    await manager.abandoned(1);
  });

  it('a signal that has aborted already asks nothing', async () => {
    expect((await look(connect(), FRESH, AbortSignal.abort())).kind).to.equal('unavailable');
    expect(manager.requests).to.have.length(0);
  });

  it('closing ends the look-ups under way, and later ones', async () => {
    manager.answer('GET', FRESH, { hang: true });
    const source = connect();
    const lookup = look(source);
    await manager.received(1);
    await source.close();
    expect((await lookup).kind).to.equal('unavailable');
    expect((await look(source)).kind).to.equal('unavailable');
    await manager.disconnected();
  });

  describe('check', () => {
    it('is well with a manager that does not know a name that cannot exist', async () => {
      expect(await connect().check()).to.deep.equal({ ok: true });
      expect(manager.requests[0]?.url).to.include('/domain/check.peter-sslers-proxy.invalid/config.json');
    });

    const fails: [string, () => Partial<ManagerSettings>, RegExp][] = [
      [
        'a wrong prefix',
        () => ({ root: manager.root.replace('peter_sslers', 'admin') }),
        /prefix .* probably wrong/,
      ],
      ['no prefix', () => ({ root: new URL(manager.root).origin }), /prefix .* probably wrong/],
    ];
    for (const [what, settings, reason] of fails) {
      it(`says ${what} in one sentence`, async () => {
        const result = await connect(settings()).check();
        expect(result.ok ? '' : result.reason)
          .to.match(reason)
          .and.include('the manager at http://127.0.0.1:');
      });
    }

    it('gives up within its own time limit', async () => {
      manager.answer('GET', 'check.peter-sslers-proxy.invalid', { hang: true });
      const result = await connect({}, { headersMs: 50 }).check();
      expect(result.ok ? '' : result.reason).to.include('did not answer in time');
    });
  });

  describe('with autocert', () => {
    const autocert = { allow: ['*'], holdoffMs: 900_000, concurrency: 2, timeoutMs: 30_000 };

    it('orders a name that is absent with one post, and finds its certificate', async () => {
      manager.issue(NOBODY, PAIR);
      const lookup = await look(connect({ autocert, credentials: 'a:b' }), NOBODY);
      expect(lookup).to.deep.equal({ kind: 'found', candidates: [[PAIR]] });
      const [request] = manager.requestsFor('POST', NOBODY);
      expect(request).to.deep.include({
        url: '/.well-known/peter_sslers/api/domain/autocert.json?openresty=1',
        body: 'domain_name=nobody.example.com',
      });
      expect(request?.headers).to.include({
        'content-type': 'application/x-www-form-urlencoded',
        authorization: 'Basic YTpi',
      });
    });

    it('a name that has a certificate is never posted', async () => {
      expect((await look(connect({ autocert }), FRESH)).kind).to.equal('found');
      expect(manager.requests).to.have.length(1);
    });

    for (const [what, script] of [
      ['a manager that is down', { closeWithoutAnswer: true }],
      ['503', { status: 503 }],
      ['a wrong prefix', { status: 404, body: { message: '/domain/nobody.example.com' } }],
      ['nonsense', { body: '[]' }],
    ] as [string, Script][]) {
      it(`${what} orders nothing`, async () => {
        manager.answer('GET', NOBODY, script);
        expect((await look(connect({ autocert }), NOBODY)).kind).to.equal('unavailable');
        expect(manager.requestsFor('POST', NOBODY)).to.have.length(0);
      });
    }

    const failures: [string, Script][] = [
      ['a 500', { status: 500, headers: { 'Content-Type': 'text/plain' }, body: 'Internal Server Error' }],
      ['HTML', { headers: { 'Content-Type': 'text/html' }, body: '<html>' }],
      ['the help document', { body: { instructions: 'POST' } }],
      ['an order that hangs', { hang: true }],
      ['an order that is cut off', { body: '{"result":"success"}', truncateAt: 5 }],
      ['a connection closed without an answer', { closeWithoutAnswer: true }],
    ];
    for (const [what, script] of failures) {
      it(`${what} is unavailable, and the name is not posted again`, async () => {
        manager.answer('POST', NOBODY, script);
        const source = connect({ autocert }, { orderMs: 100 });
        expect(await look(source, NOBODY)).to.deep.include({ kind: 'unavailable', scope: 'name' });
        expect((await look(source, NOBODY)).kind).to.equal('absent');
        expect(manager.requestsFor('POST', NOBODY)).to.have.length(1);
      });
    }

    it('an order takes a connection of its own and closes it', async () => {
      manager.issue(NOBODY, PAIR);
      const source = connect({ autocert });
      await look(source, NOBODY);
      expect(manager.requestsFor('POST', NOBODY)[0]?.headers['connection']).to.equal('close');
      await look(source, FRESH);
      expect(manager.connections).to.equal(2);
    });

    it('an order goes on when its starter has gone, and the next look-up finds the certificate', async () => {
      let release: () => void = () => undefined;
      manager.issue(NOBODY, PAIR, new Promise<void>((resolve) => (release = resolve)));
      const source = connect({ autocert });
      const controller = new AbortController();
      const lookup = look(source, NOBODY, controller.signal);
      await manager.received(1, ({ method }) => method === 'POST');
      controller.abort();
      expect((await lookup).kind).to.equal('unavailable');
      expect(source.ordering()).to.deep.equal([NOBODY]);
      expect((await look(source, NOBODY)).kind).to.equal('pending');
      expect(manager.requestsFor('GET', NOBODY)).to.have.length(1);
      release();
      while (source.ordering().length > 0) await nextTurn();
      expect((await look(source, NOBODY)).kind).to.equal('found');
      expect(manager.requestsFor('POST', NOBODY)).to.have.length(1);
    });

    it('the source that replaces it after a reload keeps its hold-offs, until they are forgotten', async () => {
      const before = connect({ autocert });
      await look(before, NOBODY);
      const after = new ManagerSource({
        settings: { ...managerAt(manager.root), preferences: CERT_PREFERENCES, missRate: 200, autocert },
        log: silentLogger,
        now: Date.now,
      });
      sources.push(after);
      after.takeOver(before);
      await look(after, NOBODY);
      expect(manager.requestsFor('POST', NOBODY)).to.have.length(1);
      after.forget(NOBODY);
      await look(after, NOBODY);
      expect(manager.requestsFor('POST', NOBODY)).to.have.length(2);
    });

    it('the ask URL is asked with the name, and its answer is obeyed', async () => {
      const askUrl = `http://127.0.0.1:${manager.port}/may?token=t`;
      const source = connect({ autocert: { ...autocert, askUrl } });
      manager.answer('GET', '/may', { status: 403 });
      expect((await look(source, NOBODY)).kind).to.equal('absent');
      manager.answer('GET', '/may', { status: 302, headers: { Location: '/yes' } });
      expect((await look(source, NOBODY)).kind).to.equal('unavailable');
      expect(manager.requestsFor('POST', NOBODY)).to.have.length(0);
      manager.answer('GET', '/may', { status: 204, headers: { 'Content-Length': '0' }, body: '' });
      manager.issue(NOBODY, PAIR);
      expect((await look(source, NOBODY)).kind).to.equal('found');
      expect(
        manager.requests.filter(({ url }) => url === '/may?token=t&domain=nobody.example.com'),
      ).to.have.length(3);
    });
  });
});
