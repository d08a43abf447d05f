/**
 * From an accepted connection to a TLS connection with the right certificate.
 *
 * The ClientHello is read first and put back untouched, the certificate chosen, and only then OpenSSL sees the bytes.
 * (With an SNICallback, Node 20 and 22 serve the default certificate when the chosen one has another key type.)
 *
 * Two clocks: `handshakeTimeoutMs` runs only while we wait for the client's bytes; waiting for a certificate is bounded by
 * whoever chooses it.
 */
import type { Server, Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Tier } from '../domain/lookup.js';
import { normaliseServerName, type ServerName } from '../domain/server-name.js';
import { parseClientHello } from './client-hello.js';

/** The certificate for a connection. */
export interface Choice {
  readonly context: SecureContext;
  readonly tier: Tier;
}

/** What is known of a connection once its handshake is done. */
export interface ConnectionInfo {
  /** Absent: the client sent none, or not a valid one. */
  readonly serverName?: ServerName;
  readonly tier: Tier;
  /** Milliseconds that choosing the certificate took. */
  readonly chooseMs: number;
}

export interface ListenerOptions {
  /** Chooses the certificate: at once on a hit. Must not reject. `name` is undefined without a valid server name. */
  choose(name: ServerName | undefined, client: string): Choice | Promise<Choice>;
  readonly alpnProtocols: readonly string[];
  handshakeTimeoutMs(): number;
  /** Takes the connection over after the handshake. */
  onSecure(socket: TLSSocket, info: ConnectionInfo): void;
  /** A connection that came to nothing. */
  onFailure(reason: HandshakeFailure, detail: string): void;
}

export type HandshakeFailure = 'not-tls' | 'plain-http' | 'timeout' | 'closed' | 'tls-error';

const PLAIN_HTTP_ANSWER = (() => {
  const body = 'This port speaks TLS: use https:// instead of http://\n';
  return [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
})();

/**
 * Where a socket, raw or TLS, carries its handshake. The listeners are functions shared by all connections that find it
 * here: a closure for each listener of each connection, and a WeakMap, cost 2 % of a handshake.
 */
const HANDSHAKE = Symbol('handshake');

interface Carrier {
  [HANDSHAKE]?: Handshake;
}

/** What the handshake of this connection came to. */
export function connectionInfo(socket: Socket): ConnectionInfo | undefined {
  return (socket as Carrier)[HANDSHAKE]?.info;
}

/** Not in Node's types, needed on a server-side socket that was made by hand (both undocumented). */
interface TlsInternals {
  /** Without it a bad record after the handshake would neither error nor close the socket. */
  _releaseControl(): boolean;
  /** Stays true for ever on such a socket, and HTTP/2 waits for it. */
  secureConnecting: boolean;
}

/** Makes `server` hand over TLS connections. Returns the set of connections that are open, whatever their state. */
export function terminateTls(server: Server, options: ListenerOptions): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (raw) => {
    open.add(raw);
    new Handshake(raw, options, open);
  });
  return open;
}

function onRawData(this: Carrier, chunk: Buffer): void {
  this[HANDSHAKE]?.receive(chunk);
}
function onRawEnd(this: Carrier): void {
  this[HANDSHAKE]?.fail('closed', 'the client ended the connection before its ClientHello');
}
function onRawError(this: Carrier, error: Error): void {
  this[HANDSHAKE]?.fail('closed', error.message);
}
function onRawClose(this: Carrier): void {
  this[HANDSHAKE]?.closed();
}
function onTimeout(handshake: Handshake): void {
  handshake.fail('timeout', 'the client took too long over the handshake');
}
function onTlsClose(this: Carrier): void {
  this[HANDSHAKE]?.fail('closed', GONE);
}
function onTlsFailure(this: Carrier & TLSSocket, error: Error): void {
  this[HANDSHAKE]?.fail('tls-error', error.message);
  this.destroy();
}
function onTlsError(this: Carrier, error: Error): void {
  this[HANDSHAKE]?.fail('tls-error', error.message);
}
function onSecure(this: Carrier & TLSSocket): void {
  this[HANDSHAKE]?.secured(this);
}

const GONE = 'the client closed the connection';

