/**
 * One connection from its first byte to the end of its handshake.
 *
 *  1. A PROXY header is read where the peer is one of those that must send it. Its addresses stand for the socket's.
 *  2. The ClientHello is read and put back untouched, and the certificate chosen.
 *  3. Only then OpenSSL sees the bytes. (With an SNICallback, Node 20 and 22 serve the default certificate when the chosen
 *     one has another key type.)
 *
 * All of it is written for speed: `bench` compares it with plain `https`. The listeners are functions that all connections
 * share and that find their handshake on the connection, where closures would be made anew for each connection.
 *
 * Two clocks: `handshakeTimeoutMs` runs only while we wait for the client's bytes; waiting for a certificate is bounded by
 * whoever chooses it.
 */
import type { SecureContext } from 'node:tls';
import type { HandshakeFailure } from '../domain/handshake-failure.js';
import type { KeyClass } from '../domain/key-class.js';
import { TIER_DEFAULT } from '../domain/lookup.js';
import { addressName, normaliseServerName, type ServerName } from '../domain/server-name.js';
import type { TlsClientSocket } from '../net/client-socket.js';
import type { Endpoint } from '../net/connection-info.js';
import type { ConnectionSlot } from '../net/connection-limits.js';
import { namesClient, parseProxyHeader } from '../net/proxy-protocol-parser.js';
import type { RawConnection, Reader } from '../net/raw-connection.js';
import type { HandshakeListener } from '../net/tls-stream.js';
import { parseClientHello, type ClientHello } from './client-hello.js';
import { canUseKey } from './client-keys.js';
import { opensslReason, type FailedHandshake } from './failed-handshake.js';
import type { Asker, ChosenCertificate, HandshakeOptions } from './handshake-options.js';
import { alertRecord, answerAndEnd, PLAIN_HTTP_ANSWER, UNRECOGNIZED_NAME_ALERT } from './rejection.js';
import { keyClassesOf } from './secure-context.js';
import { serveTls } from './server-socket.js';
import { TlsConnectionInfo } from './tls-connection-info.js';

/** The property of a connection that holds its handshake. */
const HANDSHAKE = Symbol('handshake');

/** So many pieces of a ClientHello are joined, if it is not whole by then: a piece of one byte holds a kilobyte. */
const MAX_EARLY_CHUNKS = 64;

interface HasHandshake {
  [HANDSHAKE]?: Handshake;
}

function onRawClose(this: HasHandshake): void {
  this[HANDSHAKE]?.close();
}

function onTimeout(handshake: Handshake): void {
  handshake.fail('timeout', 'the client took too long over the handshake');
}

/** What all connections of a listener share, and what this one has of it. */
export interface HandshakeParts {
  readonly options: HandshakeOptions;
  readonly slot: ConnectionSlot;
  /** Gets the connection for as long as it is open. */
  readonly open: Set<RawConnection>;
}

export class Handshake implements Reader, Asker, HandshakeListener {
  readonly #raw: RawConnection & HasHandshake;
  readonly #options: HandshakeOptions;
  readonly #slot: ConnectionSlot;
  readonly #open: Set<RawConnection>;
  readonly #number: number;
  readonly #startedAtMs = performance.now();
  #client: Endpoint;
  #isClientKnown = true;
  /** Undefined: the kernel is to be asked. */
  #local: Endpoint | undefined;
  /** The bytes received so far, where they were too few to be parsed. */
  #early: Buffer[] | undefined;
  #earlyBytes = 0;
  /** How many the parser has said that it needs: with fewer it is not called again, so that a drip of single bytes costs little. */
  #needBytes = 0;
  #awaitsProxyHeader = false;
  #timer: NodeJS.Timeout | undefined;
  /** The bytes from the ClientHello on, for the log line of a failure. Released once the handshake is over. */
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
    this.#number = options.ids.next();
  }

  get address(): string {
    return this.#client.address;
  }

  get handshake(): string {
    return this.#options.ids.textOf(this.#number);
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
      const isEnough = this.#earlyBytes >= this.#needBytes;
      if (!isEnough && this.#early.length < MAX_EARLY_CHUNKS) return true;
      bytes = Buffer.concat(this.#early, this.#earlyBytes);
      if (!isEnough) {
        this.#early = [bytes];
        return true;
      }
      this.#early = undefined;
    }
    return this.#awaitsProxyHeader ? this.#readProxyHeader(bytes) : this.#readHello(bytes);
  }

  onSecured(socket: TlsClientSocket, alpn: string | undefined): void {
    if (this.#done || this.#choice === undefined) return;
    const keyClass = keyFor(this.#choice.context, this.#hello);
    this.#finish();
    const info = new TlsConnectionInfo(this.#raw, {
      listener: this.#options.index,
      serverName: this.#serverName,
      tier: this.#choice.tier,
      keyClass,
      reason: this.#choice.reason,
      startedAtMs: this.#startedAtMs,
      chooseMs: this.#chooseMs,
      alpn,
      number: this.#number,
      ids: this.#options.ids,
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

  /** Gives the connection up. @returns false when its handshake was over already: nothing is done. */
  fail(reason: HandshakeFailure, detail: string, answer?: string | Buffer, code?: string): boolean {
    if (this.#done) return false;
    const failure: FailedHandshake = {
      handshake: this.handshake,
      startedAtMs: this.#startedAtMs,
      reason,
      detail,
      ...(code !== undefined && { code }),
      client: this.#client.address,
      ...(this.#hello !== undefined && { hello: this.#hello }),
      isSilent: (reason === 'closed' || reason === 'timeout') && !this.#hasBegun,
    };
    this.#finish();
    if (answer === undefined) this.#raw.destroy();
    else answerAndEnd(this.#raw, answer, this.#options.handshakeTimeoutMs());
    this.#options.onFailure(failure);
    return true;
  }

  /** After an error of OpenSSL's, or of the connection below. */
  onFailed(error: Error): void {
    const { detail, code } = opensslReason(error);
    this.fail('tls-error', detail, undefined, code);
  }

  /** Whether a byte of the ClientHello has been received. */
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
        return !this.fail('not-tls', hello.reason, hello.alert && alertRecord(hello.alert));
      case 'hello':
        return this.#choose(hello, bytes);
    }
  }

  /** @returns whether to read on: not while the choice is waited for, for what comes behind the ClientHello is OpenSSL's to read. */
  #choose(hello: ClientHello, bytes: Buffer): boolean {
    this.#hello = bytes;
    this.#serverName = hello.serverName === undefined ? undefined : normaliseServerName(hello.serverName);
    const startedMs = performance.now();
    const name = this.#serverName ?? this.#localName();
    const choice = this.#options.choose(name, this, bytes);
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

  /** The name for a client that has sent none: the address that it has connected to, where there may be certificates for addresses. */
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
    const side = { context: choice.context, alpn, listener: this };
    serveTls(this.#raw, bytes, side, this.#options.needsNodeSocket());
  }
}

/** The key that OpenSSL serves a client with: where there are two the ECDSA one, if the client can use it. */
function keyFor(context: SecureContext, hello: Buffer | undefined): KeyClass | undefined {
  const [key, other] = keyClassesOf(context);
  return other === undefined || hello === undefined || canUseKey(hello, 'ecdsa') ? key : other;
}
