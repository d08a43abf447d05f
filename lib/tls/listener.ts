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
import { plainAddress, type ConnectionInfo, type Endpoint } from './connection-info.js';

/** The certificate for a connection. */
export interface Choice {
  readonly context: SecureContext;
  readonly tier: Tier;
}

export interface ListenerOptions {
  /** Which `--listen` this is, from 0. */
  readonly index: number;
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
    raw.once('close', () => open.delete(raw));
    new Handshake(raw, options);
  });
  return open;
}

/** One connection until its handshake is done. */
class Handshake {
  readonly #raw: Socket;
  readonly #options: ListenerOptions;
  readonly #client: Endpoint;
  readonly #local: Endpoint;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Asked of the parser: a drip of single bytes is not parsed at each of them. */
  #needBytes = 0;
  #timer: NodeJS.Timeout;
  #done = false;

  constructor(raw: Socket, options: ListenerOptions) {
    this.#raw = raw;
    this.#options = options;
    this.#client = { address: plainAddress(raw.remoteAddress), port: raw.remotePort ?? 0 };
    this.#local = { address: plainAddress(raw.localAddress), port: raw.localPort ?? 0 };
    this.#timer = this.#startTimer();
    raw.setNoDelay(true);
    raw.on('data', this.#onData);
    raw.on('error', this.#onError);
    raw.on('close', this.#onClose);
    raw.on('end', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
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
        this.#fail('plain-http', 'plain HTTP on a TLS port', PLAIN_HTTP_ANSWER);
        return;
      case 'invalid':
        this.#fail('not-tls', hello.reason);
        return;
      case 'hello':
        this.#choose(hello.serverName, bytes);
    }
  };

  readonly #onError = (error: Error): void => this.#fail('closed', error.message);
  readonly #onClose = (): void => this.#fail('closed', 'the client closed the connection');
  readonly #onEnd = (): void =>
    this.#fail('closed', 'the client ended the connection before its ClientHello');
  readonly #onTimeout = (): void => this.#fail('timeout', 'the client took too long over the handshake');

  #startTimer(): NodeJS.Timeout {
    return setTimeout(this.#onTimeout, this.#options.handshakeTimeoutMs());
  }

  #choose(rawName: string | undefined, bytes: Buffer): void {
    const raw = this.#raw;
    // Paused before the bytes go back, or they would be emitted to nobody and lost.
    raw.pause();
    raw.off('data', this.#onData);
    raw.off('end', this.#onEnd);
    raw.unshift(bytes);
    this.#received = [];
    const serverName = rawName === undefined ? undefined : normaliseServerName(rawName);
    const startedMs = performance.now();
    const choice = this.#options.choose(serverName, this.#client.address);
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

  #secure(choice: Choice, serverName: ServerName | undefined, chooseMs: number): void {
    const raw = this.#raw;
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: choice.context,
      ALPNProtocols: [...this.#options.alpnProtocols],
      requestCert: false,
    });
    socket.on('error', (error: Error) => this.#fail('tls-error', error.message));
    const onTlsError = (error: Error): void => {
      this.#fail('tls-error', error.message);
      socket.destroy();
    };
    socket.on('_tlsError', onTlsError);
    socket.on('close', this.#onClose);
    socket.on('secure', () => {
      if (this.#done) return;
      this.#finish();
      socket.off('_tlsError', onTlsError);
      socket.off('close', this.#onClose);
      const internals = socket as unknown as TlsInternals;
      internals._releaseControl();
      internals.secureConnecting = false;
      const info: ConnectionInfo = {
        scheme: 'https',
        ...(serverName !== undefined && { serverName }),
        tier: choice.tier,
        chooseMs,
        // The type has null before the handshake, false without ALPN.
        ...(typeof socket.alpnProtocol === 'string' && { alpn: socket.alpnProtocol }),
        client: this.#client,
        local: this.#local,
        listener: this.#options.index,
      };
      this.#options.onSecure(socket, info);
    });
  }

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#raw.off('close', this.#onClose);
  }

  #fail(reason: HandshakeFailure, detail: string, answer?: string): void {
    if (this.#done) return;
    this.#finish();
    this.#raw.off('data', this.#onData);
    if (answer === undefined) this.#raw.destroy();
    else this.#endWith(answer);
    this.#options.onFailure(reason, detail);
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
