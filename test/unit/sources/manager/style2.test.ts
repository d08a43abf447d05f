import { expect } from 'chai';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger } from '../../../../lib/log/logger.js';
import { ManagerSource } from '../../../../lib/sources/manager/source.js';
import { startFakeManager, type FakeManager } from '../../../support/fake-manager.js';
import { managerAt } from '../../../support/servers.js';

const FRESH = 'fresh.example.com' as ServerName;

describe('ManagerSource, of what a manager of prime style 2 says of a name without certificate:', () => {
  let manager: FakeManager;
  let source: ManagerSource;
  const look = (name: string = FRESH): Promise<Lookup> =>
    source.lookup(name as ServerName, { signal: new AbortController().signal });

  beforeEach(async () => {
    manager = await startFakeManager();
    source = new ManagerSource({
      settings: { ...managerAt(manager.root), preferences: CERT_PREFERENCES, missRate: 200 },
      log: silentLogger,
      now: Date.now,
    });
  });
  afterEach(async () => {
    await source.close();
    await manager.close();
  });

  it('the ambiguous 500 is unavailable for the name, not for the source', async () => {
    manager.answer('GET', FRESH, {
      status: 500,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: 'Internal Server Error',
    });
    expect(await look()).to.deep.include({ kind: 'unavailable', scope: 'name' });
  });

  it('the ambiguous 500 is absent where the question that does not prime is answered so, and found where it is found', async () => {
    const plain = {
      status: 500,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: 'Error',
      times: 1,
    };
    for (const [name, kind] of [
      ['bare.example.com', 'absent'],
      [FRESH, 'found'],
    ] as const) {
      manager.answer('GET', name, plain);
      expect((await look(name)).kind).to.equal(kind);
      expect(manager.requestsFor('GET', name).map(({ url }) => url.replace(/.*json/, ''))).to.deep.equal([
        '?openresty=1',
        '',
      ]);
    }
  });
});
