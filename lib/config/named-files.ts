/**
 * What is in the files that flags name: the default certificate, the manager's authorities and credentials, patterns.
 *
 * Each is examined here, so that a wrong one stops the start (or the reload) with one sentence that names the file. No
 * message holds what is in a file.
 */
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { CertificatePair } from '../domain/certificate.js';
import { examine } from '../domain/examination.js';
import { splitChain, noCertificate } from '../domain/pem.js';
import { describeError, usageError } from '../domain/errors.js';
import { shortcomingsOf, standingOf } from '../domain/shortcomings.js';
import { buildContext } from '../tls/secure-context.js';
import type { PairFiles } from './config-file.js';
import type { GivenFlags } from './precedence.js';
import { parsePattern, Problem } from './parse.js';

/** The default certificate of the flags. See `readPairs`. */
export function readDefaultPairs(given: GivenFlags, nowMs: number): ReadPairs {
  return readPairs(
    given,
    {
      certs: given.paths('default-cert'),
      keys: given.paths('default-key'),
      certLabel: given.label('default-cert'),
      keyLabel: given.label('default-key'),
      dashes: '--',
    },
    nowMs,
  );
}

export interface ReadPairs {
  readonly pairs: readonly CertificatePair[] | undefined;
  readonly warnings: readonly string[];
}

/**
 * Reads default certificates: nothing, one pair, or an RSA and an ECDSA pair, the ECDSA one first.
 *
 * @returns the pairs, and a warning for each that lacks something (an intermediate, its dates): those are served all the same.
 * @throws ProxyError ERR_USAGE: a file that cannot be read or used.
 */
export function readPairs(given: GivenFlags, files: PairFiles, nowMs: number): ReadPairs {
  const { certs, keys, certLabel, keyLabel, dashes } = files;
  if (certs.length > keys.length) throw usageError(`${certLabel} needs a ${dashes}default-key beside each`);
  if (keys.length > certs.length) throw usageError(`${keyLabel} needs a ${dashes}default-cert beside each`);
  if (certs.length > 2) throw usageError(`${certLabel} may be given twice at most, for RSA and ECDSA`);
  const warnings: string[] = [];
  const pairs = certs.map((certPath, index) => {
    const keyPath = keys[index] ?? '';
    const pair = {
      chainPem: given.read(certLabel, certPath),
      keyPem: given.read(keyLabel, keyPath),
    };
    const verdict = examine([pair], undefined, nowMs);
    if (verdict.kind === 'unusable') {
      throw usageError(`${certLabel} ${certPath} with ${dashes}default-key ${keyPath}: ${verdict.reason}`);
    }
    const [served = pair] = verdict.bundle.pairs;
    const shortcomings = shortcomingsIn(served, verdict.bundle, nowMs);
    if (shortcomings.length > 0) warnings.push(`${certLabel} ${certPath}: ${shortcomings.join('; ')}`);
    try {
      buildContext(verdict.bundle);
    } catch (error) {
      // For example a key too small for OpenSSL's security level: found out here, before a worker fails with it.
      throw usageError(`${certLabel} ${certPath} cannot be served: ${describeError(error)}`, error);
    }
    return served;
  });
  if (pairs.length === 0) return { pairs: undefined, warnings };
  if (new Set(pairs.map(isRsa)).size < pairs.length) {
    throw usageError(`${certLabel} is given twice, which must be once for RSA and once for ECDSA`);
  }
  const verdict = examine(pairs, undefined, nowMs);
  if (verdict.kind === 'unusable') return { pairs, warnings };
  return { pairs: verdict.bundle.pairs.map(({ chainPem, keyPem }) => ({ chainPem, keyPem })), warnings };
}

/** @param dates the leaf's. */
function shortcomingsIn(
  { chainPem }: CertificatePair,
  dates: { readonly notBeforeMs: number; readonly notAfterMs: number },
  nowMs: number,
): string[] {
  const [leaf, ...above] = splitChain(chainPem).map((block) => new X509Certificate(block));
  return leaf === undefined ? [] : shortcomingsOf(standingOf(leaf, above), dates, nowMs);
}

function isRsa({ chainPem }: CertificatePair): boolean {
  return new X509Certificate(chainPem).publicKey.asymmetricKeyType?.startsWith('rsa') ?? false;
}

/** The PEM of the authorities that the manager's certificate must chain to. */
export function readAuthorities(given: GivenFlags): string | undefined {
  const file = given.readOne('fallback-ca');
  if (file === undefined) return undefined;
  const blocks = splitChain(file.text);
  if (blocks.length === 0) given.fail('fallback-ca', `names ${file.path}, which ${noCertificate(file.text)}`);
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    given.fail('fallback-ca', `names ${file.path}, in which a certificate cannot be parsed`);
  }
  return blocks.join('');
}

/** `user:password` of the first line. */
export function readCredentials(given: GivenFlags): string | undefined {
  const file = given.readOne('fallback-credentials');
  if (file === undefined) return undefined;
  const line = file.text.split(/\r?\n/, 1)[0] ?? '';
  return /^[^:]+:/.test(line)
    ? line
    : given.fail('fallback-credentials', `names ${file.path}, whose first line is not user:password`);
}

/** The htpasswd file's text, which `check` has found to be right, and which has a user in it. */
export function readHtpasswd(given: GivenFlags, check: (text: string) => void): string | undefined {
  const file = given.readOne('admin-user-file');
  if (file === undefined) return undefined;
  try {
    check(file.text);
  } catch (error) {
    given.fail('admin-user-file', `${file.path}: ${describeError(error)}`);
  }
  // An empty file would let nobody in, but it was probably cut off while it was written.
  if (withoutComments(file.text).length === 0) {
    given.fail(
      'admin-user-file',
      `names ${file.path}, which holds no user: leave the flag out for no admin routes`,
    );
  }
  return file.text;
}

/**
 * The patterns of `--autocert-allow`, those in files included: one a line, `#` begins a comment.
 *
 * @param warnings gets one when there are none: an empty file, which waits for its first name, does not refuse a start.
 */
export function readAllowed(given: GivenFlags, cwd: string, warnings: string[]): string[] {
  const files: string[] = [];
  const patterns = given
    .list('autocert-allow', (text) => (isFile(text) ? [text] : parsePattern(text)))
    .flatMap((item) => {
      if (typeof item === 'string') return [item];
      const path = resolve(cwd, (item[0] ?? '').replace(/^@/, ''));
      files.push(path);
      return withoutComments(given.read(given.label('autocert-allow'), path)).map(([line, text]) => {
        const pattern = parsePattern(text);
        if (!(pattern instanceof Problem)) return pattern;
        return given.fail('autocert-allow', `${path}: line ${line} ${pattern.clause}`);
      });
    });
  if (patterns.length === 0) {
    warnings.push(
      `${given.label('autocert-allow')} names ${files.join(', ')}, which holds no name: nothing may be ordered`,
    );
  }
  return patterns;
}

/** The lines of a file that are more than blanks and a comment, each with its number from 1. */
function withoutComments(text: string): [line: number, text: string][] {
  return text
    .split(/\r?\n/)
    .map((line, index): [number, string] => [index + 1, line.replace(/#.*/, '').trim()])
    .filter(([, rest]) => rest !== '');
}

// No pattern begins with any of these.
function isFile(text: string): boolean {
  return /^(?:@|\/|\.\.?\/)/.test(text);
}
