/**
 * What the channels tell, see `channels.ts`. Plain data; never a key or a password.
 *
 * `startedAtMs` is milliseconds since 1970, with fractions. `handshake` is the id of a handshake as the log has it: of the handshake
 * itself, of the one that caused a look-up or an order, of the one of a request's connection. It joins what worker and primary tell, and is
 * unique for as long as the primary runs.
 */
import type { DefaultReason } from '../domain/default-reason.js';
import type { HandshakeFailure } from '../domain/handshake-failure.js';
import type { KeyClass } from '../domain/key-class.js';
import type { Lookup, Tier } from '../domain/lookup.js';
import type { OrderResult } from '../domain/order-result.js';
import type { TimeoutName } from '../domain/timeout-name.js';

interface Timed {
  readonly startedAtMs: number;
  readonly tookMs: number;
}

interface HandshakeBase extends Timed {
  readonly handshake: string;
  /** The client's address, as a PROXY header says it where one is taken. */
  readonly client: string;
}

/** A handshake that is done: from the first byte that was waited for to the last one of TLS. */
export interface HandshakeDone extends HandshakeBase {
  readonly outcome: 'done';
  /** Absent: the client has sent none, or an invalid one. */
  readonly serverName?: string;
  /** Which tier the certificate came from. */
  readonly tier: Tier;
  /** Why it was the default certificate. Absent: it was not. */
  readonly defaultReason?: DefaultReason;
  /** How long the choice took, of `tookMs`. */
  readonly chooseMs: number;
  /** `TLSv1.3` and the like. */
  readonly protocol?: string;
  /** IANA's name. */
  readonly cipher?: string;
  readonly isResumed: boolean;
  readonly alpn?: string;
  readonly key?: KeyClass;
  /** Which `--listen` it came in on, from 0. */
  readonly listener: number;
}

/** A connection that failed, or was given up, before its handshake was done. */
export interface HandshakeFailed extends HandshakeBase {
  readonly outcome: 'failed';
  readonly failure: HandshakeFailure;
  /** One clause; it quotes nothing of the client's. */
  readonly detail: string;
  /** Of a TLS error: Node's code for it. */
  readonly code?: string;
}

/** What a source has said of a name. `late`: nothing yet, when the look-up ended without it. */
export interface SourceAnswer extends Timed {
  readonly source: string;
  readonly outcome: Lookup['kind'] | 'late';
}

/** A look-up of one name in the sources: one for everybody who waits for it, whatever of it is kept. */
export interface LookUpMessage extends Timed {
  readonly name: string;
  /** Of the handshake that asked first. Absent: none did. */
  readonly handshake?: string;
  readonly outcome: Lookup['kind'];
  /** The source of a certificate that was found. */
  readonly tier?: Tier;
  /** SHA-256 of its leaf, 64 hex digits; two where there is an RSA and an ECDSA one. */
  readonly fingerprints?: readonly string[];
  /** Why nobody could tell, or who is still waited for. */
  readonly reason?: string;
  /** In the order in which they were asked. */
  readonly answers: readonly SourceAnswer[];
}

/** A source is in another state. */
export interface SourceStateMessage {
  readonly source: string;
  /** `failing`: a look-up has failed. `skipped`: it has failed too often, and is probed behind the scenes. `up`: it answers again. */
  readonly state: 'up' | 'failing' | 'skipped';
  /** Of `failing` and `skipped`. */
  readonly reason?: string;
  /** Of `up`: how long the trouble took. */
  readonly afterMs?: number;
}

/** An order of a certificate that the manager has answered, or has not. */
export interface OrderMessage extends Timed {
  readonly name: string;
  readonly handshake?: string;
  readonly result: OrderResult;
  /** The manager's own words, or why there are none. */
  readonly reason?: string;
}

/** The backend that a request was passed to. */
export interface BackendPart {
  /** The one that was asked last. */
  readonly backend: string;
  /** How many were asked; the same one twice counts twice. */
  readonly attempts: number;
  /** What the last one answered. Absent: nothing. */
  readonly status?: number;
  /** How long the head of its answer took. */
  readonly headMs?: number;
}

/** A request whose response has ended, whole or cut; for one that has changed its protocol, when its connection or stream has. */
export interface RequestMessage extends Timed {
  /** As on error pages, in the log and in `X-Request-Id`. */
  readonly id: string;
  /** Absent on plain HTTP. */
  readonly handshake?: string;
  readonly client: string;
  readonly scheme: 'https' | 'http';
  /** `1.0`, `1.1` or `2.0`. Absent, like method, host and target, where the client has sent no valid request. */
  readonly httpVersion?: string;
  readonly method?: string;
  readonly host?: string;
  /** Path and query as they came: they may hold what is secret. */
  readonly target?: string;
  /** The field `traceparent` of the request (W3C Trace Context). */
  readonly traceparent?: string;
  /** 499: the client went before there was an answer. */
  readonly status: number;
  /** Of the response's body; of all that was sent behind a 101. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The response did not come to its end. */
  readonly isCut: boolean;
  /** By which time-out it has ended. */
  readonly timeout?: TimeoutName;
  readonly answeredBy: 'backend' | 'proxy' | 'admin';
  /** Absent: it was passed on to nobody. */
  readonly passedOn?: BackendPart;
}
