/**
 * What `status` tells of the whole program at one moment. Plain JSON; no name of a customer is in it but under `certificates` and
 * `orders`, and never a key.
 */
import type { BackendsReport } from './backend-status.js';
import type { Tier } from './lookup.js';

export interface WorkerStatus {
  readonly pid: number;
  readonly state: 'starting' | 'accepting' | 'draining';
  readonly uptimeMs: number;
}

export interface SourceStatus {
  readonly name: string;
  /** `skipped`: it has failed too often, and is probed behind the scenes. `failing`: it has failed lately. */
  readonly state: 'up' | 'failing' | 'skipped';
  /** Since when it has been in trouble, milliseconds ago; and its last error. */
  readonly troubledForMs?: number;
  readonly lastError?: string;
}

/** A certificate in the shared cache. */
export interface CertificateStatus {
  readonly name: string;
  readonly tier: Tier;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
  /** Of one alone that is not valid yet. */
  readonly notBeforeMs?: number;
}

/** How often each of several things has happened since the start, by its name. What has not happened is left out. */
export type Counted = Readonly<Record<string, number>>;

/** Counts since the start, of all workers, those that have ended included; and what is open now. */
export interface TrafficStatus {
  /** By the tier that had the certificate. */
  readonly handshakes: Counted;
  readonly resumed: number;
  readonly failed: Counted;
  /** Default certificates, by reason; certificates past their time that were served on, by cause. */
  readonly defaults: Counted;
  readonly stale: Counted;
  /** What the LRUs and the shared cache had of the names that they were asked for. */
  readonly lru: Counted;
  readonly pem: Counted;
  /** What was dropped for want of room though it was fresh. */
  readonly evictions: { readonly lru: number; readonly pem: number };
  /** By source: look-ups, by outcome, and how long they took on average, milliseconds. */
  readonly sources: Readonly<Record<string, { readonly outcomes: Counted; readonly meanMs: number }>>;
  readonly orders: Counted;
  readonly ordersHeldOff: number;
  /** By the class of the status: `2xx`. */
  readonly requests: Counted;
  readonly connectionsOpen: number;
  readonly tunnelsOpen: number;
  /** By kind; and how many are left out now, added up over the workers. */
  readonly backendFailures: Counted;
  readonly backendsLeftOut: number;
}

export interface StatusReport {
  readonly version: string;
  /** Of Node. */
  readonly node: string;
  readonly pid: number;
  readonly atMs: number;
  readonly uptimeMs: number;
  /** `https://127.0.0.1:8443` and the like. */
  readonly listeners: readonly string[];
  /** Of `--admin-listen`: `http://127.0.0.1:8444`. */
  readonly adminListeners: readonly string[];
  readonly workers: readonly WorkerStatus[];
  readonly cache: {
    readonly entries: number;
    readonly bytes: number;
    readonly maxBytes: number;
    readonly negatives: number;
    readonly maxNegatives: number;
  };
  /** In the order of asking. */
  readonly sources: readonly SourceStatus[];
  /** Names whose certificates are being ordered. */
  readonly orders: readonly string[];
  readonly certificates: {
    /** Those that end within 14 days, the soonest first, at most 20. */
    readonly expiring: readonly CertificateStatus[];
    /** How many these are in all. */
    readonly expiringCount: number;
    /** Outside their dates, and served for want of better ones. */
    readonly outdated: readonly CertificateStatus[];
    readonly outdatedCount: number;
  };
  readonly traffic: TrafficStatus;
  /** Asked of the workers for a `status`. In a snapshot it is what they have told last: absent before that. */
  readonly backends?: BackendsReport;
  /** The last reload; absent: there was none. */
  readonly lastReload?: { readonly agoMs: number; readonly failure?: string };
}

/** One number, or what was observed so far, by the metric's name and labels. */
export type SeriesValue = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
} & ({ readonly value: number } | { readonly count: number; readonly sum: number });

/** All of one moment: what the dashboard is sent. Counts are totals since the start: rates are differences. */
export interface Snapshot {
  readonly status: StatusReport;
  readonly series: readonly SeriesValue[];
}
