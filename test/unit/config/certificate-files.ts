import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in memory, made by OpenSSL: an RSA and two EC certificates with their keys, and one that OpenSSL does not serve. */
export function makeCertificates(): Record<string, string> {
  const dir = mkdtempSync(join(tmpdir(), 'config-test-'));
  const make = (name: string, newkey: string[]): void => {
    const files = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.pem`)];
    const subject = ['-subj', `/CN=${name}.example`, '-days', '30', '-nodes'];
    execFileSync('openssl', ['req', '-x509', '-newkey', ...newkey, ...files, ...subject], {
      stdio: 'ignore',
    });
  };
  try {
    make('rsa', ['rsa:2048']);
    make('ec', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']);
    make('ec2', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']);
    make('weak', ['rsa:512']);
    const names = ['rsa', 'ec', 'ec2', 'weak'].flatMap((name) => [`${name}.pem`, `${name}.key`]);
    return Object.fromEntries(names.map((name) => [`/${name}`, readFileSync(join(dir, name), 'utf8')]));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
