/**
 * The primary as a program: the ready line, the pid file, the signals.
 *
 * SIGHUP reloads, SIGUSR1 reopens the log files, SIGTERM, SIGQUIT and SIGINT drain and exit 0; a second one of those exits
 * at once. SIGUSR2 is left alone. What comes before the program is ready: SIGHUP and SIGUSR1 are obeyed once it is, the others
 * end the start.
 *
 * A service manager is told of all that: see `service-manager.ts`.
 *
 * While the system holds on to a thread of ours (a network file system that does not answer) no process can exit: then it ends by
 * a SIGTERM of its own, once all is done.
 */
import { relative } from 'node:path';
import { shellWord } from '../base/shell-word.js';
import type { Loaded } from '../config/load.js';
import { defer } from '../base/deferred.js';
import { startUnrefTimer } from '../base/timer.js';
import { describeError } from '../domain/errors.js';
import { removePidFile, writePidFile } from './pid-file.js';
import { Primary } from './primary.js';
import { isUnderServiceManager, ServiceManager } from './service-manager.js';
import { urlsOf } from './status.js';
import { sendBySystemdNotify } from './systemd-notify.js';

export interface RunIo {
  /** Writes to standard output. */
  readonly stdout: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** See `CliIo`. */
  readonly takeSignals?: () => ReadonlySet<NodeJS.Signals>;
}

/**
 * Runs the proxy until a signal ends it.
 *
 * @returns the exit code.
 * @throws ProxyError when it cannot be started.
 */
export async function runPrimary(load: () => Loaded, io: RunIo): Promise<number> {
  // Installed first: a signal that comes while the workers start must not leave them behind.
  const stop = new StopSignals();
  let primary: Primary | undefined;
  let serviceManager: ServiceManager | undefined;
  const early = new Set<NodeJS.Signals>();
  // They stay until the process is gone: in its last moment a SIGHUP must not be deadly either.
  process.on('SIGHUP', (signal) => {
    if (primary === undefined) early.add(signal);
    else void primary.reload();
  });
  process.on('SIGUSR1', (signal) => {
    if (primary === undefined) early.add(signal);
    else primary.reopenLogs();
  });
  for (const signal of io.takeSignals?.() ?? []) early.add(signal);
  process.title = 'peter-sslers-proxy: primary';
  let pidFile: string | undefined;
  try {
    // Before the start is complete a second signal ends the program at once: the first one has ended the workers.
    void stop.second.then(() => (primary === undefined ? process.exit(0) : undefined));
    primary = await Primary.start({
      load,
      giveUp: stop.first,
      requestStop: () => process.kill(process.pid, 'SIGTERM'),
      onReload: (ended) => serviceManager?.reloading(ended),
    });
    const { log } = primary;
    serviceManager = serviceManagerOf(primary, io.env);
    process.on('uncaughtException', (error) => {
      log.err('primary failed', { error: describeError(error), stack: error.stack });
      // A worker that stands still would not see our end.
      void primary?.kill();
      log.flush();
      process.exit(1);
    });
    if (stop.count === 0) {
      const path = primary.settings.pidFile;
      if (path !== undefined) writePidFile(path, log);
      pidFile = path;
      io.stdout(readyLines(primary, isUnderServiceManager(io.env)));
      serviceManager.ready();
      if (early.has('SIGUSR1')) primary.reopenLogs();
      if (early.has('SIGHUP')) void primary.reload();
    }
    await stop.first;
    serviceManager.stopping(primary.settings.drainTimeoutMs);
    await Promise.race([primary.stop(), stop.second]);
    if (stop.count > 1) {
      log.notice('stopped at once, connections are cut');
      await primary.kill();
    }
    return 0;
  } catch (thrown) {
    await primary?.kill();
    // Ctrl-C reaches the workers too, and may end one that has just been started: that is no failure then. Its end may be
    // heard of a moment before the signal is.
    await new Promise((resolve) => setImmediate(resolve));
    if (stop.count > 0) return 0;
    throw thrown;
  } finally {
    if (pidFile !== undefined) removePidFile(pidFile);
    stop.close();
    // Without our handlers this signal ends the process.
    if (primary?.isStuck === true) process.kill(process.pid, 'SIGTERM');
  }
}

/** Counts the signals that ask for the end. */
class StopSignals {
  readonly #first = defer<void>();
  readonly #second = defer<void>();
  #count = 0;
  readonly #onSignal = (): void => {
    this.#count++;
    if (this.#count === 1) this.#first.resolve();
    else this.#second.resolve();
  };

  constructor() {
    for (const signal of STOP_SIGNALS) process.on(signal, this.#onSignal);
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  get second(): Promise<void> {
    return this.#second.promise;
  }

  get count(): number {
    return this.#count;
  }

  close(): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.#onSignal);
  }
}

const STOP_SIGNALS = ['SIGTERM', 'SIGQUIT', 'SIGINT'] as const;

function serviceManagerOf(primary: Primary, env: RunIo['env']): ServiceManager {
  return new ServiceManager({
    env,
    pid: process.pid,
    state: {
      isServing: () => primary.isServing,
      describe: () => `Serving ${listenersOf(primary).join(' ')}`,
    },
    send: sendBySystemdNotify,
    startTimer: startUnrefTimer,
    monotonicUs: () => process.hrtime.bigint() / 1000n,
    log: primary.log,
  });
}

function listenersOf(primary: Primary): string[] {
  return [...urlsOf('https', primary.addresses), ...urlsOf('http', primary.httpAddresses)];
}

/** @param isJournal whether they are read where nobody knows the working directory. */
function readyLines(primary: Primary, isJournal: boolean): string {
  const { settings } = primary;
  const urls = listenersOf(primary);
  const admin = urlsOf('http', primary.adminAddresses);
  const tcp = primary.addresses.find((address) => 'port' in address);
  const root = primary.internalCaRootPath;
  const hint =
    root === undefined || tcp === undefined || settings.routes.length > 0
      ? undefined
      : `curl --cacert ${shellWord(isJournal ? root : relative(process.cwd(), root))} https://hello.localhost:${tcp.port}/`;
  if (settings.log.format === 'json') {
    const line = {
      ready: urls,
      workers: settings.workers,
      pid: process.pid,
      ...(admin.length === 0 ? {} : { admin }),
      ...(hint === undefined ? {} : { try: hint }),
    };
    return `${JSON.stringify(line)}\n`;
  }
  const ready = `ready ${urls.join(' ')} workers=${settings.workers} pid=${process.pid}\n`;
  const lines = [
    ...(admin.length === 0 ? [] : [`admin ${admin.join(' ')}`]),
    ...(hint === undefined ? [] : [hint]),
  ];
  return ready + lines.map((line) => `${line}\n`).join('');
}
