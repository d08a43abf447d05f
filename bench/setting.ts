/**
 * What all measurements share: options, certificates on disk, the driver, a place for state, a backend.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificatePair } from '../lib/domain/certificate.js';
import { makeTempDir, makeTestCa, writePair } from '../test/support/certificates.js';
import { startBackend, type Backend } from './backend-process.js';
import { Load } from './load/load.js';
import type { BenchOptions } from './options.js';

export interface Setting extends AsyncDisposable {
  readonly options: BenchOptions;
  readonly load: Load;
  /** A directory of certificates, as certbot has it: one for EC, one for RSA. */
  readonly certDir: string;
  readonly ec: { readonly name: string; readonly chainPath: string; readonly keyPath: string };
  readonly rsa: { readonly name: string; readonly chainPath: string; readonly keyPath: string };
  /** Covers every name below `cold.bench.test`. */
  readonly wildcard: CertificatePair;
  readonly backend: Backend;
  /** A directory that is not there yet. */
  newStateDir(): string;
}

export async function makeSetting(options: BenchOptions): Promise<Setting> {
  const { dir, remove } = await makeTempDir();
  const ca = await (await makeTestCa()).intermediate();
  const certDir = join(dir, 'live');
  const write = async (name: string, type: 'ec' | 'rsa') => ({
    name,
    ...(await writePair(join(certDir, name), await ca.issue([name], { type }))),
  });
  // An interrupted benchmark leaves no keys behind.
  const removeAtExit = (): void => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const backend = await startBackend();
  const load = new Load();
  let states = 0;
  return {
    options,
    load,
    certDir,
    ec: await write('ec.bench.test', 'ec'),
    rsa: await write('rsa.bench.test', 'rsa'),
    wildcard: await ca.issue(['*.cold.bench.test']),
    backend,
    newStateDir: () => join(dir, `state-${++states}`),
    async [Symbol.asyncDispose]() {
      load[Symbol.dispose]();
      backend[Symbol.dispose]();
      await remove();
      process.off('exit', removeAtExit);
    },
  };
}
