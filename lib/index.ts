/**
 * The library: the proxy inside a program of yours.
 *
 *     import { start } from 'peter-sslers-proxy';
 *     const proxy = await start({ settings: { listen: '127.0.0.1:8443', 'redis-strategy': 2 } });
 *     console.log(proxy.addresses);
 *     await proxy.stop();
 *
 * Your process becomes the primary of a `node:cluster`: it forks the workers, and must not be a cluster worker itself.
 */
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseHtpasswd } from './admin/htpasswd.js';
import { hasIpv6Loopback } from './base/loopback.js';
import type { CacheStatus, WorkersExpired } from './domain/cache-status.js';
import type { FlagName } from './config/flags.js';
import { loadSettings } from './config/load.js';
import type { Address } from './domain/address.js';
import type { PemHit } from './caches/pem-slot.js';
import type { CertificateBundle, CertificatePair } from './domain/certificate.js';
import { environmentError, usageError } from './domain/errors.js';
import { normaliseDomain, type ServerName } from './domain/server-name.js';
import { Primary } from './primary/primary.js';
import { isList, readStartOptions } from './primary/start-options.js';
import type { CertificateSource } from './sources/source.js';

/** The value of a flag: what would stand behind it on the command line; a list for a repeatable one. */
export type SettingValue = string | number | boolean | readonly string[];

export interface StartOptions {
  /**
   * Flags by their names without dashes in front: `{ 'lru-maxitems': 500 }`; one that is undefined counts as not given. Unlike the
   * program, the environment is not read. Paths are relative to the working directory of the moment.
   */
  readonly settings?: Partial<Readonly<Record<FlagName, SettingValue | undefined>>>;
  /**
   * Sources of your own, asked in this order before all others. They run in your process. Each has a name of its own, none of
   * `lru`, `cache` and `default`.
   */
  readonly sources?: readonly CertificateSource[] | undefined;
}

/** The PEM cache that all workers share. */
export interface SharedCache {
  /**
   * Puts a certificate in, fresh for `cert-cache-duration`. Workers are told, and ask for it at the next handshake.
   *
   * @param name a host name, or a wildcard.
   * @param pairs one pair, or an RSA and an ECDSA one.
   * @throws ProxyError ERR_USAGE when the name is none, or the certificate must not be served for it: it is not for this
   *   name, out of date, or does not go with its key.
   */
  set(name: string, pairs: readonly CertificatePair[]): void;
  /** What is kept of a name, private keys included. */
  get(name: string): CachedCertificate | undefined;
  /** Everything that is kept, most recently used first. */
  entries(): IterableIterator<[string, CachedCertificate]>;
  /** How many names are kept, and how many bytes they take of `cert-cache-size`. */
  stats(): { readonly entries: number; readonly bytes: number };
}

/** `retained`: out of its time, and served only while no source can be asked. */
export interface CachedCertificate {
  readonly certificate: CertificateBundle;
  readonly state: 'fresh' | 'retained';
}

export interface ProxyHandle {
  /** Where it listens for TLS, with the real ports. */
  readonly addresses: readonly Address[];
  /** Where it listens for plain HTTP (`http-listen`). */
  readonly httpAddresses: readonly Address[];
  readonly cache: SharedCache;
  /** The names in the shared caches, at most 1,024: with a certificate, without one, being ordered. */
  status(): CacheStatus;
  /** Expires everything; `hard` also drops what would serve on while the sources are unavailable. Workers' LRUs are told only with `expire-workers`. */
  expireAll(options?: { readonly hard?: boolean }): Promise<Partial<WorkersExpired>>;
  /** Expires one name, hard. @throws ProxyError ERR_USAGE when it is no name. */
  expireDomain(name: string): Promise<Partial<WorkersExpired>>;
  /**
   * All metrics of the machine for Prometheus, in its text format 0.0.4 (`METRICS_CONTENT_TYPE`): for a route of yours.
   * `docs/metrics.md` lists them. What workers have counted is there after a second.
   */
  metricsText(): string;
  /** Reads the files that the settings name again, as SIGHUP does. What is wrong is logged, and all stays as it was. */
  reload(): Promise<void>;
  /** Stops accepting, finishes what is under way, at the latest after `drain-timeout`. */
  stop(): Promise<void>;
}

/**
 * Starts the proxy; returns when every worker accepts.
 *
 * @throws ProxyError: ERR_USAGE for a wrong setting, ERR_ENVIRONMENT for a port in use and the like. The message is one
 *   sentence that names the setting.
 */
