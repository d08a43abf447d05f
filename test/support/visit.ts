/**
 * A visitor of the program: a handshake for a name, and the information page that says which tier answered it.
 *
 *     const { names, tier } = await visit(program, 'a.test');
 */
import { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { connectTls, describeHandshake } from './client.js';

export interface Visit {
  /** The names of the leaf that was served, as the client saw it. */
  readonly names: string;
  /** SHA-256 of that leaf; compare with `fingerprintOf`. */
  readonly fingerprint: string;
  readonly tier: string;
}

const TIME_IS_UP_MS = 15_000;
const BETWEEN_LOOKS_MS = 20;

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

/** Looks again and again until what is looked at is as it should be, and returns it. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  isRight: (seen: T) => boolean,
): Promise<T> {
  const endMs = Date.now() + TIME_IS_UP_MS;
  for (;;) {
    const seen = await look();
    if (isRight(seen)) return seen;
    if (Date.now() > endMs) throw new Error(`in vain: ${what}; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
}

/** Visits until the certificate of `pair` is served. */
export function eventuallyServes(
  program: { readonly port: number },
  servername: string,
  pair: { readonly chainPem: string },
): Promise<Visit> {
  const wanted = fingerprintOf(pair);
  return eventually(
    `${servername} gets its certificate`,
    () => visit(program, servername),
    ({ fingerprint }) => fingerprint === wanted,
  );
}
