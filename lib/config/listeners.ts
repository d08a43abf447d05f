/**
 * Where connections are accepted: `--listen`, with the default certificates of single listeners, and `--http-listen`.
 */
import type { CertificatePair } from '../domain/certificate.js';
import type { GivenFlags } from './precedence.js';
import { readPairs } from './named-files.js';
import { parseListen } from './listen-address.js';
import type { Problem } from './problem.js';
import { addressText, type Address, type PassedSocket } from '../domain/address.js';
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
  const before = new Set<string>();
  for (const [name, addresses] of [['listen', listen] as const, ['http-listen', httpListen] as const]) {
    for (const address of addresses) {
      // Port 0 is a port of the system's choice, each time another.
      if ('port' in address && address.port === 0) continue;
      const text = 'fd' in address ? `fd:${address.fd}` : addressText(address);
      if (before.has(text)) given.fail(name, `names ${text}, which is listened on already`);
      before.add(text);
    }
  }
  return { settings: { listen, httpListen }, warnings };
}

function withPairs(
  address: ListenAddress,
  defaultPairs: readonly CertificatePair[] | undefined,
): ListenAddress {
  return defaultPairs === undefined ? address : { ...address, defaultPairs };
}
