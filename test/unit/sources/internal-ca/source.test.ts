import { expect } from 'chai';
import { INTERNAL_CA_ALLOW } from '../../../../lib/config/flags.js';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { examine } from '../../../../lib/domain/examination.js';
import { ProxyError } from '../../../../lib/domain/errors.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import { normaliseDomain, type ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger } from '../../../../lib/log/logger.js';
import { InternalCaSource, type InternalCaOptions } from '../../../../lib/sources/internal-ca/source.js';
import { generateKey } from '../../../../lib/pki/keys.js';
import { makeTempDir, makeTestCa } from '../../../support/certificates.js';
import { describeSourceContract } from '../../../support/source-contract.js';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2025, 0, 1);
const OPEN = { signal: new AbortController().signal };

function domain(text: string): ServerName {
  const name = normaliseDomain(text);
  if (name === undefined) throw new Error(`not a name: ${text}`);
  return name;
}

function chainOf(result: Lookup): string {
  if (result.kind !== 'found') throw new Error(`expected found: ${JSON.stringify(result)}`);
  return result.candidates[0]![0]!.chainPem;
}

describeSourceContract('ca', async () => {
  const { dir, remove } = await makeTempDir();
  const source = await InternalCaSource.open({ dir, allow: INTERNAL_CA_ALLOW, now: Date.now });
  return { source, nameWithCertificate: 'known.test', nameAbsent: 'unknown.example', stop: remove };
});

