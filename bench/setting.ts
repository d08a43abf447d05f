/**
 * What all measurements share: options, certificates on disk, the driver, a place for state, a backend.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { CertificatePair } from '../lib/domain/certificate.js';
import { makeTempDir, makeTestCa, writePair } from '../test/support/certificates.js';
import { Load } from './load.js';
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
  readonly backendUrl: string;
  /** A directory that is not there yet. */
  newStateDir(): string;
}

const BACKEND_BODY = 'x'.repeat(512);

export async function makeSetting(options: BenchOptions): Promise<Setting> {
  const { dir, remove } = await makeTempDir();
  const ca = await (await makeTestCa()).intermediate();
  const certDir = join(dir, 'live');
  const write = async (name: string, type: 'ec' | 'rsa') => ({
    name,
    ...(await writePair(join(certDir, name), await ca.issue([name], { type }))),
  });
  const backend = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BACKEND_BODY.length });
    response.end(BACKEND_BODY);
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const load = new Load();
  let states = 0;
  return {
    options,
    load,
    certDir,
    ec: await write('ec.bench.test', 'ec'),
    rsa: await write('rsa.bench.test', 'rsa'),
    wildcard: await ca.issue(['*.cold.bench.test']),
    backendUrl: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`,
    newStateDir: () => join(dir, `state-${++states}`),
    async [Symbol.asyncDispose]() {
      load[Symbol.dispose]();
      backend.closeAllConnections();
      backend.close();
      await remove();
    },
  };
}
