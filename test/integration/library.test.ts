/**
 * The library in a program of one's own: what its handle does, and what it refuses.
 */
import { expect } from 'chai';
import type * as Channels from '../../lib/channels/channels.js';
import type { CertificatePair } from '../../lib/index.js';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../support/certificates.js';
import { handshake } from '../support/client.js';
import { said, SAY, startEmbedder } from '../support/embedder.js';
import { fingerprintOf, visit } from '../support/visit.js';

/** A source that has every name of the input, and says when it is asked and closed. */
const SOURCE = `[{
  name: 'mine',
  async lookup(name) {
    say({ asked: name });
    const pair = input[name];
    return pair === undefined ? { kind: 'absent' } : { kind: 'found', candidates: [[pair]] };
  },
  async check() { return { ok: true }; },
  async close() { say('closed'); },
}]`;

describe('The library', () => {
  let ca: TestCa;
  let pair: CertificatePair;
  let renewed: CertificatePair;
  let wildcard: CertificatePair;

  before(async () => {
    ca = await makeTestCa();
    [pair, renewed, wildcard] = await Promise.all([
      ca.issue(['a.test']),
      ca.issue(['a.test']),
      ca.issue(['*.w.test']),
    ]);
  });

  it('sets, gets, lists and counts what all workers share, by names in any spelling', async () => {
    await using program = await startEmbedder(
      { 'cert-cache-duration': 600 },
      `
        say(proxy.cache.stats());
        proxy.cache.set('a.test', [input.pair]);
        proxy.cache.set('*.W.test', [input.wildcard]);
        const { certificate, state } = proxy.cache.get('A.Test.');
        const pairs = certificate.pairs.map(({ chainPem, keyPem }) => ({ chainPem, keyPem }));
        say({ state, pairs, print: certificate.fingerprint, until: certificate.notAfterMs });
        say([...proxy.cache.entries()].map(([name, entry]) => [name, entry.state]));
        const { entries, bytes } = proxy.cache.stats();
        say({ entries, bytes });
        proxy.cache.set('a.test', [input.renewed]);
        say(proxy.cache.get('a.test').certificate.pairs[0].chainPem);
        say(proxy.cache.get('b.test') === undefined);
        say(proxy.status());
      `,
      { pair, renewed, wildcard },
      { before: SAY },
    );
    const [empty, got, entries, stats, replaced, unknown, status] = said(program);
    expect(empty).to.deep.equal({ entries: 0, bytes: 0 });
    expect(got).to.deep.include({ state: 'fresh', pairs: [pair] });
    expect(got)
      .to.have.property('print')
      .that.matches(/^[0-9a-f]{64}$/);
    expect(got).to.have.property('until').that.is.greaterThan(Date.now());
    expect(entries).to.deep.equal([
      ['a.test', 'fresh'],
      ['*.w.test', 'fresh'],
    ]);
    expect(stats).to.have.property('entries', 2);
    expect(stats).to.have.property('bytes').that.is.greaterThan(pair.chainPem.length);
    expect(replaced).to.equal(renewed.chainPem);
    expect(unknown).to.equal(true);
    expect(status).to.deep.equal({ valid: ['a.test', '*.w.test'], invalid: [], autocert: [] });
  });

  it('refuses to cache what must not be served, in one sentence', async () => {
    const ended = await ca.issue(['a.test'], { notAfter: new Date('2025-01-01') });
    await using program = await startEmbedder(
      {},
      `
        say(await failureOf(() => proxy.cache.set('127.0.0.1', [input.pair])));
        say(await failureOf(() => proxy.cache.get('a b')));
        say(await failureOf(() => proxy.cache.set('a.test', [input.ended])));
        say(await failureOf(() => proxy.cache.set('a.test', [])));
        say(await failureOf(() => proxy.cache.set('a.test', [{ ...input.pair, keyPem: input.renewed.keyPem }])));
        say(proxy.cache.stats().entries);
      `,
      { pair, renewed, ended },
      { before: SAY },
    );
    expect(said(program)).to.deep.equal([
      'ERR_USAGE: "127.0.0.1" is no host name',
      'ERR_USAGE: "a b" is no host name',
      'ERR_USAGE: the certificate for a.test is outdated: it expired on 2025-01-01T00:00:00.000Z',
      'ERR_USAGE: the certificate for a.test is unusable: it holds no certificate',
      'ERR_USAGE: the certificate for a.test is unusable: the private key does not belong to the certificate',
      0,
    ]);
  });

  it("asks a source of one's own, expires what came from it, and closes it at the end only", async () => {
    await using program = await startEmbedder(
      { 'expire-workers': true },
      `
        const steps = [
          async () => say(await proxy.expireDomain('A.Test.')),
          async () => { await proxy.reload(); say('reloaded'); },
          async () => { await proxy.stop(); say('stopped'); },
        ];
        process.on('SIGUSR2', () => void steps.shift()());
      `,
      { 'a.test': pair },
      { before: SAY, sources: SOURCE },
    );
    expect(await visit(program, 'a.test')).to.deep.include({
      tier: 'mine',
      fingerprint: fingerprintOf(pair),
    });
    expect(await visit(program, 'a.test')).to.deep.include({ tier: 'lru' });
    expect(await visit(program, 'b.example')).to.deep.include({ tier: 'default' });
    program.kill('SIGUSR2');
    const saysNext = async (count: number) => {
      await program.until(`it has said ${count} things`, () => said(program).length >= count);
      return said(program)[count - 1];
    };
    expect(await saysNext(3)).to.deep.equal({ workers: 1, acknowledged: 1 });
    expect(await visit(program, 'a.test')).to.deep.include({ tier: 'mine' });
    program.kill('SIGUSR2');
    expect(await saysNext(5)).to.equal('reloaded');
    expect(await visit(program, 'a.test')).to.deep.include({ tier: 'cache' });
    program.kill('SIGUSR2');
    // Nothing is left that would keep the program from its end.
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(said(program)).to.deep.equal([
      { asked: 'a.test' },
      { asked: 'b.example' },
      { workers: 1, acknowledged: 1 },
      { asked: 'a.test' },
      'reloaded',
      'closed',
      'stopped',
    ]);
  });

  it('expires all softly, so that what was good can serve on, or hard', async () => {
    await using program = await startEmbedder(
      {},
      `
        proxy.cache.set('a.test', [input.pair]);
        say(await proxy.expireAll());
        say(proxy.cache.get('a.test').state);
        say(proxy.status().valid);
        say(await proxy.expireAll({ hard: true }));
        say(proxy.cache.get('a.test') ?? 'gone');
        say(await failureOf(() => proxy.expireDomain('::1')));
      `,
      { pair },
      { before: SAY },
    );
    expect(said(program)).to.deep.equal([{}, 'retained', [], {}, 'gone', 'ERR_USAGE: "::1" is no host name']);
  });

  it('reads the files that the settings name again, and stays as it was when one is wrong', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const paths = await writePair(dir, pair);
      await using program = await startEmbedder(
        { 'default-cert': paths.chainPath, 'default-key': paths.keyPath },
        `process.on('SIGUSR2', async () => { await proxy.reload(); say('done'); });`,
        {},
        { before: SAY },
      );
      const reload = async (count: number): Promise<string> => {
        program.kill('SIGUSR2');
        await program.until('the reload is done', () => said(program).length === count);
        return (await handshake({ port: program.port })).certificate.fingerprint256;
      };
      expect((await handshake({ port: program.port })).certificate.fingerprint256).to.equal(
        fingerprintOf(pair),
      );
      await writePair(dir, renewed);
      expect(await reload(1)).to.equal(fingerprintOf(renewed));
      await writePair(dir, { ...pair, keyPem: renewed.keyPem });
      expect(await reload(2)).to.equal(fingerprintOf(renewed));
      const line = await program.logged('not reloaded, everything stays as it was');
      expect(line['error']).to.include(paths.chainPath);
    } finally {
      await remove();
    }
  });

  it('refuses what it cannot start with in one sentence, leaves nothing behind, and starts after that', async () => {
    await using other = await startEmbedder({}, '');
    await using program = await startEmbedder(
      {},
      '',
      { port: other.port },
      {
        before: `
          ${SAY}
          process.env.PETER_SSLERS_LRU_MAXITEMS = 'the environment is not read';
          const refused = async (settings) => say(await failureOf(() => start({ settings })));
          await refused({ 'lru-maxitem': 1 });
          await refused({ '--workers': 1 });
          await refused({ workers: 0 });
          await refused({ listen: '127.0.0.1:' + input.port, workers: 1, 'log-level': 'err' });
        `,
      },
    );
    expect(said(program).slice(0, 2)).to.deep.equal([
      'ERR_USAGE: unknown setting "lru-maxitem": did you mean lru-maxitems?',
      'ERR_USAGE: unknown setting "--workers": did you mean workers?',
    ]);
    expect(said(program)[2]).to.match(/^ERR_USAGE: .*workers/);
    expect(said(program)[3]).to.equal(
      `ERR_ENVIRONMENT: --listen 127.0.0.1:${other.port}: the address is in use by another program`,
    );
    expect(said(program)).to.have.length(4);
    expect(await program.workerPids()).to.have.length(1);
    expect((await handshake({ port: program.port })).names).to.equal('default.invalid');
  });

  it('does not start in a cluster worker', async () => {
    await using program = await startEmbedder(
      {},
      '',
      {},
      {
        before: `
        ${SAY}
        if (!cluster.isPrimary) {
          process.send(await failureOf(() => start()), () => process.exit());
          await new Promise(() => {});
        }
        say(await new Promise((resolve) => cluster.fork().once('message', resolve)));
      `,
      },
    );
    expect(said(program)).to.deep.equal(['ERR_ENVIRONMENT: the proxy cannot be started in a cluster worker']);
  });

  it('has the channels in a module of their own, which loads nothing else', async () => {
    // The package by its own name, as its `exports` have it; the types are not built here.
    const module: string = 'peter-sslers-proxy/channels';
    const { channels } = (await import(module)) as typeof Channels;
    expect(Object.values(channels).map(({ name }) => name)).to.include.members([
      'peter-sslers-proxy:handshake',
      'peter-sslers-proxy:source-state',
    ]);
  });
});
