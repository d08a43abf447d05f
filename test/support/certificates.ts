/**
 * Certificates for tests: an authority that issues whatever a test needs, and folders as certbot leaves them.
 *
 *     const ca = await makeTestCa();
 *     const pair = await ca.issue(['a.test', '*.b.test'], { type: 'rsa', notAfter: new Date(0) });
 *     const { dir, remove } = await makeTempDir();
 *     await writePair(join(dir, 'a.test'), pair);
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import { generateKey, type KeyType } from '../../lib/pki/keys.js';
import { mintIntermediate, mintLeaf, mintRoot } from '../../lib/pki/mint.js';
import type { Authority } from '../../lib/pki/signer.js';

const DAY_MS = 86_400_000;

export interface IssueOptions {
  /** @default 'ec' */
  readonly type?: KeyType;
  /** A date, or milliseconds since 1970. @default an hour ago */
  readonly notBefore?: Date | number;
  /** A date, or milliseconds since 1970. @default in 30 days */
  readonly notAfter?: Date | number;
}

export interface TestCa {
  /** What a client has to trust. */
  readonly rootPem: string;
  readonly authority: Authority;
  /** Issues a certificate; the chain is the leaf, and the intermediate where there is one. */
  readonly issue: (names: readonly string[], options?: IssueOptions) => Promise<CertificatePair>;
  /** An authority below this one: its chains are of two certificates, and `rootPem` is the same. */
  readonly intermediate: (commonName?: string) => Promise<TestCa>;
}

/** A new authority, valid from 1990 to 2090, so that a test may issue for whatever time its clock shows. */
export async function makeTestCa(options: { type?: KeyType; commonName?: string } = {}): Promise<TestCa> {
  const nowMs = Date.UTC(1990, 0, 1);
  const root = mintRoot({
    commonName: options.commonName ?? 'Test Root',
    key: await generateKey(options.type ?? 'ec'),
    nowMs,
    validityMs: Date.UTC(2090, 0, 1) - nowMs,
  });
  return testCa(root, root.certPem);
}

function testCa(authority: Authority, rootPem: string): TestCa {
  return {
    rootPem,
    authority,
    async issue(names, { type = 'ec', notBefore, notAfter } = {}) {
      const nowMs = Date.now();
      const notAfterMs = Number(notAfter ?? nowMs + 30 * DAY_MS);
      // Who asks for an expired one by its end alone means one that was valid before.
      const notBeforeMs = Number(notBefore ?? Math.min(nowMs - DAY_MS / 24, notAfterMs - DAY_MS));
      return mintLeaf({ names, key: await generateKey(type), issuer: authority, notBeforeMs, notAfterMs });
    },
    async intermediate(commonName = 'Test Intermediate') {
      const lower = mintIntermediate({
        commonName,
        key: await generateKey('ec'),
        issuer: authority,
        notBeforeMs: Date.UTC(1990, 0, 1),
        notAfterMs: Date.UTC(2090, 0, 1),
      });
      return testCa(lower, rootPem);
    },
  };
}

/** A new temporary directory, and how to be rid of it. */
export async function makeTempDir(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'peter-sslers-proxy-'));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Writes `fullchain.pem` and `privkey.pem` into a folder, which is made where missing. */
export async function writePair(
  folder: string,
  pair: CertificatePair,
): Promise<{ chainPath: string; keyPath: string }> {
  await mkdir(folder, { recursive: true });
  const chainPath = join(folder, 'fullchain.pem');
  const keyPath = join(folder, 'privkey.pem');
  await writeFile(chainPath, pair.chainPem);
  await writeFile(keyPath, pair.keyPem, { mode: 0o600 });
  return { chainPath, keyPath };
}
