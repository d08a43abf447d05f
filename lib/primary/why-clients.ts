/**
 * The clients that `why` plays: three kinds of them on the first listener, and the modern one on each of the others at the same time.
 *
 * The others may have default certificates of their own, may be reached by other ways, and may stand still alone.
 */
import { X509Certificate } from 'node:crypto';
import type { Settings } from '../config/settings.js';
import type { ClientFacts, ClientKind, WhyFacts } from '../diagnosis/report.js';
import { addressText, type Address } from '../domain/address.js';
import type { CertificatePair } from '../domain/certificate.js';
import { fingerprintOf } from '../domain/fingerprint.js';
import { splitChain } from '../domain/pem.js';
import type { ServerName } from '../domain/server-name.js';
import { AddressList } from '../net/address-list.js';
import { probeHandshakes, type ProbeOptions } from './handshake-probe.js';

export interface WhyClientsParts {
  readonly settings: Pick<Settings, 'acceptProxyProtocol' | 'listen' | 'lookupTimeoutMs'>;
  /** Where the program listens for TLS. */
  readonly addresses: readonly Address[];
  /** Those of the program; listeners may have others. */
  readonly defaultPairs: readonly CertificatePair[];
  /** By which the workers know their handshakes. */
  readonly marker: string;
}

/** So many listeners are asked, the first one included. */
const MAX_LISTENERS = 8;
/** Added to what a handshake may wait for its certificate. */
const HANDSHAKE_GRACE_MS = 2_000;

/** All kinds but the one that may have more looked up than others do. */
export async function playClients(
  name: ServerName | undefined,
  parts: WhyClientsParts,
): Promise<Pick<WhyFacts, 'clients' | 'otherListeners' | 'listenersLeftOut'>> {
  const { addresses } = parts;
  const common = commonOptions(name, parts);
  const [clients, ...others] = await Promise.all(
    addresses
      .slice(0, MAX_LISTENERS)
      .map((address, i) => play(i === 0 ? ['modern', 'TLS 1.2'] : ['modern'], { ...common, address }, parts)),
  );
  const leftOut = Math.max(0, addresses.length - MAX_LISTENERS);
  return {
    clients: clients ?? [],
    ...(others.length > 0 && { otherListeners: others.flat() }),
    ...(leftOut > 0 && { listenersLeftOut: leftOut }),
  };
}

/** A client that may have the RSA half looked for, which mends what is old: only where nothing is. */
export function playRsaClient(name: ServerName | undefined, parts: WhyClientsParts): Promise<ClientFacts[]> {
  const [first] = parts.addresses;
  return first === undefined
    ? Promise.resolve([])
    : play(['RSA only'], { ...commonOptions(name, parts), address: first }, parts);
}

async function play(
  kinds: readonly ClientKind[],
  options: ProbeOptions,
  { addresses }: WhyClientsParts,
): Promise<ClientFacts[]> {
  const clients = await probeHandshakes(kinds, options);
  return addresses.length === 1
    ? clients
    : clients.map((client) => ({ ...client, listener: addressText(options.address) }));
}

/** The same for every listener. */
function commonOptions(
  serverName: ServerName | undefined,
  { settings, defaultPairs, marker }: WhyClientsParts,
): Omit<ProbeOptions, 'address'> {
  const proxies = new AddressList(settings.acceptProxyProtocol);
  const pairs = [...defaultPairs, ...settings.listen.flatMap((listener) => listener.defaultPairs ?? [])];
  return {
    serverName,
    sendsProxyHeader: (peer) => proxies.has(peer),
    defaults: new Set(pairs.map(leafFingerprintOf)),
    marker,
    lookupTimeoutMs: settings.lookupTimeoutMs,
    timeoutMs: settings.lookupTimeoutMs + HANDSHAKE_GRACE_MS,
  };
}

function leafFingerprintOf({ chainPem }: CertificatePair): string {
  const leaf = new X509Certificate(splitChain(chainPem)[0] ?? '');
  return fingerprintOf(leaf);
}
