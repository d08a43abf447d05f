/**
 * The sources that the settings ask for, in their order, each behind a circuit breaker and the manager behind a rate limit.
 *
 * A reload keeps every source whose settings are the same, with its connections, its breaker and what it remembers.
 */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FairTokenBucket } from '../sources/limits/token-bucket.js';
import type { Settings } from '../config/settings.js';
import { covers } from '../domain/covered-names.js';
import { environmentError } from '../domain/errors.js';
import { splitChain } from '../domain/pem.js';
import type { Clock } from '../base/clock.js';
import { within } from '../base/within.js';
import type { ServerName } from '../domain/server-name.js';
import type { SourceStatus } from '../domain/status-report.js';
import type { Logger } from '../log/logger.js';
import { DirectorySource, type DirectoryCertificate } from '../sources/directory/source.js';
import { CircuitBrokenSource } from '../sources/limits/circuit-broken-source.js';
import { InternalCaSource } from '../sources/internal-ca/source.js';
import type { OrderResult } from '../domain/order-result.js';
import type { OrderLoad } from '../sources/manager/autocert.js';
import { ManagerSource } from '../sources/manager/source.js';
import { MeasuredSource, type LookupOutcome } from '../sources/limits/measured-source.js';
import { OwnSource } from '../sources/limits/own-source.js';
import { RateLimitedSource } from '../sources/limits/rate-limited-source.js';
import { RedisSource } from '../sources/redis/source.js';
import type { CertificateSource, ChangedNames } from '../sources/source.js';

interface Built {
  /** What the resolver asks. */
  readonly source: CircuitBrokenSource;
  /** What limits it, where it has a limit. */
  readonly bucket: FairTokenBucket | undefined;
  /** The implementation inside. */
  readonly core: CertificateSource;
  /** What it was built from. */
  readonly settings: unknown;
}

/** Is told what the sources do. */
export interface SourcesObserver {
  onLookup(source: string, outcome: LookupOutcome, tookMs: number): void;
  /** An order of the manager's has ended. */
  onOrder(result: OrderResult, tookMs: number): void;
}

export interface SourcesParts {
  readonly log: Logger;
  readonly clock: Clock;
  /** Told when a source has noticed changes by itself. */
  onChange(this: void, names: ChangedNames): void;
  readonly observer: SourcesObserver;
  /** An embedder's own sources: asked before all others. Not closed by a reload. */
  readonly own?: readonly CertificateSource[];
}

export class Sources {
  readonly #parts: SourcesParts;
  readonly #own: readonly CircuitBrokenSource[];
  #built = new Map<string, Built>();
  /** Of the default certificates that were given: what they cover is not ordered. */
  #defaultLeaves: readonly X509Certificate[] = [];