/** One connection until its handshake is done. */
class Handshake {
  info: ConnectionInfo | undefined;
  readonly #raw: Socket;
  readonly #options: ListenerOptions;
  readonly #open: Set<Socket>;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Asked of the parser: a drip of single bytes is not parsed at each of them. */
  #needBytes = 0;
  #timer: NodeJS.Timeout;
  #done = false;
  /** What `onSecure` is told, once it is known. */
  #coming: ConnectionInfo | undefined;

  constructor(raw: Socket, options: ListenerOptions, open: Set<Socket>) {
    this.#raw = raw;
    this.#options = options;
    this.#open = open;
    this.#timer = this.#startTimer();
    (raw as Carrier)[HANDSHAKE] = this;
    raw.setNoDelay(true);
    raw.on('data', onRawData);
    raw.on('error', onRawError);
    raw.on('close', onRawClose);
    raw.on('end', onRawEnd);
  }

  receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < this.#needBytes) return;
    const bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received, this.#receivedBytes);
    this.#received = [bytes];
    const hello = parseClientHello(bytes);
    switch (hello.kind) {
      case 'incomplete':
        this.#needBytes = hello.needBytes;
        return;
      case 'plain-http':
        this.fail('plain-http', 'plain HTTP on a TLS port', PLAIN_HTTP_ANSWER);
        return;
      case 'invalid':
        this.fail('not-tls', hello.reason);
        return;
      case 'hello':
        this.#choose(hello.serverName, bytes);
    }
  }

  closed(): void {
    this.#open.delete(this.#raw);
    this.fail('closed', GONE);
  }

  secured(socket: TLSSocket): void {
    if (this.#done || this.#coming === undefined) return;
    this.#finish();
    socket.off('_tlsError', onTlsFailure);
    socket.off('close', onTlsClose);
    const internals = socket as unknown as TlsInternals;
    internals._releaseControl();
    internals.secureConnecting = false;
    this.info = this.#coming;
    this.#options.onSecure(socket, this.info);
  }

  fail(reason: HandshakeFailure, detail: string, answer?: string): void {
    if (this.#done) return;
    this.#finish();
    this.#raw.off('data', onRawData);
    if (answer === undefined) this.#raw.destroy();
    else this.#endWith(answer);
    this.#options.onFailure(reason, detail);
  }

  #startTimer(): NodeJS.Timeout {
    return setTimeout(onTimeout, this.#options.handshakeTimeoutMs(), this);
  }

  #choose(rawName: string | undefined, bytes: Buffer): void {
    const raw = this.#raw;
    // Paused before the bytes go back, or they would be emitted to nobody and lost.
    raw.pause();
    raw.off('data', onRawData);
    raw.off('end', onRawEnd);
    raw.unshift(bytes);
    this.#received = [];
    const serverName = rawName === undefined ? undefined : normaliseServerName(rawName);
    const startedMs = performance.now();
    const choice = this.#options.choose(serverName, raw.remoteAddress ?? '');
    if (choice instanceof Promise) {
      clearTimeout(this.#timer);
      void choice.then((late) => {
        if (this.#done) return;
        this.#timer = this.#startTimer();
        this.#secure(late, serverName, performance.now() - startedMs);
      });
    } else {
      this.#secure(choice, serverName, performance.now() - startedMs);
    }
  }

  #secure({ context, tier }: Choice, serverName: ServerName | undefined, chooseMs: number): void {
    this.#coming = serverName === undefined ? { tier, chooseMs } : { serverName, tier, chooseMs };
    const socket = new TLSSocket(this.#raw, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: [...this.#options.alpnProtocols],
      requestCert: false,
    });
    (socket as Carrier)[HANDSHAKE] = this;
    socket.on('error', onTlsError);
    socket.on('_tlsError', onTlsFailure);
    socket.on('close', onTlsClose);
    socket.on('secure', onSecure);
  }

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#timer);
  }

  /**
   * Answers and waits for the client to close, as long as for a handshake: what is still coming in is read and dropped, or
   * the answer would be lost to a reset.
   */
  #endWith(answer: string): void {
    const raw = this.#raw;
    const timer = setTimeout(() => raw.destroy(), this.#options.handshakeTimeoutMs());
    raw.once('close', () => clearTimeout(timer));
    raw.resume().end(answer);
  }
}
