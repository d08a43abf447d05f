/**
 * TLS sessions of clients: made, and offered again.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { connectTls } from './client.js';

export const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof VERSIONS)[number];

/** A session made on this name; undefined: without a server name. */
export async function newSession(port: number, version: Version, servername?: string): Promise<Buffer> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: version, maxVersion: version },
    ...(servername === undefined ? {} : { servername }),
  });
  const [session] = (await once(socket, 'session')) as [Buffer];
  const closed = once(socket, 'close');
  socket.resume().end();
  await closed;
  return session;
}

export interface Visit {
  readonly reused: boolean;
  /** Those that the server has given with new tickets. */
  readonly sessions: readonly Buffer[];
  /** What the information page says. */
  readonly askedFor: string | undefined;
  readonly fingerprint: string | undefined;
  /** Those of the certificate that was sent. None is sent on a resumed connection. */
  readonly names: string | undefined;
}

/** A handshake that offers the session, and a request for the information page on it. */
export async function resume(
  port: number,
  version: Version,
  servername: string | undefined,
  session: Buffer,
): Promise<Visit> {
  const socket = await connectTls({
    ...{ port, session, minVersion: version, maxVersion: version },
    ...(servername === undefined ? {} : { servername }),
  });
  const sessions: Buffer[] = [];
  socket.on('session', (next: Buffer) => sessions.push(next));
  const reused = socket.isSessionReused();
  if (version === 'TLSv1.2') {
    // OpenSSL tells of no new ticket on a resumed connection: it is in the session.
    const next = socket.getSession();
    if (next?.equals(session) === false) sessions.push(next);
  }
  const names = socket.getPeerX509Certificate()?.subjectAltName?.replaceAll('DNS:', '');
  socket.write(`GET / HTTP/1.1\r\nHost: ${servername ?? 'a.example.org'}\r\nConnection: close\r\n\r\n`);
  let page = '';
  for await (const chunk of socket) page += String(chunk);
  return {
    reused,
    sessions,
    names,
    askedFor: /Name asked for +(.+)/.exec(page)?.[1],
    fingerprint: /((?:[0-9A-F]{2}:){31}[0-9A-F]{2})/.exec(page)?.[1],
  };
}

/** The element [10] of OpenSSL's SSL_SESSION in DER, which is the ticket, and its first 16 bytes. */
const TICKET = /\xaa(?:\x81.|\x82..)\x04(?:\x81.|\x82..)(.{16})/s;

/** The name of the key that a session's ticket is sealed with, in hex digits: the first bytes of the ticket. Undefined: it has none. */
export function ticketKeyName(session: Buffer): string | undefined {
  const name = TICKET.exec(session.toString('latin1'))?.[1];
  return name === undefined ? undefined : Buffer.from(name, 'latin1').toString('hex');
}
