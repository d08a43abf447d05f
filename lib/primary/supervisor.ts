/**
 * The worker processes: as many as are wanted, replaced when they die or stand still, all told of new settings, drained.
 */
import type { WorkersExpired } from '../domain/cache-status.js';
import type { WorkerStatus } from '../domain/status-report.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { PrimaryToWorker } from '../bus/messages.js';
import { startTimer, startUnrefTimer } from '../base/timer.js';
import { describeError } from '../domain/errors.js';
import { endsWithin } from './ending.js';
import { Heartbeat } from './heartbeat.js';
import { Restarts } from './restarts.js';
import { WorkerProcess, type WorkerOptions } from './worker-process.js';

const CONFIGURE_DEADLINE_MS = 5_000;
const BROADCAST_DEADLINE_MS = 1_500;
/** So much later than its workers the primary may hear of a signal to the whole group. */
const GROUP_SIGNAL_MS = 1_000;
/** How long the answer to a ping may take to count as a sign of life still. */
const PING_DEADLINE_MS = 5_000;
/**
 * A reload cuts no connection: a worker that is taken away ends with its last one, a WebSocket perhaps. This is as good as for ever,
 * and short enough for a timer. A stop drains the worker with its own limit.
 */
const RETIREMENT_MS = 2_000_000_000;
/** How long a request that is already on its way may still come on an idle connection, at a stop and at a reload. */
const IDLE_GRACE_MS = 1_000;
const IDLE_GRACE_AT_RELOAD_MS = 3_000;

