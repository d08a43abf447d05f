/**
 * Asks the name servers for both kinds of addresses of one name, by c-ares: that takes no thread, and tells how long an answer holds.
 */
import { Resolver } from 'node:dns/promises';
import { within } from '../../base/within.js';
import { codeOf } from '../../domain/errors.js';
import type { Family, Found } from './found.js';

/** What is used of Node's `Resolver`. */
export interface DnsResolver {
  resolve4(name: string, options: { ttl: true }): Promise<readonly DnsRecord[]>;
  resolve6(name: string, options: { ttl: true }): Promise<readonly DnsRecord[]>;
}

interface DnsRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** The first wait for an answer; c-ares doubles it each time, and shortens it where the servers are known to be fast. */
const FIRST_WAIT_MS = 800;
const TRIES = 3;
/** One kind of addresses has come: the longest wait for the other. Some name servers never answer AAAA. */
const OTHER_FAMILY_MS = 300;
const NO_ADDRESS = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * A resolver with the name servers of `resolv.conf` as it is now: 35 µs. For each look-up a new one, since some releases of Node let
 * c-ares remember answers for an hour.
 */
export function makeResolver(): DnsResolver {
  return new Resolver({ timeout: FIRST_WAIT_MS, tries: TRIES });
}

/** Settles within seven seconds. Never rejects. */
export async function askDns(name: string, resolver: DnsResolver): Promise<Found> {
  const v4 = askFamily(4, resolver.resolve4(name, { ttl: true }));
  const v6 = askFamily(6, resolver.resolve6(name, { ttl: true }));
  const first = await Promise.race([v4, v6]);
  const other = first.family === 4 ? v6 : v4;
  const second =
    first.found.kind === 'found' ? await within(other, () => undefined, OTHER_FAMILY_MS) : await other;
  return bothOf(first, second);
}

interface FamilyAnswer {
  readonly family: Family;
  readonly found: Found;
}

async function askFamily(family: Family, question: Promise<readonly DnsRecord[]>): Promise<FamilyAnswer> {
  try {
    const records = await question;
    if (records.length === 0) return { family, found: { kind: 'absent' } };
    const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
    return { family, found: { kind: 'found', addresses: records.map(({ address }) => address), ttlMs } };
  } catch (thrown) {
    const code = codeOf(thrown) ?? '';
    if (NO_ADDRESS.has(code)) return { family, found: { kind: 'absent' } };
    return { family, found: { kind: 'failed', reason: reasonOf(code), code } };
  }
}

function bothOf(first: FamilyAnswer, second: FamilyAnswer | undefined): Found {
  const one = first.found;
  const other = second?.found;
  const missing: Family = first.family === 4 ? 6 : 4;
  if (one.kind === 'found') {
    if (other === undefined || other.kind === 'failed') return { ...one, missing };
    if (other.kind === 'absent') return one;
    const ttlMs = Math.min(one.ttlMs, other.ttlMs);
    return { kind: 'found', addresses: [...one.addresses, ...other.addresses], ttlMs };
  }
  if (other?.kind === 'found') return one.kind === 'failed' ? { ...other, missing: first.family } : other;
  return one.kind === 'failed' ? one : (other ?? one);
}

function reasonOf(code: string): string {
  switch (code) {
    case 'ETIMEOUT':
      return 'no name server answers';
    case 'ECONNREFUSED':
      return 'there is no name server at its address';
    default:
      return `the name server answers with an error (${code})`;
  }
}
