/**
 * Names of certificates that do not come from a client: a person types them, or the manager does. Beside what a client may send as a
 * server name these are wildcards and IP addresses, which have certificates too. PURE.
 */
import { addressName, normaliseDomain, type ServerName } from './server-name.js';

/** Normalises a name that a certificate may be for. @returns undefined for what is none. */
export function certificateName(raw: string): ServerName | undefined {
  return normaliseDomain(raw) ?? addressName(raw);
}
