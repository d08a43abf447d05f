import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger } from '../../../../lib/log/logger.js';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import { ManagerSource } from '../../../../lib/sources/manager/source.js';
import { startFakeManager, type FakeManager } from '../../../support/fake-manager.js';
import { managerAt } from '../../../support/servers.js';

describe('ManagerSource over TLS', () => {
  let dir: string;
  let manager: FakeManager;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const text = (file: string) => readFileSync(join(dir, file), 'utf8');
  /** An authority of our own, and a certificate under it for 127.0.0.1 only. */
  const mint = () => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=Own CA',
      '-days',
      '2',
    );
    openssl('req', ...key, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=manager');
    writeFileSync(join(dir, 'san.cnf'), 'subjectAltName=IP:127.0.0.1');
    const sign = [
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'san.cnf',
    ];
    openssl('x509', '-req', '-in', 'leaf.csr', '-out', 'leaf.pem', ...sign);
  };
  const withSource = async (
    root: string,
    caPem: string | undefined,
    run: (source: ManagerSource) => Promise<void>,
  ) => {
    const source = new ManagerSource({
      settings: {
        ...managerAt(root),
        preferences: CERT_PREFERENCES,
        missRate: 200,
        ...(caPem !== undefined && { caPem }),
      },
      log: silentLogger,
      now: Date.now,
    });
    try {
      await run(source);
    } finally {
      await source.close();
    }
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'manager-tls-'));
    mint();
    manager = await startFakeManager({ tls: { key: text('leaf.key'), cert: text('leaf.pem') } });
  });
  after(async () => {
    await manager.close();
    rmSync(dir, { recursive: true });
  });

  it('trusts a manager under the authority that it was given', () =>
    withSource(manager.root, text('ca.pem'), async (source) => {
      const { signal } = new AbortController();
      expect((await source.lookup('fresh.example.com' as ServerName, { signal })).kind).to.equal('found');
      expect(await source.check()).to.deep.equal({ ok: true });
    }));

  const failures: [string, (root: string) => string, boolean, RegExp][] = [
    ['an authority that it does not know', (root) => root, false, /not trusted.*--fallback-ca/],
    [
      'a certificate for another host',
      (root) => root.replace('127.0.0.1', 'localhost'),
      true,
      /another host name/,
    ],
    ['http where https is spoken', (root) => root.replace('https', 'http'), true, /.+/],
  ];
  for (const [what, change, isTrusted, reason] of failures) {
    it(`does not take ${what}, and says so`, () =>
      withSource(change(manager.root), isTrusted ? text('ca.pem') : undefined, async (source) => {
        const { signal } = new AbortController();
        const lookup = await source.lookup('fresh.example.com' as ServerName, { signal });
        expect(lookup).to.deep.include({ kind: 'unavailable', scope: 'source' });
        const check = await source.check();
        expect(check.ok ? '' : check.reason).to.match(reason);
        expect(manager.requestsFor('GET', 'other')).to.have.length(0);
      }));
  }

  it('says that a server which speaks no TLS speaks none', async () => {
    const plain = await startFakeManager();
    try {
      await withSource(plain.root.replace('http', 'https'), undefined, async (source) => {
        const check = await source.check();
        expect(check.ok ? '' : check.reason).to.include('does not speak TLS');
      });
    } finally {
      await plain.close();
    }
  });
});
