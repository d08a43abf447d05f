/**
 * The contract of `lib/sources/source.ts` as a mocha suite, to be run against every implementation.
 *
 *     describeSourceContract('directory', async () => {
 *       const { dir, remove } = await makeTempDir();
 *       const pair = await (await makeTestCa()).issue(['known.test']);
 *       await writePair(join(dir, 'known.test'), pair);
 *       const source = new DirectorySource({ dir });
 *       return {
 *         source,
 *         nameWithCertificate: 'known.test',
 *         nameAbsent: 'unknown.test',
 *         stop: remove,
 *       };
 *     });
 *
 * A harness is made for each test. The hooks that it leaves out (`provide`, `breakSource`, `stallSource`) leave out the
 * tests that need them: the suite never skips one.
 */
import { expect } from 'chai';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import { examine } from '../../lib/domain/examination.js';
import type { Lookup } from '../../lib/domain/lookup.js';
import { normaliseDomain, type ServerName } from '../../lib/domain/server-name.js';
import type { CertificateSource, LookupContext } from '../../lib/sources/source.js';
import { makeTestCa } from './certificates.js';

export interface SourceHarness {
  /** New, and open. The suite closes it. */
  readonly source: CertificateSource;
  /** A name that the source has a usable certificate of. */
  readonly nameWithCertificate: string;
  /** A name that it has none of, and says so. */
  readonly nameAbsent: string;
  /** The time to examine certificates by, milliseconds since 1970. @default Date.now() */
  readonly nowMs?: number;
  /** Passwords and the like that no reason may hold. Private keys are looked for anyway. */
  readonly secrets?: readonly string[];
  /** Ends what the harness started; the source is closed by then. */
  stop?(): Promise<void>;
}

/** What only some sources can be made to do. */
export interface SourceHooks<Harness extends SourceHarness> {
  /** Puts a certificate into the place that the source reads, for look-ups from now on. */
  provide?: (harness: Harness, name: ServerName, pair: CertificatePair) => Promise<void>;
  /** From now on the place that the source reads fails at once (a server stopped). */
  breakSource?: (harness: Harness) => Promise<void>;
  /** From now on it takes questions and does not answer. */
  stallSource?: (harness: Harness) => Promise<void>;
}

/** Soon, for a look-up that was told to stop. Far above what it takes, below every time-out in use. */
const SOON_MS = 2_000;

/**
 * Declares the suite.
 *
 * @param name of the source, for the titles.
 * @param makeHarness called before each test.
 * @param hooks see there; each one given adds tests.
 */
