/**
 * Many cold names at once: each look-up listens to signals that live as long as the program, and Node takes more than ten
 * listeners for a leak ("MaxListenersExceededWarning") unless it is told.
 */
import { expect } from 'chai';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CERT_PREFERENCES, INTERNAL_CA_ALLOW } from '../../../lib/config/flags.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { silentLogger } from '../../../lib/log/logger.js';
import { DirectorySource } from '../../../lib/sources/directory/source.js';
import { InternalCaSource } from '../../../lib/sources/internal-ca/source.js';
import { ManagerSource } from '../../../lib/sources/manager/source.js';
import type { CertificateSource } from '../../../lib/sources/source.js';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { startFakeManager } from '../../support/fake-manager.js';
import { openStage } from '../resolver/stage.js';
import { managerAt } from '../../support/servers.js';

const CROWD = Array.from({ length: 40 }, (_, index) => `n${index}.crowd.test` as ServerName);
const { now } = Date;

type Open = (dir: string, defer: (close: () => Promise<void>) => void) => Promise<CertificateSource>;

const SOURCES: Readonly<Record<string, Open>> = {
  directory: async (dir) => {
    const ca = await makeTestCa();
    for (const name of CROWD) await writePair(join(dir, name), await ca.issue([name]));
    return DirectorySource.open({ dir, now, maxKeysChecked: 0 });
  },
  ca: (dir) => InternalCaSource.open({ dir, allow: INTERNAL_CA_ALLOW, now }),
  manager: async (_dir, defer) => {
    const manager = await startFakeManager();
    defer(() => manager.close());
    const settings = { ...managerAt(manager.root), preferences: CERT_PREFERENCES, missRate: 200 };
    return new ManagerSource({ settings, log: silentLogger, now });
  },
};

describe('Forty cold names at once make Node warn of nothing', () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  const closers: (() => Promise<void>)[] = [];
  beforeEach(() => {
    warnings.length = 0;
    process.on('warning', note);
  });
  afterEach(async () => {
    process.off('warning', note);
    for (const close of closers.splice(0).reverse()) await close();
  });

  for (const [name, open] of Object.entries(SOURCES)) {
    it(`in the source ${name}`, async () => {
      const { dir, remove } = await makeTempDir();
      closers.push(remove);
      const source = await open(dir, (close) => closers.push(close));
      closers.push(() => source.close());
      // As the resolver's is.
      const { signal } = new AbortController();
      setMaxListeners(0, signal);
      await Promise.all(CROWD.map((one) => source.lookup(one, { signal })));
      await nextTurn();
      expect(warnings).to.deep.equal([]);
    });
  }

  it('in the resolver, whose sources listen each for itself', async () => {
    const { resolver, sources } = openStage();
    for (const source of sources) {
      source.answer((_name, { signal }) => {
        signal.addEventListener('abort', () => undefined, { once: true });
        return { kind: 'absent' };
      });
    }
    await Promise.all(CROWD.map((name) => resolver.resolve({ name, phase: 'lookup', client: '192.0.2.1' })));
    await nextTurn();
    expect(warnings).to.deep.equal([]);
  });
});
