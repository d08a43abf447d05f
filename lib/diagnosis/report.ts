/**
 * All that `why NAME` tells: facts of one name from every part of the program, and what they come to. Plain JSON; never a key.
 */
import type { AskedWorker, NameFacts } from '../domain/inspection.js';
import type { LeafFacts } from '../domain/leaf-facts.js';

/** A client that was played against the listener. */
export type ClientKind = 'modern' | 'RSA only' | 'TLS 1.2';

export interface ClientFacts {
  readonly client: ClientKind;
  /** Where, if the program listens on several addresses: `127.0.0.1:8443`, `unix:/path`. */
  readonly listener?: string;
  readonly tookMs: number;
  /** What it was served. Absent: the handshake failed. */
  readonly leaf?: LeafFacts;
  /** It is a default certificate. */
  readonly isDefault?: boolean;
  readonly protocol?: string;
  /** Why the handshake failed. */
  readonly failure?: string;
}

/** Settings that explain what is seen. */
export interface ReportSettings {
  readonly certCacheDurationMs: number;
  readonly lruCacheDurationMs: number;
  readonly lookupTimeoutMs: number;
  readonly absentGraceMs: number;
  readonly wildcards: boolean;
  readonly rejectsUnknownNames: boolean;
}

/** Why no handshake was made, where one might order a certificate. */
export const WOULD_ORDER = 'it would start an order';

export interface WhyFacts {
  /** As it was asked for; empty: a client that sends no server name. */
  readonly asked: string;
  /** Normalised. Absent: it is no name that anybody is asked about. */
  readonly name?: string;
  /** When it was so, milliseconds since 1970. */
  readonly atMs: number;
  readonly settings: ReportSettings;
  /** Where requests of the name go. Absent: nowhere; without any route the information page. */
  readonly route?: { readonly pattern: string; readonly backends: readonly string[] };
  readonly workers: readonly AskedWorker[];
  /** Absent without a name. */
  readonly facts?: NameFacts;
  /** Of the wildcard above the name, where `--wildcards` is on. */
  readonly wildcard?: NameFacts;
  /** Handshakes with the first listener, made after all else was asked. */
  readonly clients: readonly ClientFacts[];
  /** One of a modern client with each of the other listeners. Absent: there are none. */
  readonly otherListeners?: readonly ClientFacts[];
  /** How many more listeners there are than were asked. */
  readonly listenersLeftOut?: number;
  /** Why no handshake was made. */
  readonly noHandshake?: string;
}

/** The cause, by a word that scripts may go by. */
export type CauseCode =
  // The name's own certificate is served.
  | 'served'
  | 'worker-has-old'
  | 'cache-has-old'
  | 'outdated'
  | 'not-yet-valid'
  | 'source-down-stale-served'
  | 'absent-grace'
  | 'copy-is-behind'
  | 'rsa-clients-left-out'
  | 'unusable-beside'
  | 'source-down-beside'
  | 'gone'
  | 'worker-silent'
  // It depends on the listener.
  | 'listener-fails'
  | 'listener-differs'
  // The default is served, or nothing is.
  | 'no-server-name'
  | 'no-name'
  | 'listener'
  | 'handshake-failed'
  | 'negative-cached'
  | 'error-cached'
  | 'worker-has-negative'
  | 'primary-late'
  | 'purged'
  | 'too-slow'
  | 'budget-empty'
  | 'ordering'
  | 'ordering-elsewhere'
  | 'key-mismatch'
  | 'name-not-covered'
  | 'unusable'
  | 'unreadable'
  | 'wrong-style'
  | 'source-down'
  | 'half-an-entry'
  | 'refused'
  | 'order-failed'
  | 'held-off'
  | 'manager-unable'
  | 'not-allowed'
  | 'not-orderable'
  | 'will-be-ordered'
  | 'will-be-made'
  | 'absent'
  | 'unknown';

export interface Diagnosis {
  readonly code: CauseCode;
  /** Whether a modern client is served a certificate of the name that is valid now. */
  readonly isServed: boolean;
  /** One sentence. */
  readonly sentence: string;
  /** What mends it: a sentence, and a command where there is one. */
  readonly remedy?: { readonly says: string; readonly command?: string };
}

export interface WhyReport extends WhyFacts {
  readonly diagnosis: Diagnosis;
}
