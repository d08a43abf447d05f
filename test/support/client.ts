/**
 * Clients of the program: a TLS handshake, an HTTPS request. Nothing is verified unless a `ca` is given: the tests look at
 * what is served, not at whom they trust.
 */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

export interface HandshakeOptions extends ConnectionOptions {
  readonly port: number;
}

export interface Handshake {
  /** The leaf that was served. */
  readonly certificate: X509Certificate;
  /** Its names, `DNS:…` taken off; its common name where it has no SAN. */
  readonly names: string;
  readonly protocol: string | null;
  readonly cipher: string;
  readonly alpn: string | false | null;
  readonly reused: boolean;
}

/**
 * Makes a handshake and closes the connection, in that order: with TLS 1.3 the client is done before its last message is
 * out, and a connection destroyed then is a failed handshake for the server.
 */
export async function handshake(options: HandshakeOptions): Promise<Handshake> {
  const socket = await connectTls(options);
  const result = describeHandshake(socket);
  socket.on('error', () => undefined); // a reset, when all is said
  socket.resume().end();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return result;
}

/** Makes a handshake and leaves the connection open. */
export async function connectTls(options: HandshakeOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

export function describeHandshake(socket: TLSSocket): Handshake {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Error('the server has sent no certificate');
  return {
    certificate,
    names: (certificate.subjectAltName ?? certificate.subject).replaceAll('DNS:', ''),
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().name,
    alpn: socket.alpnProtocol,
    reused: socket.isSessionReused(),
  };
}

export interface RequestOptions {
  readonly port: number;
  /** The server name of the handshake; also the Host, unless that is given. Absent: no SNI, Host 127.0.0.1. */
  readonly name?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `user:password`. */
  readonly auth?: string;
  readonly body?: string;
  readonly ca?: string;
  /** The address that it comes from. @default the system's choice */
  readonly localAddress?: string;
}

export interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Makes one HTTPS request on a connection of its own. */
export async function request(options: RequestOptions): Promise<Response> {
  const { port, name, path = '/', method = 'GET', headers = {}, auth, body, ca, localAddress } = options;
  const outgoing = httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    method,
    agent: false,
    servername: name ?? '',
    headers: { host: name ?? '127.0.0.1', connection: 'close', ...headers },
    ...(auth === undefined ? {} : { auth }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  };
}
