/**
 * One connection from its first byte to the end of its handshake.
 *
 *  1. A PROXY header is read where the peer is one of those that must send it. Its addresses stand for the socket's.
 *  2. The ClientHello is read and put back untouched, and the certificate chosen.
 *  3. Only then OpenSSL sees the bytes. (With an SNICallback, Node 20 and 22 serve the default certificate when the chosen
 *     one has another key type.)
 *
 * All of it is written for speed: `bench` compares it with plain `https`. The listeners are functions that all connections
 * share and that find their handshake on the socket, where closures would be made anew for each connection.
 *
 * Two clocks: `handshakeTimeoutMs` runs only while we wait for the client's bytes; waiting for a certificate is bounded by
 * whoever chooses it.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { TIER_DEFAULT, type Tier } from '../domain/lookup.js';
import { addressName, normaliseServerName, type ServerName } from '../domain/server-name.js';
import { parseClientHello, type ClientHello } from './client-hello.js';
import type { ConnectionInfo, Endpoint } from '../net/connection-info.js';
import type { ConnectionSlot } from '../net/connection-limits.js';
import { opensslReason, type FailedHandshake, type HandshakeFailure } from './failed-handshake.js';
import { namesClient, parseProxyHeader } from '../net/proxy-protocol-parser.js';
import type { Transport, RawConnection, Reader } from '../net/raw-connection.js';
import { TlsConnectionInfo } from './tls-connection-info.js';

/** The certificate for a connection. */
export interface ChosenCertificate {
  readonly context: SecureContext;
  readonly tier: Tier;
}

export interface HandshakeOptions {
  /** Which `--listen` this is, from 0. */
  readonly index: number;
  /**
   * Chooses the certificate: at once on a hit. Must not reject.
   *
   * @param name without a valid server name the local address of the connection, where `choosesByAddress`; else undefined.
   * @param hello the bytes of the ClientHello, as they came.
   */
  choose(
    name: ServerName | undefined,
    client: string,
    hello: Buffer,
  ): ChosenCertificate | Promise<ChosenCertificate>;
  /**
   * The protocols that a connection may speak, as `protocolList` makes them; undefined: ALPN is not answered. Where none of
   * them is offered, the handshake fails.
   *
   * @param offered what the client has offered, one character for each octet (latin1).
   */
  alpnFor(name: ServerName | undefined, offered: readonly string[]): Buffer | undefined;
  /** Whether there may be certificates for the addresses that clients have connected to. */
  choosesByAddress(): boolean;
  /** Whether the connections of this peer begin with a PROXY header. */
  sendsProxyHeader(peer: string): boolean;
  /** Whether a client that has sent a name without a certificate gets an alert in place of the default certificate. */
  rejectsUnknownNames(): boolean;
  handshakeTimeoutMs(): number;
  /** Takes the connection over after the handshake. `raw` carries it. */
  onSecure(socket: TLSSocket, info: ConnectionInfo, raw: Transport): void;
  /** A connection that came to nothing. */
  onFailure(failure: FailedHandshake): void;
}

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

/** Not in Node's types, needed on a server-side socket that was made by hand (all undocumented). */
interface TlsInternals {
  /** Without it a bad record after the handshake would neither error nor close the socket. */
  _releaseControl(): boolean;
  /** Stays true for ever on such a socket, and HTTP/2 waits for it. */
  secureConnecting: boolean;
  readonly _handle: {
    /** Takes bytes that were read from the connection before: what Node does with those in the raw socket's buffer. */
    receive(bytes: Buffer): void;
  } | null;
}

/** Where a connection, raw or TLS, has its handshake. */
const HANDSHAKE = Symbol('handshake');

interface HasHandshake {
  [HANDSHAKE]?: Handshake;
}

function onRawClose(this: HasHandshake): void {
  this[HANDSHAKE]?.close();
}

function onTimeout(handshake: Handshake): void {
  handshake.fail('timeout', 'the client took too long over the handshake');
}

function onTlsError(this: TLSSocket & HasHandshake, error: Error): void {
  if (this[HANDSHAKE]?.failWith(error) === true) this.destroy();
}

function onSecure(this: TLSSocket & HasHandshake): void {
  this[HANDSHAKE]?.secured(this);
}

/** What all connections of a listener share, and what this one has of it. */
export interface HandshakeParts {
  readonly options: HandshakeOptions;
  readonly slot: ConnectionSlot;
  /** Gets the connection for as long as it is open. */
  readonly open: Set<RawConnection>;
}

