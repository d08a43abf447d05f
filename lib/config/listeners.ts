/**
 * Where connections are accepted: `--listen`, with the default certificates of single listeners, and `--http-listen`.
 */
import type { CertificatePair } from '../domain/certificate.js';
import type { FlagName } from './flags.js';
import type { GivenFlags } from './precedence.js';
import { readPairs } from './named-files.js';
import { parseListen } from './listen-address.js';
import type { Problem } from './problem.js';
import { addressText, type Address, type PassedSocket } from '../domain/address.js';
import { takesConnectionsOf } from '../domain/wildcard-address.js';
import type { ListenAddress, Settings } from './settings.js';

/** What listeners depend on beside what was given. */
export interface ListenerSurroundings {
  readonly nowMs: number;
  /** Whether the machine has the address `::1`. */
  readonly hasIpv6: boolean;
  /** The sockets that were passed to the program, where a value means such: see `passed-sockets.ts`. */
  parsePassed(this: void, text: string): readonly PassedSocket[] | Problem | undefined;
}

/**
 * @returns the addresses, and a warning for each certificate of a listener that is expired or not valid yet.
 * @throws ProxyError ERR_USAGE: no address, one twice, or a certificate that cannot be served.
 */
export function readListeners(
  given: GivenFlags,
  { nowMs, hasIpv6, parsePassed }: ListenerSurroundings,
): { settings: Pick<Settings, 'listen' | 'httpListen'>; warnings: string[] } {
  const warnings: string[] = [];
  const own = given.listenerPairs();
  const parse = (text: string): readonly (Address | PassedSocket)[] | Problem =>
    parsePassed(text) ?? parseListen(text, hasIpv6);
  const listen = given.list('listen', parse).flatMap((addresses, index): readonly ListenAddress[] => {
    const pairsOf = own[index];
    if (pairsOf === undefined) return addresses;
    const read = readPairs(given, pairsOf, nowMs);
    warnings.push(...read.warnings);
    return addresses.map((address) => withPairs(address, read.pairs));
  });
  if (listen.length === 0) given.fail('listen', 'needs an address');
  const httpListen = given.list('http-listen', parse).flat();
  refuseOverlaps(given, [
    ['listen', listen],
    ['http-listen', httpListen],
  ]);
  return { settings: { listen, httpListen }, warnings };
}

/** Addresses that only one of two sockets can have are refused here: the system would say so of the second when the program runs. */
export function refuseOverlaps(
  given: GivenFlags,
  lists: readonly (readonly [name: FlagName, addresses: readonly (Address | PassedSocket)[]])[],
): void {
  const before = new Map<string, Address | PassedSocket>();
  for (const [name, addresses] of lists) {
    for (const address of addresses) {
      // Port 0 is a port of the system's choice, each time another.
      if ('port' in address && address.port === 0) continue;
      const text = 'fd' in address ? `fd:${address.fd}` : addressText(address);
      if (before.has(text)) given.fail(name, `names ${text}, which is listened on already`);
      for (const [other, earlier] of before) {
        if (takesConnectionsOf(earlier, address)) {
          given.fail(name, `names ${text}, which ${other} takes too: leave one of them out`);
        }
        if (takesConnectionsOf(address, earlier)) {
          given.fail(name, `names ${text}, which takes ${other} too: leave one of them out`);
        }
      }
      before.set(text, address);
    }
  }
}

function withPairs(
  address: ListenAddress,
  defaultPairs: readonly CertificatePair[] | undefined,
): ListenAddress {
  return defaultPairs === undefined ? address : { ...address, defaultPairs };
}
