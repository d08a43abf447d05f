/**
 * The primary: settings, caches, resolver, sources, workers. It never touches a client's traffic.
 *
 * A reload changes all of it in place: processes and sockets stay, the caches and the ticket keys persist.
 */
import { NegativeCache } from '../caches/negative-cache.js';
import { PemCache } from '../caches/pem-cache.js';
import { describeChanges } from '../config/changes.js';
import type { Loaded } from '../config/load.js';
import type { Address } from '../domain/address.js';
import type { Settings } from '../config/settings.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { WorkersExpired } from '../domain/cache-status.js';
import type { CertificatePair } from '../domain/certificate.js';
import { systemClock } from '../base/clock.js';
import { describeError } from '../domain/errors.js';
import type { ServerName } from '../domain/server-name.js';
import { createLogger } from '../log/pino-logger.js';
import { Resolver } from '../resolver/resolver.js';
import type { CertificateSource, ChangedNames } from '../sources/source.js';
import type { Reloaded, RunningConfig } from '../admin/operations.js';
import type { EffectiveValue } from '../config/effective.js';
import { Control } from './control.js';
import { DefaultPairs } from './default-pairs.js';
import { endsWithin } from './ending.js';
import { resolverSettings, withoutRestart, workerSettings } from './derived-settings.js';
import { hotCertificates } from './hot-certificates.js';
import { Listeners, tryAccessLog } from './listening.js';
import { PrimaryMetrics } from './metrics.js';
import type { OperationHost } from './operation-host.js';
import { runningConfig, valuesInUse } from './running-config.js';
import { Reloads } from './reloads.js';
import { Sources } from './sources.js';
import { Supervisor, WORKER_PROGRAM } from './supervisor.js';
import { TicketKeys } from './ticket-keys.js';
import { WorkerRequests } from './worker-requests.js';
import { WorkerRecord } from './worker-record.js';

/** The manager gives up on an expire after a second: a worker that hangs must not make it a failure. */
const EXPIRE_DEADLINE_MS = 700;
/** How long a reload waits until the certificate directory is read again: its file system may not answer. */
const REREAD_DEADLINE_MS = 10_000;
/** How long a stop waits for a reload that is under way, and for sources to close, which takes milliseconds as a rule. */
const CLOSE_DEADLINE_MS = 2_000;

export interface PrimaryOptions {
  /** Reads the settings: at the start and at each reload. Throws a ProxyError when anything is wrong. */
  load(): Loaded;
  /** An embedder's own sources: asked before all others. */
  readonly sources?: readonly CertificateSource[];
  /** Begins to stop the program, for the command `stop`. @default stops the primary alone */
  readonly requestStop?: () => void;
  /** Resolves when the start is not wanted any more: the start then fails, if a worker is not ready yet. */
  readonly giveUp?: Promise<void>;
  /** Told of each reload that begins, whoever has asked for it. @param ended never rejects. */
  onReload?(ended: Promise<unknown>): void;
}

const NOT_RELOADED = { ok: false, changed: [], needRestart: [] } as const;
const NOT_WHILE_STOPPING = { ...NOT_RELOADED, failure: 'the program is being stopped' } as const;

export type PrimaryLogger = ReturnType<typeof createLogger>;

