/**
 * Certificates as `openssl` makes them: of kinds that this program does not mint.
 *
 *     const pair = await opensslIssue(ca.authority, { names: ['a.test'], key: ['RSA', 'rsa_keygen_bits:1024'] });
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import type { Authority } from '../../lib/pki/signer.js';
import { makeTempDir } from './certificates.js';

const run = promisify(execFile);

export interface OpensslOptions {
  readonly names: readonly string[];
  /** Of `openssl genpkey`: the algorithm and its options. @default EC on P-256 */
  readonly key?: readonly [algorithm: string, ...options: string[]];
  /** Lines of an extension file beside the alternative names, such as `extendedKeyUsage=clientAuth`. */
  readonly extensions?: readonly string[];
  /** @default 'sha256' */
  readonly digest?: string;
  /** Of what is signed. @default 30 */
  readonly days?: number;
}

/** @param issuer undefined: the certificate signs itself. @returns the leaf alone, with its key. */
export async function opensslIssue(
  issuer: Authority | undefined,
  {
    names,
    key = ['EC', 'ec_paramgen_curve:P-256'],
    extensions = [],
    digest = 'sha256',
    days = 30,
  }: OpensslOptions,
): Promise<CertificatePair> {
  const { dir, remove } = await makeTempDir();
  const path = (name: string): string => join(dir, name);
  try {
    const [algorithm, ...options] = key;
    const pkeyopts = options.flatMap((option) => ['-pkeyopt', option]);
    await run('openssl', ['genpkey', '-algorithm', algorithm, ...pkeyopts, '-out', path('key')]);
    await run('openssl', ['req', '-new', '-key', path('key'), '-subj', '/', '-out', path('csr')]);
    const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
    await writeFile(
      path('ext'),
      [`subjectAltName=critical,${alternatives.join(',')}`, ...extensions, ''].join('\n'),
    );
    let signer = ['-signkey', path('key')];
    if (issuer !== undefined) {
      await Promise.all([writeFile(path('ca'), issuer.certPem), writeFile(path('cakey'), issuer.keyPem)]);
      signer = ['-CA', path('ca'), '-CAkey', path('cakey'), '-set_serial', String(Date.now())];
    }
    const common = ['-req', '-in', path('csr'), '-extfile', path('ext'), '-days', String(days), `-${digest}`];
    await run('openssl', ['x509', ...common, ...signer, '-out', path('cert')]);
    const [chainPem, keyPem] = await Promise.all([
      readFile(path('cert'), 'utf8'),
      readFile(path('key'), 'utf8'),
    ]);
    return { chainPem, keyPem };
  } finally {
    await remove();
  }
}
