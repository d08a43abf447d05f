/**
 * A TLS server that is given the context to serve.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { CertificateBundle, CertificatePair } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
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
  onSecure: (socket: TLSSocket) => void = (socket) => void socket.end('.'),
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
