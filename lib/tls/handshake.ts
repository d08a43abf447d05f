/**
 * One connection from its first byte to the end of its handshake.
 *
 *  1. A PROXY header is read where the peer is one of those that must send it. Its addresses stand for the socket's.
 *  2. The ClientHello is read and put back untouched, and the certificate chosen.
 *  3. Only then OpenSSL sees the bytes. (With an SNICallback, Node 20 and 22 serve the default certificate when the chosen
 *     one has another key type.)
 *
 * Two clocks: `handshakeTimeoutMs` runs only while we wait for the client's bytes; waiting for a certificate is bounded by
 * whoever chooses it.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { TIER_DEFAULT, type Tier } from '../domain/lookup.js';
import { normaliseServerName, type ServerName } from '../domain/server-name.js';
import { parseClientHello, type ClientHello } from './client-hello.js';
import { plainAddress, type ConnectionInfo, type Endpoint } from './connection-info.js';
import type { ConnectionPlace } from './connection-limits.js';
import { parseProxyHeader } from './proxy-protocol.js';

/** The certificate for a connection. */
export interface Choice {
  readonly context: SecureContext;
  readonly tier: Tier;
}

export interface HandshakeOptions {
  /** Which `--listen` this is, from 0. */
  readonly index: number;
  /** Chooses the certificate: at once on a hit. Must not reject. `name` is undefined without a valid server name. */
  choose(name: ServerName | undefined, client: string): Choice | Promise<Choice>;
  /**
   * The protocols that a connection may speak, best first; empty: ALPN is not answered. Where none of them is offered, the
   * handshake fails.
   *
   * @param offered what the client has offered, one character for each octet (latin1).
   */
  alpnFor(name: ServerName | undefined, offered: readonly string[]): readonly string[];
  /** Whether the connections of this peer begin with a PROXY header. */
  sendsProxyHeader(peer: string): boolean;
  /** Whether a client that has sent a name without a certificate gets an alert in place of the default certificate. */
  rejectsUnknownNames(): boolean;
  handshakeTimeoutMs(): number;
  /** Takes the connection over after the handshake. `raw` carries it. */
  onSecure(socket: TLSSocket, info: ConnectionInfo, raw: Socket): void;
  /** A connection that came to nothing. */
  onFailure(reason: HandshakeFailure, detail: string): void;
}

export type HandshakeFailure =
  | 'not-tls'
  | 'plain-http'
  /** A peer that must send a PROXY header has sent another thing. */
  | 'no-proxy-header'
  | 'too-many-connections'
  | 'unknown-name'
  | 'timeout'
  | 'closed'
  | 'tls-error';

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

/** A record of its own with the fatal alert 112 (RFC 6066 §3): before the ServerHello it goes in the clear. */
const UNRECOGNIZED_NAME_ALERT = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70]);

/** Not in Node's types, needed on a server-side socket that was made by hand (both undocumented). */
interface TlsInternals {
  /** Without it a bad record after the handshake would neither error nor close the socket. */
  _releaseControl(): boolean;
  /** Stays true for ever on such a socket, and HTTP/2 waits for it. */
  secureConnecting: boolean;
}

export class Handshake {
  readonly #raw: Socket;
  readonly #options: HandshakeOptions;
  readonly #place: ConnectionPlace;
  #client: Endpoint;
  #local: Endpoint;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Asked of the parser: a drip of single bytes is not parsed at each of them. */
  #needBytes = 0;
  #awaitsProxyHeader = false;
  #timer: NodeJS.Timeout | undefined;
  #done = false;

  constructor(raw: Socket, options: HandshakeOptions, place: ConnectionPlace) {
    this.#raw = raw;
    this.#options = options;
    this.#place = place;
    this.#client = { address: plainAddress(raw.remoteAddress), port: raw.remotePort ?? 0 };
    this.#local = { address: plainAddress(raw.localAddress), port: raw.localPort ?? 0 };
  }

