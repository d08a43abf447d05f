/**
 * Reloads: the settings are read again and taken over in place. Processes and sockets stay, the caches and the ticket keys persist.
 *
 * One at a time. Requests that come while one runs fold into a single reload after it, so that what had changed by the time of each
 * request is read.
 */
import type { Reloaded } from '../admin/operations.js';
import type { NegativeCache } from '../caches/negative-cache.js';
import type { PemCache } from '../caches/pem-cache.js';
import type { Loaded } from '../config/load.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import { describeError } from '../domain/errors.js';
import type { ReopenableLogger } from '../log/pino-logger.js';
import type { Resolver } from '../resolver/resolver.js';
import type { CertificateSource } from '../sources/source.js';
import type { Control } from './control.js';
import type { DefaultPairs } from './default-pairs.js';
import { resolverSettings } from './derived-settings.js';
import { endsWithin } from './ending.js';
import { tryAccessLog } from './listening.js';
import type { PrimaryMetrics } from './metrics.js';
import type { OperationHost } from './operation-host.js';
import type { SettingsInUse } from './settings-in-use.js';
import type { Sources } from './sources.js';
import type { Supervisor } from './supervisor.js';

/** How long it waits for a source that was not there before: its file system may not answer. */
const OPEN_DEADLINE_MS = 60_000;
/** How long it waits until the certificate directory is read again, for the same reason. */
const REREAD_DEADLINE_MS = 10_000;

const NOT_RELOADED = { ok: false, changed: [], needRestart: [] } as const;
const NOT_WHILE_STOPPING = { ...NOT_RELOADED, failure: 'the program is being stopped' } as const;

/** What a reload changes, and whom it tells. */
export interface ReloadParts {
  readonly log: ReopenableLogger;
  /** Throws a ProxyError when anything is wrong. */
  load(): Loaded;
  readonly settings: SettingsInUse;
  readonly defaultPairs: DefaultPairs;
  readonly control: Control;
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly sources: Sources;
  readonly resolver: Resolver;
  readonly metrics: PrimaryMetrics;
  supervisor(): Supervisor | undefined;
  workerSettings(): WorkerSettings;
  /** Whether the program is being stopped or killed. */
  isEnding(this: void): boolean;
  /** Told of each reload that begins. @param ended never rejects. */
  onReload(ended: Promise<Reloaded>): void;
}

export class Reloads {
  readonly #parts: ReloadParts;
  #running: Promise<Reloaded> | undefined;
  /** The reload that follows the running one: further requests fold into it. */
  #waiting: Promise<Reloaded> | undefined;
  #last: OperationHost['lastReload'];

  constructor(parts: ReloadParts) {
    this.#parts = parts;
  }

  /** The reload that runs now. */
  get running(): Promise<Reloaded> | undefined {
    return this.#running;
  }

  /** What has come of the last one. `atMs`: of `performance.now`. */
  get last(): OperationHost['lastReload'] {
    return this.#last;
  }

  /**
   * Reloads. Never rejects: what is wrong is logged, and all stays as it was.
   *
   * @returns what has come of a reload that began at this call or after it, when it has ended.
   */
  request(): Promise<Reloaded> {
    if (this.#running === undefined) {
      this.#running = this.#reload().finally(() => (this.#running = undefined));
      this.#parts.onReload(this.#running);
      return this.#running;
    }
    const running = this.#running;
    this.#waiting ??= running.then(() => {
      this.#waiting = undefined;
      return this.request();
    });
    return this.#waiting;
  }

  async #reload(): Promise<Reloaded> {
    const { log, metrics, isEnding } = this.#parts;
    if (isEnding()) return NOT_WHILE_STOPPING;
    try {
      const loaded = this.#parts.load();
      const sources = await this.#prepare(loaded);
      if (isEnding()) {
        // The resolver closes what it has when it is closed, and at once what it gets after that.
        this.#useSources(sources);
        return NOT_WHILE_STOPPING;
      }
      const { changed, needRestart } = await this.#takeOver(loaded, sources);
      if (isEnding()) return NOT_WHILE_STOPPING;
      metrics.events.reloaded('ok');
      log.notice('reloaded', {
        changed: changed.join(',') || 'nothing',
        ...(needRestart.length === 0 ? {} : { needRestart: needRestart.join(',') }),
      });
      this.#last = { atMs: performance.now() };
      return { ok: true, changed, needRestart };
    } catch (thrown) {
      return this.#notReloaded(describeError(thrown));
    }
  }

  /** All that may fail. Where it does, nothing has changed but the log, and `#notReloaded` takes that back. */
  async #prepare({ settings }: Loaded): Promise<readonly CertificateSource[]> {
    const { log, defaultPairs, sources } = this.#parts;
    tryAccessLog(settings);
    // If this fails, the old log stays open.
    log.configure(settings.log);
    await defaultPairs.prepare(settings.defaultPairs);
    // Last: it replaces the earlier sources.
    return sources.build(settings, { openWithinMs: OPEN_DEADLINE_MS });
  }

  async #takeOver(
    loaded: Loaded,
    sources: readonly CertificateSource[],
  ): Promise<Pick<Reloaded, 'changed' | 'needRestart'>> {
    const { log, settings, defaultPairs, control, pem, negative } = this.#parts;
    const { changed, needRestart, newWarnings } = settings.take(loaded);
    for (const warning of newWarnings) log.notice(warning);
    defaultPairs.use(loaded.settings.defaultPairs);
    control.configure();
    pem.resize(settings.current.certCacheSizeBytes);
    negative.resize(settings.current.negativeMaxItems);
    this.#useSources(sources);
    const isRead = endsWithin(REREAD_DEADLINE_MS, this.#parts.sources.reread());
    await this.#parts.supervisor()?.configure(this.#parts.workerSettings(), settings.current.workers);
    if (!(await isRead)) log.err('the certificate directory is not read yet: it goes on being read');
    return { changed, needRestart };
  }

  /** The old ones are closed when what they look up has ended, which may be an order: the next reload does not wait for it. */
  #useSources(sources: readonly CertificateSource[]): void {
    const { log, resolver, settings } = this.#parts;
    resolver
      .configure(resolverSettings(settings.current), sources)
      .catch((error: unknown) => log.err('source not closed', { error: describeError(error) }));
  }

  #notReloaded(failure: string): Reloaded {
    const { log, settings, metrics } = this.#parts;
    try {
      log.configure(settings.current.log);
    } catch {
      // The earlier file cannot be opened any more: the new one stays in use.
    }
    metrics.events.reloaded('failed');
    log.err('not reloaded, everything stays as it was', { error: failure });
    this.#last = { atMs: performance.now(), failure };
    return { ...NOT_RELOADED, failure };
  }
}
