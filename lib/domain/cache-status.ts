/**
 * What the primary reports of its cache and of an expire, and what it hands to a new worker. PURE.
 */
import type { CertificateBundle } from './certificate.js';
import type { Tier } from './lookup.js';
import type { ServerName } from './server-name.js';

/** A certificate in the primary's cache, with the source that had it. */
export interface HotCertificate {
  readonly name: ServerName;
  readonly certificate: CertificateBundle;
  readonly tier: Tier;
  /** The longest that a worker may keep it, milliseconds. Absent: as long as the worker's own TTL says. */
  readonly keepMs?: number;
}

/** What the primary knows of its caches, as the admin route `status` reports it. At most 1,024 names in all. */
export interface CacheStatus {
  readonly valid: readonly string[];
  readonly invalid: readonly string[];
  readonly autocert: readonly string[];
}

/** How many workers had to be told of an expire, and how many have acknowledged. Only with `--expire-workers`. */
export interface WorkersExpired {
  readonly workers: number;
  readonly acknowledged: number;
}
