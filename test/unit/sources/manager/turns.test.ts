import { expect } from 'chai';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger } from '../../../../lib/log/logger.js';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import type { ManagerTimeouts } from '../../../../lib/sources/manager/client.js';
import { ManagerSource } from '../../../../lib/sources/manager/source.js';
import { startFakeManager, type FakeManager } from '../../../support/fake-manager.js';
import { ManualTime } from '../../../support/manual-time.js';
import { managerAt } from '../../../support/servers.js';

const FRESH = 'fresh.example.com';
/** Half of what a question may take. */
const SOON_MS = 5_000;

describe('ManagerSource with more to ask than the manager answers', () => {
  let manager: FakeManager;
  let source: ManagerSource;
  let time: ManualTime;
  const open = (timeouts: Partial<ManagerTimeouts> = {}): ManagerSource =>
    new ManagerSource({
      settings: { ...managerAt(manager.root), preferences: CERT_PREFERENCES, missRate: 200 },
      log: silentLogger,
      now: Date.now,
      maxWaitMs: 2_000,
      timeouts,
      startTimer: time.startTimer,
    });
  const look = (name: string, client: string, isInspection = false): Promise<Lookup> =>
    source.lookup(name as ServerName, { signal: AbortSignal.timeout(60_000), client, isInspection });
  /** Names that the manager does not answer. */
  const hang = (count: number, client: string): Promise<Lookup>[] =>
    Array.from({ length: count }, (_, index) => {
      const name = `hung${index}.${client}.test`;
      manager.answer('GET', name, { hang: true });
      return look(name, client);
    });

  beforeEach(async () => {
    manager = await startFakeManager();
    time = new ManualTime();
    source = open();
  });
  afterEach(async () => {
    await source.close();
    await manager.close();
  });

  it('finds the name of one client while those of another hang', async () => {
    void hang(5, 'a');
    await manager.received(2);
    const started = performance.now();
    expect((await look(FRESH, 'b')).kind).to.equal('found');
    expect(performance.now() - started).to.be.below(SOON_MS);
  });

  it('asks for the name of one client before most of those that another has asked for earlier', async () => {
    const released: (() => void)[] = [];
    const names = Array.from({ length: 10 }, (_, index) => `junk${index}.test`);
    for (const name of names) {
      const until = new Promise<void>((resolve) => released.push(resolve));
      manager.answer('GET', name, { status: 503, until });
    }
    const junk = [...names.slice(0, 2).map((name) => look(name, 'a')), ...hang(1, 'b')];
    await manager.received(3);
    junk.push(...names.slice(2).map((name) => look(name, 'a')));
    const found = look(FRESH, 'b');
    released[0]?.();
    released[1]?.();
    expect((await found).kind).to.equal('found');
    expect(manager.requests.length).to.be.at.most(6);
  });

  it('says pending, and nothing of the manager, of a name that was not asked for within its patience', async () => {
    const [first, second, third] = hang(3, 'a');
    await manager.received(2);
    await time.advance(2_000);
    expect(await third).to.deep.equal({ kind: 'pending', reason: 'the manager is busy with other names' });
    expect(manager.requests).to.have.length(2);
    await source.close();
    expect((await Promise.all([first, second])).map((lookup) => lookup?.kind)).to.deep.equal([
      'unavailable',
      'unavailable',
    ]);
  });

  it('counts the time of a question from when it is sent', async () => {
    await source.close();
    // 600 ms for all of it.
    source = open({ connectMs: 200, headersMs: 300, bodyMs: 100 });
    const started = performance.now();
    const lookups = await Promise.all(hang(4, 'a'));
    expect(performance.now() - started).to.be.above(1_000);
    for (const lookup of lookups) expect(lookup).to.include({ kind: 'unavailable', scope: 'source' });
    expect(manager.requests).to.have.length(4);
  });

  it('answers its check, and a person who asks for a name, while all queries hang', async () => {
    void hang(2, 'a');
    void hang(1, 'b');
    await manager.received(3);
    const started = performance.now();
    expect(await source.check()).to.deep.equal({ ok: true });
    expect((await look(FRESH, 'c', true)).kind).to.equal('found');
    expect(performance.now() - started).to.be.below(SOON_MS);
  });

  it('gives up those who wait when it is closed', async () => {
    const lookups = hang(3, 'a');
    await manager.received(2);
    await source.close();
    expect((await Promise.all(lookups)).map(({ kind }) => kind)).to.deep.equal(
      new Array(3).fill('unavailable'),
    );
  });
});