describe('InternalCaSource', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let nowMs: number;
  const opened: InternalCaSource[] = [];

  beforeEach(async () => {
    const temporary = await makeTempDir();
    remove = temporary.remove;
    dir = join(temporary.dir, 'below', 'ca');
    nowMs = START_MS;
  });
  afterEach(async () => {
    for (const source of opened.splice(0)) await source.close();
    await remove();
  });

  const open = async (options: Partial<InternalCaOptions> = {}): Promise<InternalCaSource> => {
    const source = await InternalCaSource.open({
      dir,
      allow: INTERNAL_CA_ALLOW,
      now: () => nowMs,
      ...options,
    });
    opened.push(source);
    return source;
  };
  const refusal = async (): Promise<ProxyError> => {
    try {
      await open();
    } catch (error) {
      if (error instanceof ProxyError) return error;
      throw error;
    }
    throw new Error('it opened');
  };

  describe('its root', () => {
    it('is made on first use, for the owner alone, with nothing left over', async () => {
      const source = await open();
      expect((await stat(dir)).mode & 0o777).to.equal(0o700);
      expect((await stat(join(dir, 'root-key.pem'))).mode & 0o777).to.equal(0o600);
      expect(source.rootCertPath).to.equal(join(dir, 'root.pem'));
      expect((await readdir(dir)).sort()).to.deep.equal(['root-key.pem', 'root.pem']);
      const root = new X509Certificate(await readFile(source.rootCertPath));
      expect(root.ca).to.equal(true);
      expect(root.verify(root.publicKey)).to.equal(true);
    });

    it('is the same after a restart', async () => {
      const before = await readFile((await open()).rootCertPath, 'utf8');
      const again = await open();
      expect(await readFile(again.rootCertPath, 'utf8')).to.equal(before);
      const leaf = new X509Certificate(chainOf(await again.lookup(domain('a.test'), OPEN)));
      expect(leaf.verify(new X509Certificate(before).publicKey)).to.equal(true);
    });

    it('is one and whole when many start at once', async () => {
      const sources = await Promise.all(Array.from({ length: 8 }, () => open()));
      const root = new X509Certificate(await readFile(join(dir, 'root.pem')));
      for (const source of sources) {
        const leaf = new X509Certificate(chainOf(await source.lookup(domain('a.test'), OPEN)));
        expect(leaf.verify(root.publicKey)).to.equal(true);
      }
      expect((await readdir(dir)).sort()).to.deep.equal(['root-key.pem', 'root.pem']);
    });

    it('gets its certificate again from the key when a start was cut off between the two', async () => {
      const before = new X509Certificate(await readFile((await open()).rootCertPath));
      await rm(join(dir, 'root.pem'));
      const after = new X509Certificate(await readFile((await open()).rootCertPath));
      expect(after.checkIssued(before)).to.equal(true);
      expect(after.verify(before.publicKey)).to.equal(true);
    });

    const damages: { title: string; file: string; damage: () => Promise<void> }[] = [
      {
        title: 'a key that is junk',
        file: 'root-key.pem',
        damage: () => writeFile(join(dir, 'root-key.pem'), 'junk'),
      },
      {
        title: 'a certificate that is junk',
        file: 'root.pem',
        damage: () => writeFile(join(dir, 'root.pem'), 'junk'),
      },
      {
        title: 'a certificate that is empty',
        file: 'root.pem',
        damage: () => writeFile(join(dir, 'root.pem'), ''),
      },
      {
        title: 'a key that is missing beside its certificate',
        file: 'root-key.pem',
        damage: () => rm(join(dir, 'root-key.pem')),
      },
      {
        title: 'a key of another certificate',
        file: 'root-key.pem',
        damage: async () => writeFile(join(dir, 'root-key.pem'), (await generateKey()).privateKeyPem),
      },
      {
        title: 'a certificate that is no authority',
        file: 'root.pem',
        damage: async () => {
          const pair = await (await makeTestCa()).issue(['a.test']);
          await writeFile(join(dir, 'root.pem'), pair.chainPem);
          await writeFile(join(dir, 'root-key.pem'), pair.keyPem);
        },
      },
      {
        title: 'a folder where the key should be',
        file: 'root-key.pem',
        damage: async () => {
          await rm(join(dir, 'root-key.pem'));
          await mkdir(join(dir, 'root-key.pem'));
        },
      },
      {
        title: 'a root that has expired',
        file: 'root.pem',
        damage: () => {
          nowMs += 3651 * DAY_MS;
          return Promise.resolve();
        },
      },
    ];
    for (const { title, file, damage } of damages) {
      it(`refuses to open with ${title}, and names the file`, async () => {
        await open();
        await damage();
        const { code, message } = await refusal();
        expect(code).to.equal('ERR_USAGE');
        expect(message).to.include(join(dir, file));
        expect(message).not.to.include('PRIVATE KEY');
      });
    }

    it('that was made while the clock was ahead is said to be, and to what end, until the clock is there', async () => {
      nowMs += 200 * DAY_MS;
      await open();
      nowMs = START_MS;
      const errors: unknown[] = [];
      const log = { ...silentLogger, err: (...line: unknown[]) => void errors.push(line) };
      const source = await open({ log });
      const reason = `${source.rootCertPath} is not valid before Jul 19 23:00:00 2025 GMT: set the clock if it is behind; if it is right, stop, remove the file with its key, and start: a new root is made`;
      expect(errors).to.deep.equal([['the root of the internal CA is not valid yet', { reason }]]);
      expect(await source.check()).to.deep.equal({ ok: false, reason });
      expect(await source.lookup(domain('a.test'), OPEN)).to.include({ kind: 'unavailable', reason });
      nowMs += 200 * DAY_MS;
      expect(await source.check()).to.deep.equal({ ok: true });
      expect((await source.lookup(domain('a.test'), OPEN)).kind).to.equal('found');
    });

    it('says which directory it cannot make', async () => {
      await mkdir(join(dir, '..'), { recursive: true });
      await writeFile(dir, 'a file');
      const { code, message } = await refusal();
      expect(code).to.equal('ERR_USAGE');
      expect(message).to.include(dir);
    });

    it('is used, but not without a word, when others may read its key', async () => {
      await open();
      await chmod(join(dir, 'root-key.pem'), 0o644);
      const errors: string[] = [];
      await open({ log: { ...silentLogger, err: (message) => void errors.push(message) } });
      expect(errors).to.have.length(1);
      expect(errors[0]).to.include('chmod 600');
    });
  });

  describe('its leaves', () => {
    const cases = [
      { name: 'localhost', kind: 'found' },
      { name: 'a.localhost', kind: 'found' },
      { name: 'deep.down.in.test', kind: 'found' },
      { name: 'db.internal', kind: 'found' },
      { name: 'test', kind: 'absent' },
      { name: 'example.com', kind: 'absent' },
      { name: 'nottest', kind: 'absent' },
      { name: '*.test', kind: 'absent' },
      { name: '*.a.test', kind: 'absent' },
    ];
    for (const { name, kind } of cases) {
      it(`are ${kind} for ${name} with the default list`, async () => {
        expect((await (await open()).lookup(domain(name), OPEN)).kind).to.equal(kind);
      });
    }

    it('are for the names on the list that it was given, and no others', async () => {
      const source = await open({ allow: ['*.example.com'] });
      expect((await source.lookup(domain('a.example.com'), OPEN)).kind).to.equal('found');
      expect((await source.lookup(domain('localhost'), OPEN)).kind).to.equal('absent');
    });

    it('are usable for 90 days, and already for a client whose clock is an hour behind', async () => {
      const source = await open();
      const name = domain('a.test');
      const result = await source.lookup(name, OPEN);
      if (result.kind !== 'found') throw new Error(result.kind);
      for (const atMs of [nowMs - 3_600_000, nowMs, nowMs + 90 * DAY_MS - 1000]) {
        expect(examine(result.candidates[0]!, name, atMs).kind).to.equal('usable');
      }
      expect(examine(result.candidates[0]!, name, nowMs + 90 * DAY_MS).kind).to.equal('outdated');
    });

    it('are minted once for all who ask at the same time, and once for those who ask later', async () => {
      let keys = 0;
      const source = await open({
        makeKey: (type) => {
          keys += 1;
          return generateKey(type);
        },
      });
      const first = await Promise.all(
        Array.from({ length: 10 }, () => source.lookup(domain('a.test'), OPEN)),
      );
      const later = await source.lookup(domain('a.test'), OPEN);
      expect(new Set([...first, later].map(chainOf)).size).to.equal(1);
      expect(keys).to.equal(1);
    });

    it('are minted anew when less than a third of their life is left, and not before', async () => {
      const source = await open();
      const first = chainOf(await source.lookup(domain('a.test'), OPEN));
      nowMs += 60 * DAY_MS - 1;
      expect(chainOf(await source.lookup(domain('a.test'), OPEN))).to.equal(first);
      nowMs += 1;
      expect(chainOf(await source.lookup(domain('a.test'), OPEN))).not.to.equal(first);
    });

    it('are minted anew when the clock is set back to before they are valid', async () => {
      const source = await open();
      nowMs += 40 * DAY_MS;
      const ahead = chainOf(await source.lookup(domain('a.test'), OPEN));
      nowMs -= 3_600_000;
      expect(chainOf(await source.lookup(domain('a.test'), OPEN))).to.equal(ahead);
      nowMs -= 1;
      const right = chainOf(await source.lookup(domain('a.test'), OPEN));
      expect(Date.parse(new X509Certificate(right).validFrom)).to.be.at.most(nowMs);
    });

    it('are minted anew after a forget, for one name or for all', async () => {
      const source = await open();
      const look = async () => [
        chainOf(await source.lookup(domain('a.test'), OPEN)),
        chainOf(await source.lookup(domain('b.test'), OPEN)),
      ];
      const [a1, b1] = await look();
      source.forget(domain('a.test'));
      const [a2, b2] = await look();
      expect(a2).not.to.equal(a1);
      expect(b2).to.equal(b1);
      source.forget();
      const [a3, b3] = await look();
      expect(a3).not.to.equal(a2);
      expect(b3).not.to.equal(b2);
    });

    it('are not kept when they were forgotten while being minted', async () => {
      const releases: (() => void)[] = [];
      const source = await open({
        makeKey: async (type) => {
          await new Promise<void>((resolve) => releases.push(resolve));
          return generateKey(type);
        },
      });
      const forgotten = source.lookup(domain('a.test'), OPEN);
      source.forget(domain('a.test'));
      const next = source.lookup(domain('a.test'), OPEN);
      releases[1]!();
      const kept = chainOf(await next);
      releases[0]!();
      expect(chainOf(await forgotten)).not.to.equal(kept);
      expect(chainOf(await source.lookup(domain('a.test'), OPEN))).to.equal(kept);
    });

    it('are kept for a bounded number of names', async () => {
      const source = await open({ maxLeaves: 2 });
      const first = chainOf(await source.lookup(domain('a.test'), OPEN));
      for (const name of ['b.test', 'c.test']) await source.lookup(domain(name), OPEN);
      expect(chainOf(await source.lookup(domain('a.test'), OPEN))).not.to.equal(first);
    });

    it('end with the root, after which the source is unavailable and says so', async () => {
      const source = await open();
      nowMs += 3640 * DAY_MS;
      const leaf = new X509Certificate(chainOf(await source.lookup(domain('a.test'), OPEN)));
      const root = new X509Certificate(await readFile(source.rootCertPath));
      expect(leaf.validTo).to.equal(root.validTo);
      nowMs += 11 * DAY_MS;
      const result = await source.lookup(domain('a.test'), OPEN);
      expect(result).to.include({ kind: 'unavailable', scope: 'source' });
      const check = await source.check();
      expect(check.ok).to.equal(false);
      if (!check.ok) expect(check.reason).to.include(source.rootCertPath);
    });

    it('are unavailable when no key can be made, and the next look-up tries again', async () => {
      let isBroken = true;
      const source = await open({
        makeKey: (type) => (isBroken ? Promise.reject(new Error('no entropy')) : generateKey(type)),
      });
      expect(await source.lookup(domain('a.test'), OPEN)).to.deep.equal({
        kind: 'unavailable',
        reason: 'no entropy',
        scope: 'source',
      });
      isBroken = false;
      expect((await source.lookup(domain('a.test'), OPEN)).kind).to.equal('found');
    });

    it('let a look-up go that is given up, and are kept for the next', async () => {
      let give: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (give = resolve));
      let keys = 0;
      const source = await open({
        makeKey: async (type) => {
          keys += 1;
          await held;
          return generateKey(type);
        },
      });
      const controller = new AbortController();
      const givenUp = source.lookup(domain('a.test'), { signal: controller.signal });
      const patient = source.lookup(domain('a.test'), OPEN);
      controller.abort();
      expect((await givenUp).kind).to.equal('unavailable');
      give();
      expect((await patient).kind).to.equal('found');
      expect(keys).to.equal(1);
    });
  });
});
