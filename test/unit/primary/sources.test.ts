import { expect } from 'chai';
import { join } from 'node:path';
import { defer } from '../../../lib/base/deferred.js';
import type { Settings } from '../../../lib/config/settings.js';
import { describeError } from '../../../lib/domain/errors.js';
import type { Lookup } from '../../../lib/domain/lookup.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { silentLogger } from '../../../lib/log/logger.js';
import { Sources } from '../../../lib/primary/sources.js';
import { DirectorySource } from '../../../lib/sources/directory/source.js';
import { RedisSource } from '../../../lib/sources/redis/source.js';
import type { CertificateSource, ChangedNames } from '../../../lib/sources/source.js';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { startFakeManager } from '../../support/fake-manager.js';
import { FakeSource, found } from '../../support/fake-source.js';
import { load } from '../config/stage.js';

const NAME = 'a.test' as ServerName;
const NOW_MS = Date.UTC(2026, 0, 1);

/** Nobody listens there: a source is built without an answer. */
const REDIS = { 'redis-strategy': '2', 'redis-url': 'redis://127.0.0.1:1' };

describe('The sources of the primary', () => {
  let dir: string;
  let remove: () => Promise<void>;
  const opened = new Set<CertificateSource>();

  before(async () => {
    ({ dir, remove } = await makeTempDir());
    const ca = await makeTestCa();
    await writePair(join(dir, 'one', NAME), await ca.issue([NAME]));
    await writePair(join(dir, 'two', 'b.test'), await ca.issue(['b.test']));
  });
  afterEach(async () => {
    for (const source of opened) await source.close();
    opened.clear();
  });
  after(async () => {
    await remove();
  });

  /** What was told of changes. */
  const changes: ChangedNames[] = [];
  /** Settings from flags, as an operator gives them. */
  const settings = (flags: Record<string, string | string[]>): Settings => load({ flags }).settings;
  const withDir = (folder: string, flags = {}) => settings({ 'cert-dir': join(dir, folder), ...flags });
  const withManager = (flags = {}) => settings({ 'fallback-server': 'http://127.0.0.1:1/prefix', ...flags });
  const make = (own?: CertificateSource[], log = silentLogger): Sources =>
    new Sources({
      log,
      clock: { now: () => NOW_MS, date: () => NOW_MS },
      onChange: (names) => void changes.push(names),
      observer: { onLookup: () => undefined, onOrder: () => undefined },
      ...(own === undefined ? {} : { own }),
    });
  const build = async (sources: Sources, from: Settings): Promise<readonly CertificateSource[]> => {
    const built = await sources.build(from);
    for (const source of built) opened.add(source);
    return built;
  };
  const namesOf = (list: readonly CertificateSource[]): string[] => list.map(({ name }) => name);
  const look = async (source: CertificateSource | undefined, name: string): Promise<string | undefined> =>
    (await source?.lookup(name as ServerName, { signal: new AbortController().signal }))?.kind;

  it('are those that the settings name, in their order', async () => {
    const all = {
      'cert-dir': join(dir, 'one'),
      ...REDIS,
      'fallback-server': 'http://127.0.0.1:1/prefix',
      'internal-ca': join(dir, 'ca'),
    };
    const sources = make();
    const first = await build(sources, settings(all));
    expect(namesOf(first)).to.deep.equal(['directory', 'redis', 'manager', 'ca']);
    expect(sources.internalCaRootPath).to.equal(join(dir, 'ca', 'root.pem'));
    const turned = await build(
      sources,
      settings({ ...all, sources: ['ca', 'manager', 'redis', 'directory'] }),
    );
    expect(turned, 'the same ones, turned round').to.deep.equal([...first].reverse());
    for (const source of first) expect(turned).to.include(source);
  });

  it("begin with an embedder's own, which no reload changes", async () => {
    const own = new FakeSource('mine', found());
    const sources = make([own]);
    const first = await build(sources, withDir('one'));
    const second = await build(sources, withDir('two'));
    expect(namesOf(first)).to.deep.equal(['mine', 'directory']);
    expect(second[0]).to.equal(first[0]);
    expect(second[1]).to.not.equal(first[1]);
    await look(second[0], NAME);
    expect(own.asked).to.deep.equal([NAME]);
  });

  it("take an embedder's answer that is none for a failure of its source", async () => {
    const own = new FakeSource('mine', () => ({ kind: 'none' }) as unknown as Lookup);
    const [mine] = await build(make([own]), withDir('one'));
    const lookup = await mine?.lookup(NAME, { signal: new AbortController().signal });
    expect(lookup).to.include({ kind: 'unavailable', scope: 'source' });
  });

  it('are as they were when a new one does not open in time, which is closed when it opens after all', async () => {
    const sources = make();
    const [first] = await build(sources, withDir('one'));
    const open = Object.getOwnPropertyDescriptor(DirectorySource, 'open') ?? {};
    const waiting = defer<DirectorySource>();
    DirectorySource.open = () => waiting.promise;
    try {
      const building = sources.build(withDir('two'), { openWithinMs: 20 });
      expect(await building.catch(describeError)).to.equal(
        'the source directory has not opened within 0.02 s: does its file system answer?',
      );
    } finally {
      Object.defineProperty(DirectorySource, 'open', open);
    }
    expect(await build(sources, withDir('one'))).to.deep.equal([first]);
    const isClosed = defer<undefined>();
    const late: Pick<DirectorySource, 'close'> = {
      close: () => {
        isClosed.resolve(undefined);
        return Promise.resolve();
      },
    };
    waiting.resolve(late as DirectorySource);
    await isClosed.promise;
  });

  describe('are kept, with what they remember, when their settings are the same:', () => {
    for (const [name, flags, other] of [
      ['directory', { 'cert-dir': 'one' }, { 'lru-maxitems': '7' }],
      ['redis', { 'redis-strategy': '1', 'redis-url': REDIS['redis-url'] }, { 'lookup-timeout': '3' }],
      ['manager', { 'fallback-server': 'http://127.0.0.1:1/prefix' }, { 'cert-cache-duration': '3' }],
      ['ca', { 'internal-ca': 'ca' }, { workers: '9' }],
    ] as const) {
      it(name, async () => {
        const given = Object.fromEntries(
          Object.entries(flags).map(([flag, value]) => [
            flag,
            /^(one|ca)$/.test(value) ? join(dir, value) : value,
          ]),
        );
        const sources = make();
        const [first] = await build(sources, settings(given));
        const [second] = await build(sources, settings({ ...given, ...other }));
        expect(first?.name).to.equal(name);
        expect(second).to.equal(first);
      });
    }
  });

  describe('are new when their settings have changed:', () => {
    const cases: readonly (readonly [what: string, before: () => Settings, after: () => Settings])[] = [
      ['another directory', () => withDir('one'), () => withDir('two')],
      [
        'another manager',
        () => withManager(),
        () => withManager({ 'fallback-server': 'http://127.0.0.1:2/' }),
      ],
      ['autocert', () => withManager(), () => withManager({ 'enable-autocert': 'true' })],
      ['the rate of the manager', () => withManager(), () => withManager({ 'miss-rate': '3' })],
      [
        'the time that a look-up may wait for its turn',
        () => withManager(),
        () => withManager({ 'lookup-timeout': '3' }),
      ],
      [
        'the style of Redis',
        () => settings({ 'redis-strategy': '1', 'redis-url': REDIS['redis-url'] }),
        () => settings({ 'redis-strategy': '2', 'redis-url': REDIS['redis-url'] }),
      ],
    ];
    for (const [what, before, after] of cases) {
      it(what, async () => {
        const sources = make();
        const [first] = await build(sources, before());
        const [second] = await build(sources, after());
        expect(second?.name).to.equal(first?.name);
        expect(second).to.not.equal(first);
      });
    }

    it('the old one still answers until the caller closes it', async () => {
      const sources = make();
      const [first] = await build(sources, withDir('one'));
      const [second] = await build(sources, withDir('two'));
      expect(await look(first, NAME)).to.equal('found');
      expect(await look(second, NAME)).to.equal('absent');
      expect(await look(second, 'b.test')).to.equal('found');
    });
  });

  it('stay what they were when one cannot be opened, and what was opened beside it is closed', async () => {
    const sources = make();
    const first = await build(sources, withDir('one', { 'internal-ca': join(dir, 'ca') }));
    const failing = withDir('missing', {
      'internal-ca': join(dir, 'ca'),
      ...REDIS,
      sources: ['ca', 'redis', 'directory'],
    });
    const close = Object.getOwnPropertyDescriptor(RedisSource.prototype, 'close')
      ?.value as () => Promise<void>;
    let closed = 0;
    RedisSource.prototype.close = function (this: RedisSource) {
      closed++;
      return close.call(this);
    };
    const outcome = await sources
      .build(failing)
      .then(
        () => 'built',
        (error: unknown) => error,
      )
      .finally(() => (RedisSource.prototype.close = close));
    expect(closed).to.equal(1);
    expect(outcome).to.include({ code: 'ERR_USAGE' });
    expect((outcome as Error).message).to.include(join(dir, 'missing'));
    // Neither the one that was to be kept nor the one that was to be replaced is closed.
    for (const source of first) expect(await look(source, NAME), source.name).to.equal('found');
    expect(await build(sources, withDir('one', { 'internal-ca': join(dir, 'ca') }))).to.deep.equal(first);
    expect(sources.internalCaRootPath).to.equal(join(dir, 'ca', 'root.pem'));
  });

  it('hold off a failed order as they did before a reload that was refused, and as the next one says', async () => {
    const manager = await startFakeManager();
    try {
      const names = ['order-1.test', 'order-2.test'] as const;
      for (const name of names) manager.setBare(name);
      const withHoldOff = (folder: string, seconds: string): Settings =>
        withDir(folder, {
          'fallback-server': manager.root,
          'enable-autocert': 'true',
          'autocert-allow': '*.test',
          'autocert-holdoff': seconds,
          // The manager is built before the directory is found missing.
          sources: ['manager', 'directory'],
        });
      const held: unknown[] = [];
      const err = (_message: string, fields = {}) =>
        void held.push('holdoffMs' in fields && fields.holdoffMs);
      const sources = make([], { ...silentLogger, err });
      const [source] = await build(sources, withHoldOff('one', '900'));
      const refused = await sources.build(withHoldOff('missing', '60')).catch((thrown: unknown) => thrown);
      expect(refused).to.include({ code: 'ERR_USAGE' });
      await look(source, names[0]);
      expect(held).to.deep.equal([900_000]);
      const [next] = await build(sources, withHoldOff('one', '60'));
      await look(next, names[1]);
      expect(held).to.deep.equal([900_000, 60_000]);
      // What the earlier one has held off is held off still.
      await look(next, names[0]);
      expect(held).to.have.length(2);
    } finally {
      await manager.close();
    }
  });

  it('forget a source that the settings no longer name', async () => {
    const sources = make();
    const both = await build(sources, withDir('one', { 'internal-ca': join(dir, 'ca') }));
    expect(namesOf(await build(sources, withDir('one')))).to.deep.equal(['directory']);
    expect(sources.internalCaRootPath).to.equal(undefined);
    const again = await build(sources, withDir('one', { 'internal-ca': join(dir, 'ca') }));
    expect(again[0]).to.equal(both[0]);
    expect(again[1]).to.not.equal(both[1]);
  });

  it('read the directory again when told to', async () => {
    const sources = make();
    const [directory] = await build(sources, withDir('two'));
    expect(await look(directory, 'c.test')).to.equal('absent');
    await writePair(join(dir, 'two', 'c.test'), await (await makeTestCa()).issue(['c.test']));
    await sources.reread();
    expect(await look(directory, 'c.test')).to.equal('found');
  });

  it('are behind a breaker each: a dead one is skipped after a few failures', async () => {
    const dead = new FakeSource('dead', { kind: 'unavailable', reason: 'it is down', scope: 'source' });
    const [guarded] = await build(make([dead]), withDir('one'));
    for (let times = 0; times < 10; times++) expect(await look(guarded, NAME)).to.equal('unavailable');
    expect(dead.asked.length).to.be.greaterThan(0).and.lessThan(10);
  });

  it('pass on what a source says has changed, an embedder’s own and the configured ones', async () => {
    const own = new FakeSource('own');
    const sources = make([own]);
    await build(sources, withDir('one'));
    own.change(['a.test' as ServerName]);
    own.change(undefined);
    expect(changes.slice(-2)).to.deep.equal([['a.test'], undefined]);
  });
});
