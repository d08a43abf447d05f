/**
 * The message bus between the primary and its workers: every message, as types, with a version number.
 *
 * PURE. A request names its operation; its parameters and its result are in the two maps below, one for each direction.
 * The socket is in `endpoint.ts`, what a message does is with whoever handles it.
 *
 * All values are plain JSON: that is what cluster IPC carries (an Error would lose its message, a Buffer blow up).
 * Private keys travel here and nowhere else.
 */
import type { WorkerBackends } from '../domain/backend-status.js';
import type { CacheStatus, HotCertificate, WorkersExpired } from '../domain/cache-status.js';
import type { WorkerFacts } from '../domain/inspection.js';
import type { Resolution, ResolveRequest, Told } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { MetricsDelta } from '../metrics/recorder.js';

/** Raised with every change of meaning. Both ends must have the same. */
export const BUS_VERSION = 8;

/** The title of a worker's process, by which a later primary recognises a worker that was left behind. */
export const WORKER_TITLE = 'peter-sslers-proxy: worker';

type None = Readonly<Record<string, never>>;

/** How long a challenge waits for its lease in the primary, which answers by then. Certificate authorities give up after ten seconds. */
export const CHALLENGE_WAIT_MS = 3_000;

/** Requests of a worker to the primary. */
export interface WorkerToPrimary {
  resolve: { params: ResolveRequest; result: Told<Resolution> };
  expireAll: { params: { readonly hard: boolean }; result: Partial<WorkersExpired> };
  expireDomain: { params: { readonly name: ServerName }; result: Partial<WorkersExpired> };
  status: { params: None; result: CacheStatus };
  /** An operation of the admin routes, by its name in their table; the result is its own. */
  operate: { params: { readonly op: string; readonly params: unknown }; result: unknown };
  /** A lease is wanted: the right to have one challenge at the manager. Answered when it is granted, or refused. */
  leaseChallenge: {
    params: {
      /** Of the worker's own numbering. */
      readonly id: number;
      /** The client's address. */
      readonly client: string;
    };
    result: {
      /** Why it is not granted. Absent: it is, and must be released. */
      readonly refusal?: string;
    };
  };
  /** The lease is not used any more, or nobody waits for it any more. */
  releaseChallenge: { params: { readonly id: number }; result: None };
  /** A challenge of this name could not be answered in time: if its order fails now, that is the cause. */
  challengeMissed: { params: { readonly name: ServerName }; result: None };
  /** What the worker has counted since it told last. */
  metrics: { params: { readonly delta: MetricsDelta }; result: None };
  /** The worker listens to the bus from now on: what is sent before its program is loaded would be lost. */
  hello: { params: None; result: None };
  /** Every listener of this worker accepts. */
  ready: { params: None; result: None };
}

/** Requests of the primary to a worker. */
export interface PrimaryToWorker {
  /** New settings for new connections; makes the LRU stale. The first one is what starts the worker. */
  configure: { params: { readonly settings: WorkerSettings }; result: None };
  /** All that are in use now, the one to seal with first. */
  ticketKeys: { params: { readonly ticketKeys: readonly string[] }; result: None };
  /** Drops a name, or everything, from the worker's LRU. Only with `--expire-workers`. */
  expire: { params: { readonly name?: ServerName }; result: None };
  /** Certificates that are asked for most, for a worker that does not accept yet: the hottest comes last. */
  warm: { params: Told<readonly HotCertificate[]>; result: None };
  /** These names, or (absent) all, are looked up afresh: what the worker has of them serves on only until then. */
  makeStale: { params: { readonly names?: readonly ServerName[] }; result: None };
  /** What the worker knows of a name, for a person; its caches are only looked at. */
  inspect: { params: { readonly name: ServerName }; result: WorkerFacts };
  /** The program makes handshakes with itself that offer this protocol; 0: no more. They are no client's. */
  ownHandshakes: { params: { readonly marker: string; readonly forMs: number }; result: None };
  /** How the backends of the routes do there, as the settings are now. */
  backends: { params: None; result: WorkerBackends };
  reopenLogs: { params: None; result: None };
  /** Whether the worker's event loop turns. */
  ping: { params: None; result: None };
  /** Stops accepting, finishes what is under way, exits. Answered at once. Idle connections may ask once more for `idleGraceMs`. */
  drain: { params: { readonly timeoutMs: number; readonly idleGraceMs: number }; result: None };
}

/** `--listen` or `--http-listen`. */
export type ListenRole = 'tls' | 'http';

/**
 * Sent beside the requests, since it carries a listening handle: the worker accepts on it from now on. After the last of
 * `count` the worker says `ready`.
 */
export interface ListenMessage {
  readonly bus: typeof BUS_VERSION;
  readonly kind: 'listen';
  readonly role: ListenRole;
  /** Which of the addresses of its role this is, from 0. */
  readonly index: number;
  readonly count: number;
}

export function isListenMessage(message: unknown): message is ListenMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    'bus' in message &&
    'kind' in message &&
    message.bus === BUS_VERSION &&
    message.kind === 'listen'
  );
}

/** What a map of operations looks like, as the two above. */
export type Operations<Map> = Record<keyof Map, { params: unknown; result: unknown }>;

/** An error as it crosses the bus. */
export interface BusErrorBody {
  readonly code: string;
  readonly message: string;
}

/** One message on the wire. */
export type Envelope =
  | {
      readonly bus: typeof BUS_VERSION;
      readonly kind: 'request';
      readonly id: number;
      readonly op: string;
      readonly params: unknown;
    }
  | {
      readonly bus: typeof BUS_VERSION;
      readonly kind: 'result';
      readonly id: number;
      readonly result: unknown;
    }
  | {
      readonly bus: typeof BUS_VERSION;
      readonly kind: 'error';
      readonly id: number;
      readonly error: BusErrorBody;
    };

/** Whether a message that arrived is one of ours (`foreign`: somebody else's), and of our version. */
export function parseEnvelope(
  message: unknown,
):
  | Envelope
  | { readonly kind: 'foreign' }
  | { readonly kind: 'mismatch'; readonly id: number; readonly isRequest: boolean; readonly reason: string } {
  if (typeof message !== 'object' || message === null || !('bus' in message)) return { kind: 'foreign' };
  const { bus, kind, id } = message as { bus: unknown; kind?: unknown; id?: unknown };
  const isKnown = kind === 'request' || kind === 'result' || kind === 'error';
  if (!isKnown || typeof id !== 'number') return { kind: 'foreign' };
  if (bus !== BUS_VERSION) {
    return {
      kind: 'mismatch',
      id,
      isRequest: kind === 'request',
      reason: `the other end speaks bus version ${String(bus)}, this one ${BUS_VERSION}`,
    };
  }
  return message as Envelope;
}
