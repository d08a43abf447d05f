/**
 * The primary: settings, caches, resolver, sources, workers. It never touches a client's traffic.
 *
 * A reload changes all of it in place: processes and sockets stay, the caches and the ticket keys persist.
 */
import { NegativeCache } from '../caches/negative-cache.js';
import { PemCache } from '../caches/pem-cache.js';
import type { Loaded } from '../config/load.js';
import type { Address } from '../domain/address.js';
import type { Settings } from '../config/settings.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { WorkersExpired } from '../domain/cache-status.js';
import type { CertificatePair } from '../domain/certificate.js';
import { systemClock } from '../base/clock.js';
import { describeError } from '../domain/errors.js';
import type { ServerName } from '../domain/server-name.js';
import { createLogger, type ReopenableLogger } from '../log/pino-logger.js';
import { Resolver } from '../resolver/resolver.js';
import type { CertificateSource, ChangedNames } from '../sources/source.js';
import type { Reloaded, RunningConfig } from '../admin/operations.js';
import { Control } from './control.js';
import { DefaultPairs } from './default-pairs.js';
import { endsWithin } from './ending.js';
import { resolverSettings, workerSettings } from './derived-settings.js';
import { WORKER_PROGRAM } from './fork-worker.js';
import { hotCertificates } from './hot-certificates.js';
import { Listeners, tryAccessLog } from './listening.js';
import { PrimaryMetrics } from './metrics.js';
import type { OperationHost } from './operation-host.js';
import { Reloads } from './reloads.js';
import { SettingsInUse } from './settings-in-use.js';
import { Sources } from './sources.js';
import { Supervisor } from './supervisor.js';
import { TicketKeys } from './ticket-keys.js';
import { WorkerRequests } from './worker-requests.js';
import { WorkerRecord } from './worker-record.js';

/** The manager gives up on an expire after a second: a worker that hangs must not make it a failure. */
const EXPIRE_DEADLINE_MS = 700;
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
  onReload?(ended: Promise<{ readonly ok: boolean }>): void;
}

export class Primary implements OperationHost {
  readonly log: ReopenableLogger;
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
  readonly #settings: SettingsInUse;
  readonly #control: Control;
  readonly #reloads: Reloads;
  #supervisor: Supervisor | undefined;
  #record: WorkerRecord | undefined;
  #stopping: Promise<void> | undefined;
  /** Names put into the PEM cache by hand, of which workers have not been told yet. */
  readonly #seeded: ServerName[] = [];
  /** It is being stopped or killed. */
  #isEnding = false;
  #isStuck = false;

  /**
   * Starts everything; returns when every worker accepts.
   *
   * @throws ProxyError: wrong settings (ERR_USAGE), a port in use and the like (ERR_ENVIRONMENT).
   */
  static async start(options: PrimaryOptions): Promise<Primary> {
    const loaded = options.load();
    const { settings } = loaded;
    const log = createLogger({ settings: settings.log, role: 'primary' });
    const defaultPairs = new DefaultPairs();
    await defaultPairs.prepare(settings.defaultPairs);
    defaultPairs.use(settings.defaultPairs);
    const primary = new Primary(options, loaded, log, defaultPairs);
    try {
      await primary.#start();
    } catch (thrown) {
      await primary.kill();
      throw thrown;
    }
    return primary;
  }

  private constructor(
    options: PrimaryOptions,
    loaded: Loaded,
    log: ReopenableLogger,
    defaultPairs: DefaultPairs,
  ) {
    const { settings } = loaded;
    this.log = log;
    this.#options = options;
    this.#settings = new SettingsInUse(loaded);
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
    this.#ticketKeys = new TicketKeys((ticketKeys) => {
      void this.#supervisor?.broadcast('ticketKeys', { ticketKeys });
    });
    const { pem, negative, metrics } = this;
    const parts = { pem, negative, log, clock: systemClock, observer: metrics.events };
    this.#resolver = new Resolver(parts, resolverSettings(settings), []);
    // After the resolver: a source may tell of a change as soon as it is listened to.
    this.sources = new Sources({
      log,
      clock: systemClock,
      onChange: (names) => this.#noteChange(names),
      observer: this.metrics.events,
      ...(options.sources === undefined ? {} : { own: options.sources }),
    });
    this.#control = new Control(this, log);
    this.#reloads = new Reloads({
      log,
      load: () => options.load(),
      settings: this.#settings,
      defaultPairs,
      control: this.#control,
      pem,
      negative,
      sources: this.sources,
      resolver: this.#resolver,
      metrics,
      supervisor: () => this.#supervisor,
      workerSettings: () => this.#workerSettings(),
      isEnding: () => this.#isEnding,
      onReload: (ended) => options.onReload?.(ended),
    });
  }

  get settings(): Settings {
    return this.#settings.current;
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
    return this.#reloads.last;
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

  /** Puts a certificate into the PEM cache by hand. @throws ProxyError: see `Resolver.seed`. */
  seed(name: ServerName, pairs: readonly CertificatePair[]): void {
    this.#resolver.seed(name, pairs);
    this.#seeded.push(name);
    if (this.#seeded.length > 1) return;
    // Thousands may be put in at a time: workers are told of all of them in one message.
    setImmediate(() => this.#tellChange(this.#seeded.splice(0)));
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
    return this.#settings.compare(() => this.#options.load());
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

  async #start(): Promise<void> {
    const { log, settings } = this;
    for (const warning of this.#settings.warnings) log.notice(warning);
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
      hotCertificates: () => hotCertificates(this.pem, this.settings.lruMaxItems),
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

  async #stop(): Promise<void> {
    this.#isEnding = true;
    const { drainTimeoutMs } = this.settings;
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
    return workerSettings(this.settings, this.#defaultPairs.current, this.#ticketKeys.current);
  }

  /** A source has something new: nobody is to go on with what was known of it before. */
  #noteChange(names: ChangedNames): void {
    this.#resolver.changed(names);
    this.#tellChange(names);
  }

  #tellChange(names: ChangedNames): void {
    void this.#supervisor?.broadcast('makeStale', names === undefined ? {} : { names });
  }

  /** @param isAskedFor whatever the settings say. */
  async #expireWorkers(
    params: { readonly name?: ServerName },
    isAskedFor = false,
  ): Promise<Partial<WorkersExpired>> {
    if (!(isAskedFor || this.settings.expireWorkers) || this.#supervisor === undefined) return {};
    return this.#supervisor.broadcast('expire', params, EXPIRE_DEADLINE_MS);
  }
}