export class Handshake implements Reader {
  readonly #raw: RawConnection & HasHandshake;
  readonly #options: HandshakeOptions;
  readonly #slot: ConnectionSlot;
  readonly #open: Set<RawConnection>;
  #client: Endpoint;
  #isClientKnown = true;
  /** Undefined: the kernel is to be asked. */
  #local: Endpoint | undefined;
  /** What has come, where that was not enough. */
  #early: Buffer[] | undefined;
  #earlyBytes = 0;
  /** Asked of the parser: a drip of single bytes is not parsed at each of them. */
  #needBytes = 0;
  #awaitsProxyHeader = false;
  #timer: NodeJS.Timeout | undefined;
  /** What has come with the ClientHello, for the log of a failure. Let go of with the handshake. */
  #hello: Buffer | undefined;
  #choice: ChosenCertificate | undefined;
  #serverName: ServerName | undefined;
  #chooseMs = 0;
  #done = false;

  /** @param client the other end of `raw`. */
  constructor(raw: RawConnection, client: Endpoint, { options, slot, open }: HandshakeParts) {
    this.#raw = raw;
    this.#client = client;
    this.#options = options;
    this.#slot = slot;
    this.#open = open;
  }

  start(): void {
    const raw = this.#raw;
    raw[HANDSHAKE] = this;
    this.#open.add(raw);
    raw.on('close', onRawClose);
    this.#awaitsProxyHeader = this.#options.sendsProxyHeader(this.#client.address);
    // The address of a proxy is the address of all its clients: its own does not count.
    if (!this.#awaitsProxyHeader && !this.#claimSlot()) return;
    this.#startTimer();
    raw.startReading(this);
  }

  /** Takes what was read; null at the end. @returns whether to read on. */
  receive(chunk: Buffer | null): boolean {
    if (chunk === null) {
      this.fail('closed', 'the client ended the connection before its ClientHello');
      return false;
    }
    let bytes = chunk;
    if (this.#early !== undefined) {
      this.#early.push(chunk);
      this.#earlyBytes += chunk.length;
      if (this.#earlyBytes < this.#needBytes) return true;
      bytes = Buffer.concat(this.#early, this.#earlyBytes);
      this.#early = undefined;
    }
    return this.#awaitsProxyHeader ? this.#readProxyHeader(bytes) : this.#readHello(bytes);
  }

  /** The handshake is done. */
  secured(socket: TLSSocket): void {
    if (this.#done || this.#choice === undefined) return;
    this.#finish();
    const internals = socket as unknown as TlsInternals;
    internals._releaseControl();
    internals.secureConnecting = false;
    const info = new TlsConnectionInfo(this.#raw, {
      listener: this.#options.index,
      serverName: this.#serverName,
      tier: this.#choice.tier,
      chooseMs: this.#chooseMs,
      // The type has null before the handshake, false without ALPN.
      alpn: socket.alpnProtocol || undefined,
      client: this.#client,
      isClientKnown: this.#isClientKnown,
      local: this.#local,
    });
    this.#options.onSecure(socket, info, this.#raw);
  }

  /** The connection has closed, whatever has become of it. */
  close(): void {
    this.#open.delete(this.#raw);
    this.#slot.release();
    this.fail('closed', 'the client closed the connection');
  }

  /** Gives the connection up. @returns false when it was too late for that. */
  fail(reason: HandshakeFailure, detail: string, answer?: string | Buffer, code?: string): boolean {
    if (this.#done) return false;
    const failure: FailedHandshake = {
      reason,
      detail,
      ...(code !== undefined && { code }),
      client: this.#client.address,
      ...(this.#hello !== undefined && { hello: this.#hello }),
      isSilent: (reason === 'closed' || reason === 'timeout') && !this.#hasBegun,
    };
    this.#finish();
    if (answer === undefined) this.#raw.destroy();
    else this.#endWith(answer);
    this.#options.onFailure(failure);
    return true;
  }

  /** The same after an error of OpenSSL's, or of the connection below. */
  failWith(error: Error): boolean {
    const { detail, code } = opensslReason(error);
    return this.fail('tls-error', detail, undefined, code);
  }

  /** Whether something of the ClientHello is there. */
  get #hasBegun(): boolean {
    return this.#hello !== undefined || (this.#early !== undefined && !this.#awaitsProxyHeader);
  }

  #finish(): void {
    this.#done = true;
    this.#hello = undefined;
    clearTimeout(this.#timer);
  }

  #startTimer(): void {
    this.#timer = setTimeout(onTimeout, this.#options.handshakeTimeoutMs(), this);
  }

  #claimSlot(): boolean {
    const { address } = this.#client;
    if (this.#slot.claim(address)) return true;
    this.fail('too-many-connections', `too many connections from ${address}`);
    return false;
  }

  #wait(bytes: Buffer, needBytes: number): true {
    this.#early = [bytes];
    this.#earlyBytes = bytes.length;
    this.#needBytes = needBytes;
    return true;
  }

  #readProxyHeader(bytes: Buffer): boolean {
    const header = parseProxyHeader(bytes);
    switch (header.kind) {
      case 'incomplete':
        return this.#wait(bytes, header.needBytes);
      case 'invalid':
        return !this.fail('no-proxy-header', header.reason);
      case 'header': {
        this.#awaitsProxyHeader = false;
        this.#isClientKnown = namesClient(header);
        if (header.peers !== undefined) {
          this.#client = header.peers.source;
          this.#local = header.peers.destination;
          if (!this.#claimSlot()) return false;
        }
        const rest = bytes.subarray(header.consumedBytes);
        return rest.length === 0 || this.#readHello(rest);
      }
    }
  }

  #readHello(bytes: Buffer): boolean {
    const hello = parseClientHello(bytes);
    switch (hello.kind) {
      case 'incomplete':
        return this.#wait(bytes, hello.needBytes);
      case 'plain-http':
        return this.fail('plain-http', 'plain HTTP on a TLS port', PLAIN_HTTP_ANSWER);
      case 'invalid':
        return !this.fail('not-tls', hello.reason);
      case 'hello':
        return this.#choose(hello, bytes);
    }
  }

  /** @returns false while the choice is waited for: what comes then is OpenSSL's. */
  #choose(hello: ClientHello, bytes: Buffer): boolean {
    this.#hello = bytes;
    this.#serverName = hello.serverName === undefined ? undefined : normaliseServerName(hello.serverName);
    const startedMs = performance.now();
    const name = this.#serverName ?? this.#localName();
    const choice = this.#options.choose(name, this.#client.address, bytes);
    if (!(choice instanceof Promise)) {
      this.#chooseMs = performance.now() - startedMs;
      this.#secure(choice, hello, bytes);
      return true;
    }
    clearTimeout(this.#timer);
    void choice.then((late) => {
      if (this.#done) return;
      this.#startTimer();
      this.#chooseMs = performance.now() - startedMs;
      this.#secure(late, hello, bytes);
    });
    return false;
  }

  /** What a client without a server name may have connected to by its address. */
  #localName(): ServerName | undefined {
    if (!this.#options.choosesByAddress()) return undefined;
    return addressName((this.#local ?? this.#raw.local).address);
  }

  #secure(choice: ChosenCertificate, hello: ClientHello, bytes: Buffer): void {
    const isUnknown = hello.serverName !== undefined && choice.tier === TIER_DEFAULT;
    if (isUnknown && this.#options.rejectsUnknownNames()) {
      this.fail('unknown-name', 'no certificate for the server name', UNRECOGNIZED_NAME_ALERT);
      return;
    }
    this.#choice = choice;
    const alpn = this.#options.alpnFor(this.#serverName, hello.alpn);
    const secureContext = choice.context;
    const socket: TLSSocket & HasHandshake = new TLSSocket(
      this.#raw as unknown as Socket,
      alpn === undefined
        ? { isServer: true, secureContext }
        : { isServer: true, secureContext, ALPNProtocols: alpn },
    );
    socket[HANDSHAKE] = this;
    socket.on('error', onTlsError);
    socket.on('_tlsError', onTlsError);
    socket.on('secure', onSecure);
    (socket as unknown as TlsInternals)._handle?.receive(bytes);
  }

  /**
   * Answers and waits for the client to close, as long as for a handshake: what is still coming in is read and dropped, or
   * the answer would be lost to a reset.
   */
  #endWith(answer: string | Buffer): void {
    const socket = this.#raw.toSocket();
    const timer = setTimeout(() => socket.destroy(), this.#options.handshakeTimeoutMs());
    socket.on('error', () => undefined);
    socket.once('close', () => clearTimeout(timer));
    socket.resume().end(answer);
  }
}
