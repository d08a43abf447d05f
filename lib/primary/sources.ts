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
import { splitChain } from '../domain/pem.js';
import type { Clock } from '../base/clock.js';
import type { ServerName } from '../domain/server-name.js';
import type { SourceStatus } from '../domain/status-report.js';
import type { Logger } from '../log/logger.js';
import { DirectorySource, type DirectoryCertificate } from '../sources/directory/source.js';
import { CircuitBrokenSource } from '../sources/limits/circuit-broken-source.js';
import { InternalCaSource } from '../sources/internal-ca/source.js';
import { ManagerSource } from '../sources/manager/source.js';
import { RateLimitedSource } from '../sources/limits/rate-limited-source.js';
import { RedisSource } from '../sources/redis/source.js';
import type { CertificateSource, ChangedNames } from '../sources/source.js';

interface Built {
  /** What the resolver asks. */
  readonly source: CircuitBrokenSource;
  /** The implementation inside. */
  readonly core: CertificateSource;
  /** What it was built from. */
  readonly settings: unknown;
}

export interface SourcesParts {
  readonly log: Logger;
  readonly clock: Clock;
  /** Told when a source has noticed changes by itself. */
  onChange(this: void, names: ChangedNames): void;
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
    this.#own = (parts.own ?? []).map((source) => this.#guard(source));
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
   * @throws ProxyError when a directory or an authority cannot be opened. Then nothing has changed.
   */
  async build(settings: Settings): Promise<readonly CertificateSource[]> {
    const built = new Map<string, Built>();
    try {
      for (const name of settings.sources) {
        const own = settingsOf(name, settings);
        const earlier = this.#built.get(name);
        if (earlier !== undefined && isDeepStrictEqual(earlier.settings, own)) {
          built.set(name, earlier);
        } else {
          const core = await this.#open(name, settings);
          const source = this.#wrap(core, settings);
          source.onChange(this.#parts.onChange);
          built.set(name, { core, settings: own, source });
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

  #open(name: string, settings: Settings): Promise<CertificateSource> {
    const { log, clock } = this.#parts;
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
        new ManagerSource({ settings: manager, log, now: clock.now, isCovered: this.#isCovered }),
      );
    }
    throw new TypeError(`the source ${name} is not configured`);
  }

  readonly #isCovered = (name: ServerName): boolean => this.#defaultLeaves.some((leaf) => covers(leaf, name));

  #wrap(core: CertificateSource, { manager, lookupTimeoutMs }: Settings): CircuitBrokenSource {
    if (!(core instanceof ManagerSource) || manager === undefined) return this.#guard(core);
    const bucket = new FairTokenBucket({
      ratePerSecond: manager.missRate,
      burst: manager.missRate,
      now: this.#parts.clock.now,
    });
    return this.#guard(new RateLimitedSource(core, { bucket, maxWaitMs: lookupTimeoutMs }));
  }

  #guard(source: CertificateSource): CircuitBrokenSource {
    return new CircuitBrokenSource(source, { log: this.#parts.log, now: this.#parts.clock.now });
  }
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