export async function start(options: StartOptions = {}): Promise<ProxyHandle> {
  if (!cluster.isPrimary) throw environmentError('the proxy cannot be started in a cluster worker');
  const { flags, sources } = readStartOptions(options);
  // Once: what a reload reads must not be other addresses, nor other files.
  const hasIpv6 = hasIpv6Loopback();
  const cwd = process.cwd();
  const primary = await Primary.start({
    load: () =>
      loadSettings({
        flags,
        env: {},
        readFile: (path) => readFileSync(path, 'utf8'),
        cwd,
        cpuCount: availableParallelism(),
        hasIpv6,
        nowMs: Date.now(),
        checkHtpasswd: (text) => void parseHtpasswd(text),
      }),
    sources,
  });
  return {
    addresses: primary.addresses,
    httpAddresses: primary.httpAddresses,
    cache: {
      set: (name, pairs) => {
        const known = nameOf(name);
        if (!isList(pairs)) throw usageError(`the certificates for ${known} must be a list of pairs`);
        primary.seed(known, pairs);
      },
      get: (name) => {
        const hit = primary.pem.get(nameOf(name));
        return hit === undefined ? undefined : cachedCertificate(hit);
      },
      *entries() {
        for (const [name, hit] of primary.pem.entries()) yield [name, cachedCertificate(hit)];
      },
      stats: () => primary.pem.stats(),
    },
    status: () => primary.resolver.status(),
    expireAll: ({ hard = false } = {}) => primary.expireAll({ hard }),
    expireDomain: async (name) => primary.expireDomain(nameOf(name)),
    metricsText: () => primary.metrics.text(),
    reload: async () => {
      await primary.reload();
    },
    stop: () => primary.stop(),
  };
}

function cachedCertificate({ entry, state }: PemHit): CachedCertificate {
  return { certificate: entry.certificate, state };
}

/** @param raw a string, as far as types say. */
function nameOf(raw: unknown): ServerName {
  const name = typeof raw === 'string' ? normaliseDomain(raw) : undefined;
  if (name !== undefined) return name;
  throw usageError(`${typeof raw === 'string' ? JSON.stringify(raw) : String(raw)} is no host name`);
}

/** The look-up order by itself, with its caches, for programs that terminate TLS in their own way. */
export { Resolver, type ResolverParts, type ResolverSettings } from './resolver/resolver.js';
export { PemCache, type PemCacheOptions } from './caches/pem-cache.js';
export type { PemEntry, PemHit } from './caches/pem-slot.js';
export {
  NegativeCache,
  type Negative,
  type NegativeCacheOptions,
  type NegativeEntry,
} from './caches/negative-cache.js';
export { ServableCertificates } from './resolver/servable.js';
export type { Clock } from './base/clock.js';
export type { StartTimer } from './base/timer.js';
/** The contract of a source, and what it speaks of. */
export type {
  CertificateSource,
  ChangedNames,
  LookupContext,
  ServedAbove,
  SourceCheck,
  SourceRole,
} from './sources/source.js';
export type { Lookup, Resolution, ResolvePhase, ResolveRequest, LastGood, Tier } from './domain/lookup.js';
export type { CertificateBundle, CertificateHalf, CertificatePair } from './domain/certificate.js';
export type { Examination } from './domain/examination.js';
export type { KeyClass, KeyKind } from './domain/key-class.js';
export { examine } from './domain/examination.js';
/** Names: everything that is looked up is normalised by one of these. */
export { addressName, normaliseDomain, normaliseServerName, type ServerName } from './domain/server-name.js';
export { ProxyError, type ErrorCode, type ErrorOrigin } from './domain/errors.js';
export { LOG_LEVELS, silentLogger, type LogFields, type Logger, type LogLevel } from './log/logger.js';
export type { Address } from './domain/address.js';
/** The content type of `metricsText`. */
export { TEXT_CONTENT_TYPE as METRICS_CONTENT_TYPE } from './metrics/text.js';
export type { CacheStatus, WorkersExpired } from './domain/cache-status.js';
/** What is known of a name at one moment: `Resolver.inspect`, `PemCache.inspect` and a source's `inspect`. */
export type {
  CachedFacts,
  CandidateFacts,
  NameFacts,
  NegativeFacts,
  OrderFacts,
  OrderFailure,
  PrimaryFacts,
  SourceFacts,
  SourceInspection,
  SourceRemark,
} from './domain/inspection.js';
export type { LeafFacts } from './domain/leaf-facts.js';
export type { CertificateStatus } from './domain/status-report.js';
export type { KeptHalf } from './caches/pem-cache.js';
export type { PendingFor } from './domain/lookup.js';
export type { ResolverObserver, StaleCause } from './resolver/observer.js';
