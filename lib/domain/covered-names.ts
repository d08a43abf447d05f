/**
 * Which names a certificate is for, as clients judge it. PURE.
 */
import type { X509Certificate } from 'node:crypto';
import { isAddress, isWildcard, wildcardOf, type ServerName } from './server-name.js';
import { shortList } from './short-list.js';

/** No name begins with it: it stands for any label that a wildcard covers. */
const ANY_LABEL = 'any-label-below-a-wildcard';
const MAX_NAMES_SHOWN = 5;

/**
 * Whether a leaf covers a name, as clients judge it (RFC 9525 §6.3): a wildcard in the certificate covers exactly one label,
 * and only a whole one; a subject without alternative names counts by its common name.
 */
export function covers(leaf: X509Certificate, name: ServerName): boolean {
  if (isAddress(name)) return leaf.checkIP(name) !== undefined;
  if (isWildcard(name)) return holdsWildcard(leaf, name);
  if (leaf.checkHost(name, { partialWildcards: false }) !== undefined) return true;
  // OpenSSL lets no wildcard cover an underscore; browsers do.
  const above = wildcardOf(name);
  return above !== undefined && name.slice(0, name.indexOf('.')).includes('_') && holdsWildcard(leaf, above);
}

/** Whether a leaf has the wildcard itself. OpenSSL does not match a star against a star: a label stands in for it. */
function holdsWildcard(leaf: X509Certificate, wildcard: ServerName): boolean {
  const matched = leaf.checkHost(`${ANY_LABEL}${wildcard.slice(1)}`, { partialWildcards: false });
  return matched?.toLowerCase() === wildcard;
}

/** The names of a certificate, for a message: its SANs, else its subject. */
export function namesOf(leaf: X509Certificate): string {
  // Node's types do not say so, but an empty subject is undefined.
  const { subjectAltName, subject } = leaf as { subjectAltName?: string; subject?: string };
  const text = subjectAltName ?? subject;
  if (text === undefined) return 'none at all';
  const names = text.split(/,\s*|\n/).map((entry) => entry.replace(/^DNS:/, ''));
  return shortList(names, MAX_NAMES_SHOWN);
}