  start(): void {
    const raw = this.#raw;
    raw.on('error', this.#onError);
    this.#awaitsProxyHeader = this.#options.sendsProxyHeader(this.#client.address);
    // The address of a proxy is the address of all its clients: its own does not count.
    if (!this.#awaitsProxyHeader && !this.#claimPlace()) return;
    this.#startTimer();
    raw.setNoDelay(true);
    raw.on('data', this.#onData);
    raw.on('close', this.#onClose);
    raw.on('end', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < this.#needBytes) return;
    const bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received, this.#receivedBytes);
    this.#received = [bytes];
    if (this.#awaitsProxyHeader) this.#readProxyHeader(bytes);
    else this.#readHello(bytes);
  };

  readonly #onError = (error: Error): void => this.#fail('closed', error.message);
  readonly #onClose = (): void => this.#fail('closed', 'the client closed the connection');
  readonly #onEnd = (): void =>
    this.#fail('closed', 'the client ended the connection before its ClientHello');
  readonly #onTimeout = (): void => this.#fail('timeout', 'the client took too long over the handshake');

  #startTimer(): void {
    this.#timer = setTimeout(this.#onTimeout, this.#options.handshakeTimeoutMs());
  }

  #claimPlace(): boolean {
    const { address } = this.#client;
    if (this.#place.claim(address)) return true;
    this.#fail('too-many-connections', `too many connections from ${address}`);
    return false;
  }

  #readProxyHeader(bytes: Buffer): void {
    const header = parseProxyHeader(bytes);
    switch (header.kind) {
      case 'incomplete':
        this.#needBytes = header.needBytes;
        return;
      case 'invalid':
        this.#fail('no-proxy-header', header.reason);
        return;
      case 'header': {
        this.#awaitsProxyHeader = false;
        if (header.peers !== undefined) {
          this.#client = header.peers.source;
          this.#local = header.peers.destination;
          if (!this.#claimPlace()) return;
        }
        const rest = bytes.subarray(header.consumedBytes);
        this.#needBytes = 0;
        this.#receivedBytes = rest.length;
        this.#received = rest.length === 0 ? [] : [rest];
        if (rest.length > 0) this.#readHello(rest);
      }
    }
  }

  #readHello(bytes: Buffer): void {
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
        this.#choose(hello, bytes);
    }
  }

  #choose(hello: ClientHello, bytes: Buffer): void {
    const raw = this.#raw;
    // Paused before the bytes go back, or they would be emitted to nobody and lost.
    raw.pause();
    raw.off('data', this.#onData);
    raw.off('end', this.#onEnd);
    raw.unshift(bytes);
    this.#received = [];
    const serverName = hello.serverName === undefined ? undefined : normaliseServerName(hello.serverName);
    const startedMs = performance.now();
    const choice = this.#options.choose(serverName, this.#client.address);
    if (choice instanceof Promise) {
      clearTimeout(this.#timer);
      void choice.then((late) => {
        if (this.#done) return;
        this.#startTimer();
        this.#secure(late, hello, serverName, performance.now() - startedMs);
      });
    } else {
      this.#secure(choice, hello, serverName, performance.now() - startedMs);
    }
  }

  #secure(choice: Choice, hello: ClientHello, serverName: ServerName | undefined, chooseMs: number): void {
    const raw = this.#raw;
    const isUnknown = hello.serverName !== undefined && choice.tier === TIER_DEFAULT;
    if (isUnknown && this.#options.rejectsUnknownNames()) {
      this.#fail('unknown-name', 'no certificate for the server name', UNRECOGNIZED_NAME_ALERT);
      return;
    }
    const alpn = this.#options.alpnFor(serverName, hello.alpn);
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: choice.context,
      ...(alpn.length > 0 && { ALPNProtocols: protocolList(alpn) }),
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
      this.#options.onSecure(socket, info, raw);
    });
  }

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#raw.off('close', this.#onClose);
  }

  #fail(reason: HandshakeFailure, detail: string, answer?: string | Buffer): void {
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
  #endWith(answer: string | Buffer): void {
    const raw = this.#raw;
    const timer = setTimeout(() => raw.destroy(), this.#options.handshakeTimeoutMs());
    raw.once('close', () => clearTimeout(timer));
    raw.resume().end(answer);
  }
}

/** ProtocolNameList of RFC 7301 §3.1. Node would write names as UTF-8, which not all are. */
function protocolList(protocols: readonly string[]): Buffer {
  return Buffer.concat(
    protocols.map((protocol) => {
      const name = Buffer.from(protocol, 'latin1');
      return Buffer.concat([Buffer.from([name.length]), name]);
    }),
  );
}