  constructor(parts: SourcesParts) {
    this.#parts = parts;
    this.#own = (parts.own ?? []).map((source) => this.#guard(new OwnSource(source)));
    for (const source of this.#own) source.onChange(parts.onChange);
  }

  /** How each source does, in their order. */
  statuses(): SourceStatus[] {
    const sources = [...this.#own, ...[...this.#built.values()].map(({ source }) => source)];
    return sources.map((source) => source.status());
  }

  /** The root certificate of the internal CA, where that is in use: what `curl --cacert` takes. */
  get internalCaRootPath(): string | undefined {
    const ca = this.#built.get('ca')?.core;
    return ca instanceof InternalCaSource ? ca.rootCertPath : undefined;
  }

  /**
   * Builds what the settings ask for. What was built earlier from the same settings is kept; what is left over is for the
   * caller to close, once nobody asks it any more.
   *
   * @param options `openWithinMs`: how long a source that is new may take to open. @default no limit
   * @throws ProxyError when a directory or an authority cannot be opened. Then nothing has changed.
   */
  async build(
    settings: Settings,
    { openWithinMs }: { readonly openWithinMs?: number } = {},
  ): Promise<readonly CertificateSource[]> {
    const built = new Map<string, Built>();
    try {
      for (const name of settings.sources) {
        const own = settingsOf(name, settings);
        const earlier = this.#built.get(name);
        if (earlier !== undefined && isDeepStrictEqual(earlier.settings, own)) {
          built.set(name, earlier);
        } else {
          const core = await opened(this.#open(name, settings), { name, withinMs: openWithinMs });
          const bucket = this.#bucketFor(core, settings);
          const source = this.#wrap(core, bucket, settings);
          source.onChange(this.#parts.onChange);
          built.set(name, { core, bucket, settings: own, source });
        }
      }
    } catch (thrown) {
      for (const [name, { source }] of built) {
        if (this.#built.get(name)?.source !== source) await source.close();
      }
      throw thrown;
    }
    // Not before: until here the earlier ones may have to go on as they were.
    for (const [name, { core }] of built) {
      const earlier = this.#built.get(name)?.core;
      if (core !== earlier && core instanceof ManagerSource && earlier instanceof ManagerSource) {
        core.takeOver(earlier);
      }
    }
    this.#built = built;
    for (const { core } of built.values()) if (core instanceof RedisSource) core.lookAround();
    this.#defaultLeaves = defaultLeavesOf(settings);
    return [...this.#own, ...[...built.values()].map(({ source }) => source)];
  }

  /** The certificates of --cert-dir. */
  directoryCertificates(): DirectoryCertificate[] {
    const directory = this.#built.get('directory')?.core;
    return directory instanceof DirectorySource ? directory.certificates() : [];
  }

  /** Reads again what is read from files: the certificate directory. */
  async reread(): Promise<void> {
    for (const { core } of this.#built.values()) if (core instanceof DirectorySource) await core.reload();
  }

  /** A challenge of the name could not be answered in time, on this machine's account. */
  challengeMissed(name: ServerName): void {
    for (const { core } of this.#built.values())
      if (core instanceof ManagerSource) core.challengeMissed(name);
  }

  /** How many look-ups may go to the manager at once, and how many wait; undefined without a manager. */
  missBudget(): { readonly tokens: number; readonly waiting: number } | undefined {
    const bucket = this.#built.get('manager')?.bucket;
    return bucket && { tokens: bucket.left, waiting: bucket.waiting };
  }

  /** Undefined where nothing is ordered. */
  orderLoad(): OrderLoad | undefined {
    const manager = this.#built.get('manager')?.core;
    return manager instanceof ManagerSource ? manager.orderLoad : undefined;
  }

  #open(name: string, settings: Settings): Promise<CertificateSource> {
    const { log, clock, observer } = this.#parts;
    const { redis, manager, certDir, internalCa } = settings;
    if (name === 'directory' && certDir !== undefined)
      return DirectorySource.open({
        dir: certDir,
        now: clock.date,
        log,
        pollMs: settings.certDirIntervalMs,
        memoryFile: join(settings.stateDir, 'cert-dir.json'),
      });
    if (name === 'ca' && internalCa !== undefined) {
      return InternalCaSource.open({ ...internalCa, now: clock.date, log });
    }
    if (name === 'redis' && redis !== undefined)
      return Promise.resolve(new RedisSource({ settings: redis, log }));
    if (name === 'manager' && manager !== undefined) {
      return Promise.resolve(
        new ManagerSource({
          settings: manager,
          log,
          now: clock.now,
          maxWaitMs: settings.lookupTimeoutMs,
          isCovered: this.#isCovered,
          onOrder: (result, tookMs) => observer.onOrder(result, tookMs),
        }),
      );
    }
    throw new TypeError(`the source ${name} is not configured`);
  }

  readonly #isCovered = (name: ServerName): boolean => this.#defaultLeaves.some((leaf) => covers(leaf, name));

  #bucketFor(core: CertificateSource, { manager }: Settings): FairTokenBucket | undefined {
    if (!(core instanceof ManagerSource) || manager === undefined) return undefined;
    return new FairTokenBucket({
      ratePerSecond: manager.missRate,
      burst: manager.missRate,
      now: this.#parts.clock.now,
    });
  }

  #wrap(
    core: CertificateSource,
    bucket: FairTokenBucket | undefined,
    { lookupTimeoutMs }: Settings,
  ): CircuitBrokenSource {
    if (bucket === undefined) return this.#guard(core);
    return this.#guard(new RateLimitedSource(core, { bucket, maxWaitMs: lookupTimeoutMs }));
  }

  #guard(source: CertificateSource): CircuitBrokenSource {
    const { log, clock, observer } = this.#parts;
    const measured = new MeasuredSource(source, {
      now: clock.now,
      onLookup: (name, outcome, tookMs) => observer.onLookup(name, outcome, tookMs),
    });
    return new CircuitBrokenSource(measured, { log, now: clock.now });
  }
}

/** The source once it is open. One that opens after its time is closed again. */
async function opened(
  opening: Promise<CertificateSource>,
  { name, withinMs }: { readonly name: string; readonly withinMs: number | undefined },
): Promise<CertificateSource> {
  if (withinMs === undefined) return opening;
  const late = (): Promise<never> => {
    opening.then((source) => source.close()).catch(() => undefined);
    return Promise.reject(
      environmentError(
        `the source ${name} has not opened within ${withinMs / 1000} s: does its file system answer?`,
      ),
    );
  };
  return within(opening, late, withinMs);
}

function defaultLeavesOf({ defaultPairs = [], listen }: Settings): X509Certificate[] {
  const pairs = [...defaultPairs, ...listen.flatMap((listener) => listener.defaultPairs ?? [])];
  return pairs.map(({ chainPem }) => new X509Certificate(splitChain(chainPem)[0] ?? ''));
}

/** What a source is built from: it is built anew when this has changed. */
function settingsOf(name: string, settings: Settings): unknown {
  switch (name) {
    case 'directory':
      return [settings.certDir, settings.certDirIntervalMs];
    case 'redis':
      return settings.redis;
    case 'manager':
      return [settings.manager, settings.lookupTimeoutMs];
    default:
      return settings.internalCa;
  }
}
