/**
 * A visitor of the program: a handshake for a name, and the information page that says which tier answered it.
 *
 *     const { names, tier } = await visit(program, 'a.test');
 */
import { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { connectTls, describeHandshake } from './client.js';
import { eventuallySees } from './eventually.js';

export interface Visit {
  /** The names of the leaf that was served, as the client saw it. */
  readonly names: string;
  /** SHA-256 of that leaf; compare with `fingerprintOf`. */
  readonly fingerprint: string;
  readonly tier: string;
}

/** Makes a handshake and one request. The program must have no backend. */
export async function visit(
  { port }: { readonly port: number },
  servername: string,
  options: ConnectionOptions & { readonly localAddress?: string } = {},
): Promise<Visit> {
  const socket = await connectTls({ ...options, port, servername });
  try {
    const { names, certificate } = describeHandshake(socket);
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    let page = '';
    for await (const chunk of socket) page += String(chunk);
    const tier = /^Answered by +(\S+)$/m.exec(page)?.[1];
    if (tier === undefined) throw new Error(`no information page but ${page}`);
    return { names, fingerprint: certificate.fingerprint256, tier };
  } finally {
    socket.destroy();
  }
}

/** What `visit` says of a certificate. */
export function fingerprintOf({ chainPem }: { readonly chainPem: string }): string {
  return new X509Certificate(chainPem).fingerprint256;
}

/** Visits until the certificate of `pair` is served. */
export function eventuallyServes(
  program: { readonly port: number },
  servername: string,
  pair: { readonly chainPem: string },
): Promise<Visit> {
  const wanted = fingerprintOf(pair);
  return eventuallySees(
    `${servername} gets its certificate`,
    () => visit(program, servername),
    ({ fingerprint }) => fingerprint === wanted,
  );
}
