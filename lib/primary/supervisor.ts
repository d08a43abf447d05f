/**
 * The worker processes: forked, given their settings and listening handles, replaced when they die or stand still, drained.
 */
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { SendHandle } from 'node:child_process';
import { BusEndpoint, type Handlers } from '../bus/endpoint.js';
import type { HotCertificate, WorkersExpired } from '../domain/cache-status.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import {
  BUS_VERSION,
  type ListenMessage,
  type ListenRole,
  type PrimaryToWorker,
  type WorkerToPrimary,
} from '../bus/messages.js';
import { portToWorker } from '../bus/process-port.js';
import { startTimer, startUnrefTimer } from '../base/timer.js';
import { defer } from '../base/deferred.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { Heartbeat } from './heartbeat.js';
import { Restarts } from './restarts.js';

type Bus = BusEndpoint<WorkerToPrimary, PrimaryToWorker>;

const START_DEADLINE_MS = 20_000;
/** So many a message: some 200 KB, and 40 ms of the worker's time on Node 20. */
const WARM_AT_ONCE = 25;
const CONFIGURE_DEADLINE_MS = 5_000;
const BROADCAST_DEADLINE_MS = 1_500;
/** How long the answer to a ping may take to count as a sign of life still. */
const PING_DEADLINE_MS = 5_000;
/**
 * A reload cuts nothing: a worker that is taken away goes with its last connection, a WebSocket perhaps. As good as for ever,
 * and short enough for a timer. A stop drains it anew.
 */
const RETIREMENT_MS = 2_000_000_000;
/** The next request on an idle connection may be on its way already: so long it may come, at a stop and at a reload. */
const IDLE_GRACE_MS = 1_000;
const IDLE_GRACE_AT_RELOAD_MS = 3_000;
/** Beyond the drain time-out that the workers keep themselves: they cut what is left, and write their last lines. */
const KILL_AFTER_MS = 1_000;
/** What ends a process that is not ready for it yet, when it is sent to the whole group; the primary lives on. */
const GROUP_SIGNALS: readonly (string | null)[] = ['SIGHUP', 'SIGUSR1'];
/** Where Node loads the program of the workers from. */
export const WORKER_PROGRAM = fileURLToPath(new URL('../worker/main.js', import.meta.url));

interface Member {
  readonly worker: Worker;
  readonly bus: Bus;
  readonly startedAtMs: number;
  /** Settles when every listener of the worker accepts, or rejects when it dies before. */
  readonly ready: Promise<void>;
  /** It hears the bus. Before that it needs to be told nothing: it gets the settings of the moment when it says hello. */
  greeted: boolean;
  accepting: boolean;
  draining: boolean;
  /** A signal to the whole process group has ended it, before it could ignore that. */
  struck: boolean;
}

/** What workers accept on. */
export interface WorkerHandle {
  readonly role: ListenRole;
  /** Among those of its role, from 0. */
  readonly index: number;
  /** See `SharedHandle`. */
  readonly native: unknown;
}