export function describeSourceContract<Harness extends SourceHarness>(
  name: string,
  makeHarness: () => Promise<Harness>,
  hooks: SourceHooks<Harness> = {},
): void {
  describe(`${name} keeps the contract of a certificate source`, () => {
    let harness: Harness;
    let source: CertificateSource;
    const { provide, breakSource, stallSource } = hooks;

    const open = (): LookupContext => ({ signal: new AbortController().signal });
    const look = async (text: string, context = open()): Promise<Lookup> => {
      const result = await source.lookup(domain(text), context);
      if ('reason' in result) expectClean(result.reason);
      return result;
    };
    const expectClean = (reason: string): void => {
      expect(reason, 'a reason is one clause').to.match(/^\S[^\n]+$/);
      expect(reason).not.to.include('PRIVATE KEY');
      for (const secret of harness.secrets ?? []) expect(reason).not.to.include(secret);
    };
    const expectUnavailable = (result: Lookup): void => {
      expect(result.kind, JSON.stringify(result).slice(0, 300)).to.equal('unavailable');
    };

    beforeEach(async () => {
      harness = await makeHarness();
      source = harness.source;
    });
    afterEach(async () => {
      await source.close();
      await harness.stop?.();
    });

    it('finds the certificates of a name, every candidate usable', async () => {
      const result = await look(harness.nameWithCertificate);
      if (result.kind !== 'found') throw new Error(`expected found: ${JSON.stringify(result)}`);
      expect(result.candidates).not.to.be.empty;
      for (const pairs of result.candidates) {
        const verdict = examine(pairs, domain(harness.nameWithCertificate), harness.nowMs ?? Date.now());
        expect(verdict.kind, 'reason' in verdict ? verdict.reason : '').to.equal('usable');
      }
    });

    it('says absent of a name that it has none of, and goes on saying it', async () => {
      expect(await look(harness.nameAbsent)).to.deep.equal({ kind: 'absent' });
      expect(await look(harness.nameAbsent)).to.deep.equal({ kind: 'absent' });
    });

    it('answers many look-ups at once, each with its own answer', async () => {
      const asked = Array.from({ length: 24 }, (_, index) => index % 3 !== 0);
      const results = await Promise.all(
        asked.map((isKnown) => look(isKnown ? harness.nameWithCertificate : harness.nameAbsent)),
      );
      expect(results.map(({ kind }) => kind)).to.deep.equal(
        asked.map((isKnown) => (isKnown ? 'found' : 'absent')),
      );
    });

    it('is unavailable to a look-up that was given up before it began', async () => {
      expectUnavailable(await look(harness.nameWithCertificate, { signal: AbortSignal.abort() }));
    });

    it('settles a look-up that is given up while it is under way', async () => {
      const controller = new AbortController();
      const result = soon(look(harness.nameWithCertificate, { signal: controller.signal }));
      controller.abort();
      expect((await result).kind).to.be.oneOf(['unavailable', 'found']);
    });

    it('is reachable by its check', async () => {
      expect(await source.check()).to.deep.equal({ ok: true });
    });

    it('is unavailable once it is closed, and may be closed twice', async () => {
      await source.close();
      await source.close();
      expectUnavailable(await soon(look(harness.nameWithCertificate)));
      expectUnavailable(await soon(look(harness.nameAbsent)));
      const check = await source.check();
      expect(check.ok).to.equal(false);
      if (!check.ok) expectClean(check.reason);
    });

    it('settles the look-ups under way when it is closed', async () => {
      const results = [look(harness.nameWithCertificate), look(harness.nameAbsent)];
      await source.close();
      const kinds = (await soon(Promise.all(results))).map(({ kind }) => kind);
      expect(kinds[0]).to.be.oneOf(['unavailable', 'found']);
      expect(kinds[1]).to.be.oneOf(['unavailable', 'absent']);
    });

    if (provide !== undefined) {
      it('finds a certificate that appeared after it said absent', async () => {
        const ca = await makeTestCa();
        const pair = await ca.issue([harness.nameAbsent]);
        expect((await look(harness.nameAbsent)).kind).to.equal('absent');
        await provide(harness, domain(harness.nameAbsent), pair);
        const result = await look(harness.nameAbsent);
        if (result.kind !== 'found') throw new Error(`expected found: ${JSON.stringify(result)}`);
        const served = result.candidates.map((pairs) => fingerprint(pairs));
        expect(served).to.include(fingerprint([pair]));
      });
    }

    const failures = [
      { how: 'fails', hook: breakSource },
      { how: 'takes questions and does not answer', hook: stallSource },
    ];
    for (const { how, hook } of failures) {
      if (hook === undefined) continue;

      it(`is unavailable, and says why, when it ${how}: never absent, never a rejection`, async () => {
        await hook(harness);
        const results = await Promise.all([look(harness.nameWithCertificate), look(harness.nameAbsent)]);
        results.forEach(expectUnavailable);
        for (const result of results) if ('scope' in result) expect(result.scope).to.equal('source');
      });

      it(`says in its check that it ${how}`, async () => {
        await hook(harness);
        const check = await source.check();
        expect(check.ok).to.equal(false);
        if (!check.ok) expectClean(check.reason);
      });
    }

    if (stallSource !== undefined) {
      it('is unavailable soon after a look-up is given up that waits for an answer', async () => {
        await stallSource(harness);
        const controller = new AbortController();
        const result = soon(look(harness.nameWithCertificate, { signal: controller.signal }));
        setImmediate(() => controller.abort());
        expectUnavailable(await result);
      });

      it('ends the look-ups that wait for an answer when it is closed', async () => {
        await stallSource(harness);
        const result = look(harness.nameWithCertificate);
        await soon(source.close());
        expectUnavailable(await soon(result));
      });
    }
  });
}

function domain(text: string): ServerName {
  const name = normaliseDomain(text);
  if (name === undefined) throw new Error(`the harness gave a name that is none: ${text}`);
  return name;
}

function fingerprint(pairs: readonly CertificatePair[]): string {
  const verdict = examine(pairs, undefined, Date.now());
  if (verdict.kind === 'unusable') throw new Error(verdict.reason);
  return verdict.bundle.fingerprint;
}

/** The same promise, or a failure when it takes long. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled within ${SOON_MS} ms`)), SOON_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
