import type { ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger } from '../../../../lib/log/logger.js';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import { ManagerSource } from '../../../../lib/sources/manager/source.js';
import { startFakeManager, type FakeManager } from '../../../support/fake-manager.js';
import { describeSourceContract, type SourceHarness } from '../../../support/source-contract.js';
import { managerAt } from '../../../support/servers.js';

interface Harness extends SourceHarness {
  readonly manager: FakeManager;
}

const NAMES = ['rsa1.example.com', 'nobody.example.com', 'check.peter-sslers-proxy.invalid'];
const VARIANTS = [
  { version: '0.4.0', isOrdering: false },
  { version: '0.5.0', isOrdering: false },
  { version: '1.0', isOrdering: false },
  { version: '1.0', isOrdering: true },
] as const;

for (const { version, isOrdering } of VARIANTS) {
  describeSourceContract<Harness>(
    `the manager ${version}${isOrdering ? ' with autocert for other names' : ''}`,
    async () => {
      const manager = await startFakeManager({ version, credentials: 'proxy:hunter2' });
      return {
        manager,
        source: new ManagerSource({
          settings: {
            ...managerAt(manager.root),
            credentials: 'proxy:hunter2',
            preferences: CERT_PREFERENCES,
            missRate: 200,
            ...(isOrdering && {
              // Not the suite's names: an order answers `pending` to whoever else asks.
              autocert: { allow: ['*.ordered.test'], holdoffMs: 900_000, concurrency: 2, timeoutMs: 30_000 },
            }),
          },
          log: silentLogger,
          now: Date.now,
          timeouts: { connectMs: 500, headersMs: 500, bodyMs: 500 },
        }),
        nameWithCertificate: 'rsa1.example.com',
        nameAbsent: 'nobody.example.com',
        // The recorded certificates are valid for ten years from the end of 2026.
        nowMs: Date.UTC(2027, 0, 1),
        secrets: ['hunter2', Buffer.from('proxy:hunter2').toString('base64')],
        stop: () => manager.close(),
      };
    },
    {
      provide: ({ manager }, name: ServerName, pair) => {
        manager.setCertificate(name, pair);
        return Promise.resolve();
      },
      breakSource: ({ manager }) => manager.close(),
      stallSource: ({ manager }) => {
        for (const name of NAMES) manager.answer('GET', name, { hang: true });
        return Promise.resolve();
      },
    },
  );
}