export class Primary implements OperationHost {
  readonly log: PrimaryLogger;
  readonly pem: PemCache;
  readonly negative: NegativeCache;
  readonly sources: Sources;
  readonly metrics = new PrimaryMetrics();
  /** Milliseconds of `performance.now`. */
  readonly startedAtMs = performance.now();
  readonly #options: PrimaryOptions;
  readonly #ticketKeys: TicketKeys;
  readonly #resolver: Resolver;
  readonly #listeners = new Listeners();
  readonly #defaultPairs: DefaultPairs;
  readonly #reloads = new Reloads<Reloaded>(() => {
    const ended = this.#reload();
    this.#options.onReload?.(ended);
    return ended;
  });
  readonly #control: Control;
  #lastReload: OperationHost['lastReload'];
  #supervisor: Supervisor | undefined;
  #record: WorkerRecord | undefined;
  #settings: Settings;
  /** Those that came with the settings. */
  #warnings: readonly string[] = [];
  /** The values of flags that are in use. */
  #values: readonly EffectiveValue[];
  #stopping: Promise<void> | undefined;
  /** It is being stopped or killed. */
  #isEnding = false;
  #isStuck = false;

  /**
   * Starts everything; returns when every worker accepts.
   *
   * @throws ProxyError: wrong settings (ERR_USAGE), a port in use and the like (ERR_ENVIRONMENT).
   */
  static async start(options: PrimaryOptions): Promise<Primary> {
    const { settings, warnings, values } = options.load();
    const log = createLogger({ settings: settings.log, role: 'primary' });
    const defaultPairs = new DefaultPairs();
    await defaultPairs.prepare(settings.defaultPairs);
    defaultPairs.use(settings.defaultPairs);
    const primary = new Primary(options, { settings, warnings, values }, log, defaultPairs);
    try {
      await primary.#start(warnings);
    } catch (thrown) {
      await primary.kill();
      throw thrown;
    }
    return primary;
  }

  private constructor(
    options: PrimaryOptions,
    { settings, values }: Loaded,
    log: PrimaryLogger,
    defaultPairs: DefaultPairs,
  ) {
    this.log = log;
    this.#options = options;
    this.#settings = settings;
    this.#values = values;
    this.#defaultPairs = defaultPairs;
    this.pem = new PemCache({
      maxBytes: settings.certCacheSizeBytes,
      clock: systemClock,
      onEvictFresh: (name) => {
        this.metrics.events.evicted();
        log.notice('the certificate cache is full: a fresh entry was evicted; see --cert-cache-size', {
          name,
        });
      },
    });
    this.negative = new NegativeCache({ maxItems: settings.negativeMaxItems, now: systemClock.now });
    this.sources = new Sources({
      log,
      clock: systemClock,
      onChange: (names) => this.#noteChange(names),
      observer: this.metrics.events,
      ...(options.sources === undefined ? {} : { own: options.sources }),
    });
    this.#ticketKeys = new TicketKeys((ticketKeys) => {
      void this.#supervisor?.broadcast('ticketKeys', { ticketKeys });
    });
    const { pem, negative, metrics } = this;
    const parts = { pem, negative, log, clock: systemClock, observer: metrics.events };
    this.#resolver = new Resolver(parts, resolverSettings(settings), []);
    this.#control = new Control(this, log);
  }

  get settings(): Settings {
    return this.#settings;
  }

  get resolver(): Resolver {
    return this.#resolver;
  }

  /** The addresses that are listened on for TLS, with the real ports. */
  get addresses(): readonly Address[] {
    return this.#listeners.addresses;
  }

  /** The same for plain HTTP. */
  get httpAddresses(): readonly Address[] {
    return this.#listeners.httpAddresses;
  }

  /** Where the admin listener accepts, with the real ports. */
  get adminAddresses(): readonly Address[] {
    return this.#control.addresses;
  }

  get supervisor(): Supervisor | undefined {
    return this.#supervisor;
  }

  /** The default certificates of the program; listeners may have others. */
  get defaultPairs(): readonly CertificatePair[] {
    return this.#defaultPairs.current;
  }

  get lastReload(): OperationHost['lastReload'] {
    return this.#lastReload;
  }

  get workerPids(): readonly number[] {
    return this.#supervisor?.pids ?? [];
  }

  /** Whether a worker accepts. */
  get isServing(): boolean {
    return this.#supervisor?.isServing ?? false;
  }

  /** It has ended, but for a source that waits for its file system: then the process cannot exit by itself either. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** See `Sources.internalCaRootPath`. */
  get internalCaRootPath(): string | undefined {
    return this.sources.internalCaRootPath;
  }

  /** Expires everything; says how many workers have heard of it where that is asked for. */
  async expireAll({ hard, workers }: { hard: boolean; workers?: boolean }): Promise<Partial<WorkersExpired>> {
    this.#resolver.expireAll({ hard });
    this.log.notice('expired all', { hard });
    return this.#expireWorkers({}, workers);
  }

  /** Expires one name. */
  async expireDomain(
    name: ServerName,
    { workers }: { readonly workers?: boolean } = {},
  ): Promise<Partial<WorkersExpired>> {
    this.#resolver.expireDomain(name);
    this.log.notice('expired domain', { name });
    return this.#expireWorkers({ name }, workers);
  }

  /** Reads the settings again and takes them over. Never rejects: what is wrong is logged, and all stays as it was. */
  reload(): Promise<Reloaded> {
    return this.#reloads.request();
  }

  /** What is in use, and what a reload would change. */
  config(): RunningConfig {
    return runningConfig(this.#settings, this.#values, () => this.#options.load());
  }

  /** Begins to stop, for the command. */
  requestStop(): void {
    if (this.#options.requestStop === undefined) void this.stop();
    else this.#options.requestStop();
  }

  /** Opens the log files anew, after they have been rotated. */
  reopenLogs(): void {
    try {
      this.log.reopen();
    } catch (thrown) {
      this.log.err('log file not reopened: the old one stays in use', { error: describeError(thrown) });
    }
    this.#supervisor?.reopenLogs();
  }

  /** Stops accepting, finishes what is under way, ends. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends at once. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.#supervisor?.kill();
    this.#control.close();
    this.#record?.remove();
    this.#listeners.close();
    this.#ticketKeys.close();
    this.metrics.stop();
    await this.#closeSources();
    this.log.flush();
  }

  async #start(warnings: readonly string[]): Promise<void> {
    const { log } = this;
    const settings = this.#settings;
    this.#warn(warnings);
    tryAccessLog(settings);
    // First: a worker that an earlier run left behind may still have the port.
    this.#record = await WorkerRecord.open({
      stateDir: settings.stateDir,
      workerProgram: WORKER_PROGRAM,
      log,
    });
    await this.#listeners.open(settings);
    // Before there are workers: who asks whether the program is ready hears that it is not yet.
    await this.#control.open();
    await this.#resolver.configure(resolverSettings(settings), await this.sources.build(settings));
    const requests = new WorkerRequests(this, (call) => this.#control.operate(call));
    this.#supervisor = new Supervisor({
      handles: this.#listeners.handles,
      handlers: (workerId) => requests.handlers(workerId),
      onEnded: (workerId) => requests.ended(workerId),
      onLost: (cause) => this.metrics.events.workerLost(cause),
      settings: () => this.#workerSettings(),
      hotCertificates: () => hotCertificates(this.pem, this.#settings.lruMaxItems),
      onProcesses: (pids) => this.#record?.write(pids),
      log,
    });
    const { pem, negative, sources, metrics } = this;
    metrics.watch({ pem, negative, sources, supervisor: this.#supervisor });
    await this.#supervisor.start(settings.workers, this.#options.giveUp);
    log.notice('started', {
      workers: settings.workers,
      sources: settings.sources.join(','),
      certCacheDuration: settings.certCacheDurationMs / 1000,
      lruCacheDuration: settings.lruCacheDurationMs / 1000,
      errorCacheDuration: settings.errorCacheDurationMs / 1000,
      lruMaxitems: settings.lruMaxItems,
      certCacheSize: settings.certCacheSizeBytes,
      negativeMaxitems: settings.negativeMaxItems,
    });
  }

  /** Logs the warnings of a load; after a reload only those that the load before did not have. */
  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.#warnings.includes(warning)) this.log.notice(warning);
    this.#warnings = warnings;
  }

  async #reload(): Promise<Reloaded> {
    const { log } = this;
    if (this.#isStopping()) return NOT_WHILE_STOPPING;
    try {
      const { settings, warnings, values } = this.#options.load();
      tryAccessLog(settings);
      // If this fails, the old log stays open.
      log.configure(settings.log);
      await this.#defaultPairs.prepare(settings.defaultPairs);
      // The last step that may fail: it replaces the earlier sources.
      const sources = await this.sources.build(settings);
      if (this.#isStopping()) {
        // The resolver closes what it has when it is closed, and at once what it gets after that.
        this.#resolver.configure(resolverSettings(settings), sources).catch(this.#onNotClosed);
        return NOT_WHILE_STOPPING;
      }
      const { changed, needRestart } = describeChanges(this.#settings, settings);
      this.#warn(warnings);
      // What needs a restart goes on as it was, and so compares as changed again next time.
      this.#settings = withoutRestart(this.#settings, settings);
      this.#values = valuesInUse(this.#values, values);
      this.#defaultPairs.use(settings.defaultPairs);
      this.#control.configure();
      this.pem.resize(settings.certCacheSizeBytes);
      this.negative.resize(settings.negativeMaxItems);
      // The old sources are closed when what they look up has ended, which may be an order: the next reload does not wait for it.
      this.#resolver.configure(resolverSettings(settings), sources).catch(this.#onNotClosed);
      const isRead = endsWithin(REREAD_DEADLINE_MS, this.sources.reread());
      await this.#supervisor?.configure(this.#workerSettings(), settings.workers);
      if (!(await isRead)) log.err('the certificate directory is not read yet: it goes on being read');
      if (this.#isStopping()) return NOT_WHILE_STOPPING;
      this.metrics.events.reloaded('ok');
      log.notice('reloaded', {
        changed: changed.join(',') || 'nothing',
        ...(needRestart.length === 0 ? {} : { needRestart: needRestart.join(',') }),
      });
      this.#lastReload = { atMs: performance.now() };
      return { ok: true, changed, needRestart };
    } catch (thrown) {
      try {
        log.configure(this.#settings.log);
      } catch {
        // The earlier file cannot be opened any more: the new one stays in use.
      }
      this.metrics.events.reloaded('failed');
      const failure = describeError(thrown);
      log.err('not reloaded, everything stays as it was', { error: failure });
      this.#lastReload = { atMs: performance.now(), failure };
      return { ...NOT_RELOADED, failure };
    }
  }

  readonly #onNotClosed = (error: unknown): void => {
    this.log.err('source not closed', { error: describeError(error) });
  };

  // A method: the compiler takes a field that was tested before an `await` for tested after it.
  #isStopping(): boolean {
    return this.#isEnding;
  }

  async #stop(): Promise<void> {
    this.#isEnding = true;
    const { drainTimeoutMs } = this.#settings;
    this.log.notice('stopping', { drainTimeout: drainTimeoutMs / 1000 });
    this.#listeners.close();
    this.#control.close();
    await this.#supervisor?.drain(drainTimeoutMs);
    this.#record?.remove();
    // A reload that was under way hands its sources to the resolver, which closes them.
    const reload = this.#reloads.running ?? Promise.resolve();
    if (!(await endsWithin(CLOSE_DEADLINE_MS, reload))) this.#isStuck = true;
    this.#ticketKeys.close();
    this.metrics.stop();
    await this.#closeSources();
    this.log.notice('stopped');
    this.log.flush();
  }

  async #closeSources(): Promise<void> {
    if (await endsWithin(CLOSE_DEADLINE_MS, this.#resolver.close())) return;
    this.#isStuck = true;
    this.log.err('source not closed', { error: `it has not ended within ${CLOSE_DEADLINE_MS / 1000} s` });
  }

  #workerSettings(): WorkerSettings {
    return workerSettings(this.#settings, this.#defaultPairs.current, this.#ticketKeys.current);
  }

  /** A source has something new: nobody is to go on with what was known of it before. */
  #noteChange(names: ChangedNames): void {
    this.#resolver.changed(names);
    void this.#supervisor?.broadcast('makeStale', names === undefined ? {} : { names });
  }

  /** @param isAskedFor whatever the settings say. */
  async #expireWorkers(
    params: { readonly name?: ServerName },
    isAskedFor = false,
  ): Promise<Partial<WorkersExpired>> {
    if (!(isAskedFor || this.#settings.expireWorkers) || this.#supervisor === undefined) return {};
    return this.#supervisor.broadcast('expire', params, EXPIRE_DEADLINE_MS);
  }
}
