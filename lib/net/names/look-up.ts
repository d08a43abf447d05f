/**
 * Looks a name up, in this order:
 *
 *  1. `/etc/hosts`, read again when it has changed.
 *  2. `localhost` and the names below it are this machine (RFC 6761 §6.3), whatever a name server says.
 *  3. The name servers of `/etc/resolv.conf`, with its search domains: the first name that exists.
 *  4. The C library, for a name that is in neither, and only where `/etc/nsswitch.conf` has it ask somebody else.
 */
import { askDns, makeResolver, type DnsResolver } from './dns-question.js';
import type { Found } from './found.js';
import { fullNames, hasOtherServices, parseHosts, parseResolvConf } from './system-files.js';
import { SystemLookups, type AskSystem } from './system-lookups.js';
import { WatchedFile } from './watched-file.js';

/** Looks a name up afresh. Never rejects. */
export type LookUp = (name: string) => Promise<Found>;

export interface LookUpParts {
  /** @default Node's, with the name servers of `/etc/resolv.conf` */
  readonly makeResolver?: () => DnsResolver;
  /** @default `getaddrinfo` */
  readonly askSystem?: AskSystem;
  /** @default /etc/hosts */
  readonly hostsPath?: string;
  /** Where the search domains are. @default /etc/resolv.conf */
  readonly resolvConfPath?: string;
  /** @default /etc/nsswitch.conf */
  readonly nsswitchPath?: string;
}

/** How often `/etc/hosts` is looked at for a name that is in it. */
const FILE_TTL_MS = 5_000;
const LOOPBACK: Found = { kind: 'found', addresses: ['127.0.0.1', '::1'], ttlMs: FILE_TTL_MS };
/** It says nothing of a name that there is no name server to ask: the C library may know another way. */
const NO_SERVER = 'ECONNREFUSED';
/** After these of a name server there is no sense in asking it for the next name. */
const SILENCE = new Set<string | undefined>(['ETIMEOUT', NO_SERVER]);

export function makeLookUp(parts: LookUpParts = {}): LookUp {
  const hosts = new WatchedFile(parts.hostsPath ?? '/etc/hosts', parseHosts);
  const rules = new WatchedFile(parts.resolvConfPath ?? '/etc/resolv.conf', parseResolvConf);
  const others = new WatchedFile(parts.nsswitchPath ?? '/etc/nsswitch.conf', hasOtherServices);
  const resolverOf = parts.makeResolver ?? makeResolver;
  const system = new SystemLookups(parts.askSystem);
  return async (name) => {
    const bare = name.replace(/\.$/, '');
    const written = hosts.read().get(bare);
    if (written !== undefined) return { kind: 'found', addresses: written, ttlMs: FILE_TTL_MS };
    if (bare === 'localhost' || bare.endsWith('.localhost')) return LOOPBACK;
    const found = await askAll(fullNames(name, rules.read()), resolverOf());
    const isUnknown = found.kind === 'absent' || (found.kind === 'failed' && found.code === NO_SERVER);
    return isUnknown && others.read() ? await system.find(name) : found;
  };
}

/** The first that exists. As for the C library, an error of a server for one name does not keep the next from being asked for. */
async function askAll(names: readonly string[], resolver: DnsResolver): Promise<Found> {
  let outcome: Found = { kind: 'absent' };
  for (const name of names) {
    const found = await askDns(name, resolver);
    if (found.kind === 'found') return found;
    if (found.kind === 'absent') continue;
    outcome = found;
    if (SILENCE.has(found.code)) break;
  }
  return outcome;
}
