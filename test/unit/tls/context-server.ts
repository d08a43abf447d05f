/**
 * A TLS server that is given the context to serve, and visits to it.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { connect, type SecureContext } from 'node:tls';
import type { CertificateBundle, CertificatePair } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
import type { TlsClientSocket } from '../../../lib/net/client-socket.js';
import { terminateTls, type ChosenCertificate } from '../../../lib/tls/terminate.js';
import { listenerOptions } from './listener-options.js';

export interface ContextServer {
  readonly port: number;
  /** The context of the connections from now on. */
  use(context: SecureContext): void;
  close(): void;
}

/** @param onSecure what becomes of a connection: by default a byte is sent, and it is closed. */
export async function serveContexts(
  onSecure: (socket: TlsClientSocket) => void = (socket) => {
    socket.write('.', 'latin1');
    socket.end();
  },
): Promise<ContextServer> {
  let choice: ChosenCertificate | undefined;
  const server = createServer();
  terminateTls(server, {
    ...listenerOptions,
    choose: () => choice ?? expect.fail('no context yet'),
    onSecure: (socket) => {
      socket.on('error', () => undefined);
      onSecure(socket);
    },
    onFailure: () => undefined,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    use: (context) => void (choice = { context, tier: 'lru' }),
    close: () => server.close(),
  };
}

/** What is served of these, the names left out of account. */
export function bundleOf(...pairs: CertificatePair[]): CertificateBundle {
  const verdict = examine(pairs, undefined, Date.now());
  if (verdict.kind !== 'usable') throw new Error(verdict.reason);
  return verdict.bundle;
}

export const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof VERSIONS)[number];

export interface Visit {
  /** Those that the server has given with its tickets. */
  readonly sessions: readonly Buffer[];
  readonly reused: boolean;
  readonly cipher: string;
}

/** A connection to a server that closes it. @param session is offered. */
export async function visit(port: number, version: Version, session?: Buffer): Promise<Visit> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false },
    ...{ minVersion: version, maxVersion: version },
    ...(session === undefined ? {} : { session }),
  });
  const sessions: Buffer[] = [];
  socket.on('session', (next: Buffer) => sessions.push(next));
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  const cipher = socket.getCipher().name;
  if (version === 'TLSv1.2' && reused) {
    // OpenSSL tells of no new ticket then: it is in the session.
    const next = socket.getSession();
    if (next !== undefined && session?.equals(next) === false) sessions.push(next);
  }
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  return { sessions, reused, cipher };
}
