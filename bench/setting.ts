/**
 * What all measurements share: options, certificates on disk, the driver, a place for state, a backend.
 */
import { X509Certificate } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificatePair } from '../lib/domain/certificate.js';
import { makeTempDir, makeTestCa, writePair } from '../test/support/certificates.js';
import { startNodeBackend, type NodeBackend } from './backends/start-node-backend.js';
import { Load } from './load/load.js';
import type { BenchOptions } from './options.js';
import type { PairFiles } from './peers/peer.js';

/** A certificate chain on disk, and its fingerprint: SHA-256. */
export interface BenchPair extends PairFiles {
  readonly certificate: string;
}

export interface Setting extends AsyncDisposable {
  readonly options: BenchOptions;
  readonly load: Load;
  /** A directory of certificates, as certbot has it: one for EC, one for RSA. */
  readonly certDir: string;
  readonly ec: BenchPair;
  readonly rsa: BenchPair;
  /** Covers every name below `cold.bench.test`. */
  readonly wildcard: CertificatePair;
  /** SHA-256 of its certificate. */
  readonly wildcardCertificate: string;
  readonly backend: NodeBackend;
  /** A directory that is not there yet. */
  newStateDir(): string;
  /** A file of so many bytes. */
  bodyFile(bytes: number): string;
}

export async function makeSetting(options: BenchOptions): Promise<Setting> {
  const { dir, remove } = await makeTempDir();
  const ca = await (await makeTestCa()).intermediate();
  const certDir = join(dir, 'live');
  const write = async (name: string, type: 'ec' | 'rsa'): Promise<BenchPair> => {
    const pair = await ca.issue([name], { type });
    return { name, certificate: fingerprintOf(pair), ...(await writePair(join(certDir, name), pair)) };
  };
  const wildcard = await ca.issue(['*.cold.bench.test']);
  // An interrupted benchmark leaves no keys behind.
  const removeAtExit = (): void => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const backend = await startNodeBackend();
  const load = new Load();
  let states = 0;
  return {
    options,
    load,
    certDir,
    ec: await write('ec.bench.test', 'ec'),
    rsa: await write('rsa.bench.test', 'rsa'),
    wildcard,
    wildcardCertificate: fingerprintOf(wildcard),
    backend,
    newStateDir: () => join(dir, `state-${++states}`),
    bodyFile: (bytes) => {
      const path = join(dir, `body-${bytes}`);
      writeFileSync(path, Buffer.alloc(bytes, 'x'));
      return path;
    },
    async [Symbol.asyncDispose]() {
      load[Symbol.dispose]();
      backend[Symbol.dispose]();
      await remove();
      process.off('exit', removeAtExit);
    },
  };
}

function fingerprintOf({ chainPem }: CertificatePair): string {
  return new X509Certificate(chainPem).fingerprint256;
}
