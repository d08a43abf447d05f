/**
 * The worker processes: forked, given their settings and listening handles, replaced when they die, drained.
 */
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { SendHandle } from 'node:child_process';
import { BusEndpoint, type Handlers } from '../bus/endpoint.js';
import {
  BUS_VERSION,
  type ListenMessage,
  type ListenRole,
  type PrimaryToWorker,
  type WorkersExpired,
  type WorkerSettings,
  type WorkerToPrimary,
} from '../bus/messages.js';
import { portToWorker } from '../bus/process-port.js';
import { defer } from '../domain/deferred.js';
import { describeError, environmentError } from '../domain/errors.js';
import type { Logger } from '../log.js';

type Bus = BusEndpoint<WorkerToPrimary, PrimaryToWorker>;

const START_DEADLINE_MS = 20_000;
const CONFIGURE_DEADLINE_MS = 5_000;
const BROADCAST_DEADLINE_MS = 1_500;
/** A worker that lived less than this has died young: the next one is held back, longer each time. */
const YOUNG_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/**
 * A reload cuts nothing: a worker that is taken away goes with its last connection, a WebSocket perhaps. As good as for ever,
 * and short enough for a timer. A stop drains it anew.
 */
const RETIREMENT_MS = 2_000_000_000;
/** The next request on an idle connection may be on its way already: so long it may come, at a stop and at a reload. */
const IDLE_GRACE_MS = 1_000;
const IDLE_GRACE_AT_RELOAD_MS = 3_000;
/** Beyond the drain time-out that the workers keep themselves. */
const KILL_AFTER_MS = 2_000;

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
  /** What a worker may ask of the primary, but for `hello` and `ready`. */
  readonly handlers: Omit<Handlers<WorkerToPrimary>, 'hello' | 'ready'>;
  /** The settings that a worker starts with. */
  settings(): WorkerSettings;
  readonly log: Logger;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #members = new Set<Member>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #wanted = 0;
  #delayMs = FIRST_DELAY_MS;
  #starting = false;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('../worker/main.js', import.meta.url)),
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
   * @throws ProxyError ERR_ENVIRONMENT when one dies before it is ready.
   */
  async start(count: number): Promise<void> {
    this.#wanted = count;
    const members = Array.from({ length: count }, () => this.#fork());
    this.#starting = true;
    await Promise.all(members.map(({ ready }) => ready)).finally(() => (this.#starting = false));
  }

  /** Gives every worker new settings, and starts or drains workers until there are `count`. Returns when all have acknowledged. */
  async configure(settings: WorkerSettings, count: number): Promise<void> {
    if (this.#stopping) return;
    this.#wanted = count;
    const live = this.#live();
    // Also those that will go: until they have heard of that, they accept.
    await this.#callAll(live.filter(isGreeted), 'configure', { settings }, CONFIGURE_DEADLINE_MS);
    const surplus = live.splice(count);
    if (this.#isStopping()) return;
    const added = Array.from({ length: Math.max(0, count - live.length) }, () => this.#fork());
    await Promise.allSettled(added.map(({ ready }) => ready));
    for (const member of surplus) void this.#drain(member, RETIREMENT_MS, IDLE_GRACE_AT_RELOAD_MS);
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
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#restarts.clear();
  }

  // A method: the compiler takes a field that was tested before an `await` for tested after it.
  #isStopping(): boolean {
    return this.#stopping;
  }

  #live(): Member[] {
    return [...this.#members].filter((member) => !member.draining);
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

  #fork(): Member {
    const { handlers, log } = this.#options;
    const worker = cluster.fork();
    const ready = defer<void>();
    ready.promise.catch(() => undefined);
    const bus: Bus = new BusEndpoint<WorkerToPrimary, PrimaryToWorker>(portToWorker(worker), {
      ...handlers,
      hello: () => {
        member.greeted = true;
        this.#introduce(member).catch((error: unknown) => {
          log.err('worker did not start', { workerPid: worker.process.pid, error: describeError(error) });
          worker.process.kill('SIGKILL');
        });
        return {};
      },
      ready: () => {
        member.accepting = true;
        ready.resolve();
        return {};
      },
    });
    const member: Member = {
      worker,
      bus,
      startedAtMs: Date.now(),
      ready: ready.promise,
      greeted: false,
      accepting: false,
      draining: false,
    };
    this.#members.add(member);
    worker.on('error', (error) => log.err('worker process failed', { error: describeError(error) }));
    worker.once('exit', (code, signal) => {
      bus.close();
      ready.reject(environmentError(`a worker ended before it was ready (${describeExit(code, signal)})`));
      this.#members.delete(member);
      this.#onExit(member, describeExit(code, signal));
    });
    return member;
  }

  /** Settings first, then the handles. */
  async #introduce({ bus, worker }: Member): Promise<void> {
    const { handles } = this.#options;
    await bus.call('configure', { settings: this.#options.settings() }, START_DEADLINE_MS);
    for (const { role, index, native } of handles) {
      const message: ListenMessage = { bus: BUS_VERSION, kind: 'listen', role, index, count: handles.length };
      worker.send(message, native as SendHandle);
    }
  }

  #onExit(member: Member, how: string): void {
    if (member.draining || this.#stopping) return;
    // Then the start has failed, and says why.
    if (this.#starting && !member.accepting) return;
    const young = Date.now() - member.startedAtMs < YOUNG_MS;
    this.#delayMs = young ? Math.min(this.#delayMs * 2, LONGEST_DELAY_MS) : FIRST_DELAY_MS;
    const delayMs = young ? this.#delayMs : 0;
    this.#options.log.err('worker died', {
      workerPid: member.worker.process.pid,
      how,
      replacedInMs: delayMs,
    });
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      if (!this.#stopping && this.#live().length < this.#wanted) this.#fork();
    }, delayMs);
    this.#restarts.add(timer);
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