export interface SupervisorOptions {
  readonly handles: readonly WorkerHandle[];
  /** What a worker may ask of the primary, but for `hello` and `ready`. @param workerId no other worker has it, ever */
  handlers(this: void, workerId: number): Omit<Handlers<WorkerToPrimary>, 'hello' | 'ready'>;
  /** Told of a worker that has ended. */
  onEnded(this: void, workerId: number): void;
  /** The settings that a worker starts with. */
  settings(): WorkerSettings;
  /** What a worker is given before it accepts; the hottest last. */
  hotCertificates(): readonly HotCertificate[];
  /** Told whenever there is another worker, or one less: the process ids of all of them. */
  onProcesses(pids: readonly number[]): void;
  readonly log: Logger;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #members = new Set<Member>();
  readonly #heartbeat = new Heartbeat<Member>({
    now: () => performance.now(),
    startTimer: startUnrefTimer,
    // One that is to go is needed no longer: there is nothing to be patient for.
    isStarting: ({ accepting, draining }) => !accepting && !draining,
    ping: ({ bus }) => bus.call('ping', {}, PING_DEADLINE_MS),
    onSilent: (member, silentMs) => this.#endSilent(member, silentMs),
  });
  readonly #restarts = new Restarts({
    startTimer,
    start: () => {
      if (!this.#stopping && this.#live().length < this.#wanted) this.#fork();
    },
  });
  /** A worker that is stopped at a breakpoint stands still on purpose. */
  readonly #isDebugged = process.execArgv.some((flag) => flag.startsWith('--inspect'));
  #wanted = 0;
  #starting = false;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    cluster.setupPrimary({
      exec: WORKER_PROGRAM,
      args: [],
      execArgv: withoutScript(process.execArgv),
    });
  }

  /** Workers that accept or are about to. */
  get size(): number {
    return this.#live().length;
  }

  get pids(): number[] {
    return this.#live().flatMap(({ worker }) => worker.process.pid ?? []);
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
    const started = Array.from({ length: count }, () => this.#forkUntilReady());
    await Promise.all(started).finally(() => (this.#starting = false));
  }

  /** Gives every worker new settings, and starts or drains workers until there are `count`. Returns when all have acknowledged. */
  async configure(settings: WorkerSettings, count: number): Promise<void> {
    if (this.#stopping) return;
    this.#wanted = count;
    // Also those that will go: until they have heard of that, they accept.
    await this.#callAll(this.#live().filter(isGreeted), 'configure', { settings }, CONFIGURE_DEADLINE_MS);
    if (this.#isStopping()) return;
    // Counted now, and once more below: meanwhile workers may have died, and been replaced or not.
    const missing = Math.max(0, count - this.#live().length);
    const added = Array.from({ length: missing }, () => this.#fork());
    await Promise.allSettled(added.map(({ ready }) => ready));
    if (this.#isStopping()) return;
    for (const member of this.#live().slice(count)) {
      void this.#drain(member, RETIREMENT_MS, IDLE_GRACE_AT_RELOAD_MS);
    }
  }

  /** Asks something of every worker. Says how many were asked, and how many have answered in time. */
  async broadcast<Op extends keyof PrimaryToWorker>(
    op: Op,
    params: PrimaryToWorker[Op]['params'],
    deadlineMs = BROADCAST_DEADLINE_MS,
  ): Promise<WorkersExpired> {
    const members = this.#live().filter(isGreeted);
    return {
      workers: members.length,
      acknowledged: await this.#callAll(members, op, params, deadlineMs),
    };
  }

  /** Drains every worker; returns when the last has exited. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stop();
    await Promise.all([...this.#members].map((member) => this.#drain(member, timeoutMs, IDLE_GRACE_MS)));
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#stop();
    for (const { worker } of this.#members) worker.process.kill('SIGKILL');
  }

  #stop(): void {
    this.#stopping = true;
    this.#restarts.stop();
  }

  // A method: the compiler takes a field that was tested before an `await` for tested after it.
  #isStopping(): boolean {
    return this.#stopping;
  }

  #live(): Member[] {
    // One that dies is disconnected first, and heard to have exited a moment later.
    return [...this.#members].filter(({ draining, worker }) => !draining && worker.isConnected());
  }

  async #callAll<Op extends keyof PrimaryToWorker>(
    members: readonly Member[],
    op: Op,
    params: PrimaryToWorker[Op]['params'],
    deadlineMs: number,
  ): Promise<number> {
    const calls = members.map(({ bus }) => bus.call(op, params, deadlineMs));
    const results = await Promise.allSettled(calls);
    results.forEach((result, index) => {
      if (result.status === 'fulfilled') return;
      const pid = members[index]?.worker.process.pid;
      this.#options.log.err(`worker did not acknowledge ${op}`, {
        workerPid: pid,
        error: describeError(result.reason),
      });
    });
    return results.filter(({ status }) => status === 'fulfilled').length;
  }

  async #forkUntilReady(): Promise<void> {
    for (;;) {
      const member = this.#fork();
      try {
        await member.ready;
        return;
      } catch (thrown) {
        if (!member.struck || this.#isStopping()) throw thrown;
      }
    }
  }

  #fork(): Member {
    const { handlers, log } = this.#options;
    const worker = cluster.fork();
    const ready = defer<void>();
    ready.promise.catch(() => undefined);
    const bus: Bus = new BusEndpoint<WorkerToPrimary, PrimaryToWorker>(portToWorker(worker), {
      ...handlers(worker.id),
      hello: () => {
        member.greeted = true;
        this.#heartbeat.heard(member);
        this.#introduce(member).catch((error: unknown) => {
          log.err('worker did not start', { workerPid: worker.process.pid, error: describeError(error) });
          worker.process.kill('SIGKILL');
        });
        return {};
      },
      ready: () => {
        member.accepting = true;
        this.#heartbeat.heard(member);
        ready.resolve();
        return {};
      },
    });
    const member: Member = {
      worker,
      bus,
      startedAtMs: performance.now(),
      ready: ready.promise,
      greeted: false,
      accepting: false,
      draining: false,
      struck: false,
    };
    this.#members.add(member);
    if (!this.#isDebugged) this.#heartbeat.watch(member);
    this.#tellProcesses();
    worker.on('error', (error) => log.err('worker process failed', { error: describeError(error) }));
    worker.once('exit', (code, signal) => {
      bus.close();
      this.#options.onEnded(worker.id);
      this.#heartbeat.unwatch(member);
      member.struck = !member.greeted && GROUP_SIGNALS.includes(signal);
      ready.reject(environmentError(`a worker ended before it was ready (${describeExit(code, signal)})`));
      this.#members.delete(member);
      this.#tellProcesses();
      this.#onExit(member, describeExit(code, signal));
    });
    return member;
  }

  /** Settings first, then the handles. */
  async #introduce({ bus, worker }: Member): Promise<void> {
    const { handles } = this.#options;
    await bus.call('configure', { settings: this.#options.settings() }, START_DEADLINE_MS);
    const hot = this.#options.hotCertificates();
    const warming: Promise<unknown>[] = [];
    // All in one go: an expire that comes meanwhile is sent behind them.
    for (let i = 0; i < hot.length; i += WARM_AT_ONCE) {
      warming.push(bus.call('warm', { certificates: hot.slice(i, i + WARM_AT_ONCE) }, START_DEADLINE_MS));
    }
    await Promise.all(warming);
    for (const { role, index, native } of handles) {
      const message: ListenMessage = { bus: BUS_VERSION, kind: 'listen', role, index, count: handles.length };
      worker.send(message, native as SendHandle);
    }
  }

  #onExit(member: Member, how: string): void {
    if (member.draining || this.#stopping) return;
    // Then the start has failed, and says why.
    if (this.#starting && !member.accepting) return;
    const { pid } = member.worker.process;
    const replacedInMs = this.#restarts.schedule({
      livedMs: performance.now() - member.startedAtMs,
      othersAccept: this.#live().some(({ accepting }) => accepting),
    });
    this.#options.log.err('worker died', { workerPid: pid, how, replacedInMs });
  }

  #endSilent({ worker, accepting, draining }: Member, silentMs: number): void {
    const what = accepting || draining ? 'worker stands still' : 'worker has not started in time';
    this.#options.log.err(`${what}: it is ended${draining ? '' : ' and replaced'}`, {
      workerPid: worker.process.pid,
      silentForMs: Math.round(silentMs),
    });
    worker.process.kill('SIGKILL');
  }

  #tellProcesses(): void {
    this.#options.onProcesses([...this.#members].flatMap(({ worker }) => worker.process.pid ?? []));
  }

  async #drain(member: Member, timeoutMs: number, idleGraceMs: number): Promise<void> {
    const { worker, bus } = member;
    member.draining = true;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    if (worker.isDead()) return;
    // It would not hear of the drain, and has no connection that could be lost.
    if (!member.greeted) worker.process.kill('SIGKILL');
    const kill = setTimeout(() => worker.process.kill('SIGKILL'), timeoutMs + KILL_AFTER_MS);
    try {
      await bus.call('drain', { timeoutMs, idleGraceMs }, timeoutMs + KILL_AFTER_MS);
    } catch {
      // It has exited before its answer, or hangs: the exit event or the kill below tells.
    }
    await exited;
    clearTimeout(kill);
  }
}

function describeExit(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code ?? 'unknown'}` : signal;
}

function isGreeted({ greeted }: Member): boolean {
  return greeted;
}

const SCRIPT_FLAGS = new Set(['-e', '--eval', '-p', '--print', '-pe']);

/** The flags of an embedder's Node, without a script given by `node -e`: the workers would run that. */
function withoutScript(execArgv: readonly string[]): string[] {
  return execArgv.filter(
    (flag, i) => !SCRIPT_FLAGS.has(flag.replace(/=[\s\S]*/, '')) && !SCRIPT_FLAGS.has(execArgv[i - 1] ?? ''),
  );
}
