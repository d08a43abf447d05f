/**
 * Handshakes with our own listener, as three kinds of clients make them: what a client really is served, for a person who asks why.
 *
 * Nothing is verified and no request is sent: only the certificate is looked at.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { addressText, connectOptions, type Address } from '../domain/address.js';
import { codeOf, describeError } from '../domain/errors.js';
import { leafFacts } from '../domain/leaf-facts.js';
import type { ServerName } from '../domain/server-name.js';
import type { ClientFacts, ClientKind } from '../diagnosis/report.js';

export interface ProbeOptions {
  /** Where the program listens for TLS. */
  readonly address: Address;
  /** Undefined: a client that sends none. */
  readonly serverName: ServerName | undefined;
  /** Whether connections of an address have to begin with a PROXY header. */
  sendsProxyHeader(this: void, peer: string): boolean;
  /** SHA-256 of the leaves of default certificates. */
  readonly defaults: ReadonlySet<string>;
  /** A protocol that they offer last, by which the workers know them from clients. */
  readonly marker: string;
  /** How long a handshake waits for its certificate. One that took so long is the last one: the others would only wait as well. */
  readonly lookupTimeoutMs: number;
  /** For a connection with its handshake. */
  readonly timeoutMs: number;
}

const CLIENTS: Readonly<Record<ClientKind, ConnectionOptions>> = {
  modern: {},
  'RSA only': {
    sigalgs: 'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:RSA+SHA256:RSA+SHA384',
    // For TLS 1.2, where the suite names the key.
    ciphers:
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384',
  },
  'TLS 1.2': { maxVersion: 'TLSv1.2' },
};

/** Node's codes in words. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ENOENT: 'its socket is gone',
  ETIMEDOUT: 'it does not answer',
};

/** One handshake for each kind of client, one after the other. Never rejects. */
export async function probeHandshakes(
  kinds: readonly ClientKind[],
  options: ProbeOptions,
): Promise<ClientFacts[]> {
  const clients: ClientFacts[] = [];
  for (const kind of kinds) {
    const client = await probe(kind, options);
    clients.push(client);
    if (client.tookMs >= options.lookupTimeoutMs) break;
  }
  return clients;
}

async function probe(client: ClientKind, options: ProbeOptions): Promise<ClientFacts> {
  const { address, defaults } = options;
  const startedAtMs = performance.now();
  const tookMs = (): number => performance.now() - startedAtMs;
  let raw: Socket | undefined;
  try {
    raw = await connected(withRealHost(address), options.timeoutMs);
    const socket = await secured(raw, CLIENTS[client], options);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return { client, tookMs: tookMs(), failure: 'no certificate was served' };
    const leaf = leafFacts(new X509Certificate(certificate.raw));
    const protocol = socket.getProtocol();
    return {
      client,
      tookMs: tookMs(),
      leaf,
      isDefault: defaults.has(leaf.fingerprint),
      ...(protocol !== null && { protocol }),
    };
  } catch (thrown) {
    const why = UNREACHABLE[codeOf(thrown) ?? ''];
    const failure =
      why === undefined ? failureText(thrown) : `${addressText(address)} cannot be reached: ${why}`;
    return { client, tookMs: tookMs(), failure };
  } finally {
    raw?.destroy();
  }
}

/** The address that all addresses of the machine are bound by is none to connect to. */
function withRealHost(address: Address): Address {
  if ('socketPath' in address) return address;
  if (address.host === '0.0.0.0') return { ...address, host: '127.0.0.1' };
  return address.host === '::' ? { ...address, host: '::1' } : address;
}

function connected(address: Address, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(connectOptions(address));
    // One that nobody accepts stands in the kernel's queue, or before it.
    socket.setTimeout(timeoutMs, () => {
      socket.destroy();
      reject(new Error(`${addressText(address)} has not accepted a connection in time`));
    });
    socket.once('connect', () => {
      socket.setTimeout(0).removeAllListeners('timeout');
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function secured(raw: Socket, kind: ConnectionOptions, options: ProbeOptions): Promise<TLSSocket> {
  const { serverName, sendsProxyHeader, marker, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    // No address is told: the connection is its own.
    if (sendsProxyHeader(raw.localAddress ?? '')) raw.write('PROXY UNKNOWN\r\n');
    const socket = connectTls({
      socket: raw,
      ...kind,
      ...(serverName !== undefined && { servername: serverName }),
      ALPNProtocols: ['h2', 'http/1.1', marker],
      rejectUnauthorized: false,
    });
    socket.once('secureConnect', () => resolve(socket));
    // It also comes after a refusal of the server's that ends the connection later.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed before the handshake ended')));
    raw.setTimeout(timeoutMs, () => reject(new Error('the handshake has not ended in time')));
  });
}

/** OpenSSL's alerts by their names: `unrecognized name` for `…:SSL alert number 112`. */
function failureText(thrown: unknown): string {
  const reason =
    typeof thrown === 'object' && thrown !== null && 'reason' in thrown ? thrown.reason : undefined;
  return typeof reason === 'string' ? reason : describeError(thrown);
}