export interface SupervisorOptions extends WorkerOptions {
  /** Told of a worker that has ended. */
  onEnded(this: void, workerId: number): void;
  /** Told of a worker that has ended unasked, and is to be replaced. `hung`: it stood still, and was ended. */
  onLost(this: void, cause: 'died' | 'hung'): void;
  /** Told whenever there is another worker, or one less: the process ids of all of them. */
  onProcesses(pids: readonly number[]): void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #heartbeat = new Heartbeat<WorkerProcess>({
    now: () => performance.now(),
    startTimer: startUnrefTimer,
    // A worker that is being drained is not given the longer time of a start.
    isStarting: ({ isAccepting, isDraining }) => !isAccepting && !isDraining,
    ping: (worker) => worker.call('ping', {}, PING_DEADLINE_MS),
    onSilent: (worker, silentMs) => this.#endSilent(worker, silentMs),
  });
  readonly #restarts = new Restarts({
    startTimer,
    start: () => {
      if (!this.#stopping && this.#live().length < this.#wanted) this.#forkOrRetry();
    },
  });
  /** A worker that is stopped at a breakpoint stands still on purpose. */
  readonly #isDebugged = process.execArgv.some((flag) => flag.startsWith('--inspect'));
  /** Those that were ended since they stood still. */
  readonly #hung = new WeakSet<WorkerProcess>();
  /** Those without which the start has failed. */
  readonly #ofStart = new WeakSet<WorkerProcess>();
  #wanted = 0;
  #starting = false;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Workers that accept or are about to. */
  get size(): number {
    return this.#live().length;
  }

  get isServing(): boolean {
    return this.#live().some(({ isAccepting }) => isAccepting);
  }

  get pids(): number[] {
    return this.#live().flatMap(({ pid }) => pid ?? []);
  }

  /**
   * Starts `count` workers.
   *
   * @param giveUp ends them while one of them is not ready yet.
   * @throws ProxyError ERR_ENVIRONMENT when one dies before it is ready.
   */
  async start(count: number, giveUp?: Promise<void>): Promise<void> {
    this.#wanted = count;
    this.#starting = true;
    void giveUp?.then(() => {
      if (this.#starting) this.kill();
    });
    const started = Array.from({ length: count }, () => this.#forkUntilReady(giveUp));
    await Promise.all(started).finally(() => (this.#starting = false));
  }

  /** Gives every worker new settings, and starts or drains workers until there are `count`. Returns when all have acknowledged. */
  async configure(settings: WorkerSettings, count: number): Promise<void> {
    if (this.#stopping) return;
    this.#wanted = count;
    // Also those that will go: until they have heard of that, they accept.
    await this.#callAll(
      this.#live().filter(({ isGreeted }) => isGreeted),
      'configure',
      { settings },
      CONFIGURE_DEADLINE_MS,
    );
    if (this.#isStopping()) return;
    // Counted now, and once more below: meanwhile workers may have died, and been replaced or not.
    const missing = Math.max(0, count - this.#live().length);
    const added = Array.from({ length: missing }, () => this.#forkOrRetry());
    await Promise.allSettled(added.flatMap((worker) => worker?.ready ?? []));
    if (this.#isStopping()) return;
    for (const worker of this.#live().slice(count)) {
      void worker.drain(RETIREMENT_MS, IDLE_GRACE_AT_RELOAD_MS);
    }
  }

  /** Asks something of every worker. Says how many were asked, and how many have answered in time. */
  async broadcast<Op extends keyof PrimaryToWorker>(
    op: Op,
    params: PrimaryToWorker[Op]['params'],
    deadlineMs = BROADCAST_DEADLINE_MS,
  ): Promise<WorkersExpired> {
    const workers = this.#live().filter(({ isGreeted }) => isGreeted);
    return {
      workers: workers.length,
      acknowledged: await this.#callAll(workers, op, params, deadlineMs),
    };
  }

  /** Has every worker open its log files anew: also those that are being drained, which may write for days. */
  reopenLogs(): void {
    void this.broadcast('reopenLogs', {});
    for (const worker of this.#workers) {
      if (!worker.isDraining || !worker.isConnected) continue;
      // One that has gone meanwhile writes nothing more.
      worker.call('reopenLogs', {}, BROADCAST_DEADLINE_MS).catch(() => undefined);
    }
  }

  /** Every worker, those that are being drained included. */
  statuses(): WorkerStatus[] {
    return [...this.#workers].map(({ pid, isAccepting, isDraining, startedAtMs }) => ({
      pid: pid ?? 0,
      state: isDraining ? 'draining' : isAccepting ? 'accepting' : 'starting',
      uptimeMs: performance.now() - startedAtMs,
    }));
  }

  /** Asks something of every worker: what each has answered, or why it has not. */
  async askAll<Op extends keyof PrimaryToWorker>(
    op: Op,
    params: PrimaryToWorker[Op]['params'],
    deadlineMs = BROADCAST_DEADLINE_MS,
  ): Promise<(PrimaryToWorker[Op]['result'] | { readonly pid: number; readonly failure: string })[]> {
    const workers = this.#live().filter(({ isGreeted }) => isGreeted);
    return Promise.all(
      workers.map((worker) =>
        worker
          .call(op, params, deadlineMs)
          .catch((thrown: unknown) => ({ pid: worker.pid ?? 0, failure: describeError(thrown) })),
      ),
    );
  }

  /** Drains every worker; returns when the last has exited. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stop();
    await Promise.all([...this.#workers].map((worker) => worker.drain(timeoutMs, IDLE_GRACE_MS)));
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#stop();
    for (const worker of this.#workers) worker.kill();
  }

  #stop(): void {
    this.#stopping = true;
    this.#restarts.stop();
  }

  // A method: the compiler takes a field that was tested before an `await` for tested after it.
  #isStopping(): boolean {
    return this.#stopping;
  }

  #live(): WorkerProcess[] {
    return [...this.#workers].filter(({ isDraining, isConnected }) => !isDraining && isConnected);
  }

  async #callAll<Op extends keyof PrimaryToWorker>(
    workers: readonly WorkerProcess[],
    op: Op,
    params: PrimaryToWorker[Op]['params'],
    deadlineMs: number,
  ): Promise<number> {
    const calls = workers.map((worker) => worker.call(op, params, deadlineMs));
    const results = await Promise.allSettled(calls);
    results.forEach((result, index) => {
      if (result.status === 'fulfilled') return;
      this.#options.log.err(`worker did not acknowledge ${op}`, {
        workerPid: workers[index]?.pid,
        error: describeError(result.reason),
      });
    });
    return results.filter(({ status }) => status === 'fulfilled').length;
  }

  async #forkUntilReady(giveUp: Promise<void> | undefined): Promise<void> {
    for (;;) {
      const worker = this.#fork();
      this.#ofStart.add(worker);
      try {
        await worker.ready;
        return;
      } catch (thrown) {
        // Is it the end of the whole group? Then the start has not failed.
        if (worker.isStruckToStop && giveUp !== undefined) await endsWithin(GROUP_SIGNAL_MS, giveUp);
        if (!worker.isStruck || this.#isStopping()) throw thrown;
      }
    }
  }

  /** @returns undefined: the system has no process to give. It is asked again later. */
  #forkOrRetry(): WorkerProcess | undefined {
    try {
      return this.#fork();
    } catch (thrown) {
      this.#retryFork(describeError(thrown));
      return undefined;
    }
  }

  #retryFork(error: string): void {
    const replacedInMs = this.#restarts.schedule({ livedMs: 0, othersAccept: this.isServing });
    this.#options.log.err('worker cannot be started', { error, replacedInMs });
  }

  /** @throws ProxyError ERR_ENVIRONMENT */
  #fork(): WorkerProcess {
    const worker = new WorkerProcess(this.#options, {
      onHeard: (heard) => this.#heartbeat.heard(heard),
      onExit: (gone, how) => {
        this.#options.onEnded(gone.id);
        this.#heartbeat.unwatch(gone);
        this.#workers.delete(gone);
        this.#tellProcesses();
        this.#onExit(gone, how);
      },
    });
    this.#workers.add(worker);
    if (!this.#isDebugged) this.#heartbeat.watch(worker);
    this.#tellProcesses();
    return worker;
  }

  #onExit(worker: WorkerProcess, how: string): void {
    const { pid, isAccepting, isDraining, startedAtMs } = worker;
    if (this.#stopping) return;
    if (isDraining) {
      if (!worker.hasFailed) return;
      this.#options.onLost('died');
      this.#options.log.err('worker died', { workerPid: pid, how, state: 'draining' });
      return;
    }
    // A worker that dies while starting makes the start fail, which reports it.
    if (this.#ofStart.has(worker) && !isAccepting) return;
    if (pid === undefined) {
      this.#retryFork(how);
      return;
    }
    this.#options.onLost(this.#hung.has(worker) ? 'hung' : 'died');
    const replacedInMs = this.#restarts.schedule({
      livedMs: performance.now() - startedAtMs,
      othersAccept: this.isServing,
    });
    this.#options.log.err('worker died', { workerPid: pid, how, replacedInMs });
  }

  #endSilent(worker: WorkerProcess, silentMs: number): void {
    const { pid, isAccepting, isDraining } = worker;
    const what = isAccepting || isDraining ? 'worker stands still' : 'worker has not started in time';
    this.#options.log.err(`${what}: it is ended${isDraining ? '' : ' and replaced'}`, {
      workerPid: pid,
      silentForMs: Math.round(silentMs),
    });
    this.#hung.add(worker);
    worker.kill();
  }

  #tellProcesses(): void {
    this.#options.onProcesses([...this.#workers].flatMap(({ pid }) => pid ?? []));
  }
}
