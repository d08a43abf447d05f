/**
 * What a service manager (systemd) is told of the program, in the words of sd_notify(3): that it is ready, that it reloads, that
 * it ends, and that it is alive.
 *
 * | when                                                                    | what                                               |
 * | ----------------------------------------------------------------------- | -------------------------------------------------- |
 * | every worker accepts                                                    | `READY=1`, `MAINPID`, `STATUS`                     |
 * | a reload begins                                                         | `RELOADING=1`, `MONOTONIC_USEC`                    |
 * | it has ended, well or not (`STATUS` says which)                         | `READY=1`, `STATUS`                                |
 * | a stop begins                                                           | `STOPPING=1`, `STATUS`, `EXTEND_TIMEOUT_USEC`      |
 * | at half of WATCHDOG_USEC, while the event loop turns and a worker serves | `WATCHDOG=1`                                       |
 *
 * Nothing is done where NOTIFY_SOCKET is not set. Node has no datagrams on unix sockets, so each message is a short run of
 * `systemd-notify`, one at a time and in order; docs/decisions/service-manager-is-told-by-systemd-notify.md has the reason.
 */
import type { StartTimer } from '../base/timer.js';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';

/** Sends one message, made of `KEY=value` lines. Rejects when the service manager has not got it. */
export type SendToServiceManager = (lines: readonly string[]) => Promise<void>;

/** What is told of the program, as it is at the moment. */
export interface ServiceState {
  /** Whether a worker accepts. */
  isServing(): boolean;
  /** One line for people, which `systemctl status` shows. */
  describe(): string;
}

export interface ServiceManagerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly state: ServiceState;
  readonly send: SendToServiceManager;
  readonly startTimer: StartTimer;
  /** Of the clock that the system calls CLOCK_MONOTONIC: a service manager compares it with its own. */
  readonly monotonicUs: () => bigint;
  readonly log: Logger;
}

/** While no worker serves, how often it is looked whether one does again: a worker that dies is replaced within a second. */
const LOOK_AGAIN_MS = 1_000;
/** What ending may take beyond `--drain-timeout`: workers' last log lines, sources that are closed. */
const ENDING_MS = 10_000;

/** Whether one has given a socket to be told over. */
export function isUnderServiceManager(env: ServiceManagerOptions['env']): boolean {
  return (env['NOTIFY_SOCKET'] ?? '') !== '';
}

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #isThere: boolean;
  /** Beside the one that is being sent: two at the most. */
  #waiting: (readonly string[])[] = [];
  #isSending = false;
  #isFailing = false;
  #isStopping = false;
  #stopWatchdog: (() => void) | undefined;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#isThere = isUnderServiceManager(options.env);
  }

  /** Every worker accepts. */
  ready(): void {
    const { pid, state } = this.#options;
    this.#tell(['READY=1', `MAINPID=${pid}`, `STATUS=${state.describe()}`]);
    this.#armWatchdog(this.#watchdogMs());
  }

  /** A reload has begun. @param ended never rejects. */
  reloading(ended: Promise<{ readonly ok: boolean }>): void {
    if (this.#isStopping) return;
    // What waits is of an earlier reload. The first READY never waits.
    this.#waiting = [];
    this.#tell([
      'RELOADING=1',
      `MONOTONIC_USEC=${this.#options.monotonicUs()}`,
      'STATUS=Reading the settings again',
    ]);
    void ended.then(({ ok }) => {
      if (this.#isStopping) return;
      // `systemctl reload` has succeeded all the same: this is where an operator sees it.
      const outcome = ok ? '' : '; the last reload was refused: see the log';
      this.#tell(['READY=1', `STATUS=${this.#options.state.describe()}${outcome}`]);
    });
  }

  /** A stop has begun. @param drainTimeoutMs how long what is under way may take. */
  stopping(drainTimeoutMs: number): void {
    this.#isStopping = true;
    this.#stopWatchdog?.();
    this.#waiting = [];
    this.#tell([
      'STOPPING=1',
      `STATUS=Finishing what is under way, within ${drainTimeoutMs / 1000} s`,
      // A drain that is longer than the unit's TimeoutStopSec is not to be cut.
      `EXTEND_TIMEOUT_USEC=${(drainTimeoutMs + ENDING_MS) * 1000}`,
    ]);
  }

  /** How often it wants to hear of us; undefined: never, or of another process. */
  #watchdogMs(): number | undefined {
    const { env, pid } = this.#options;
    const us = Number(env['WATCHDOG_USEC'] ?? '');
    const isOurs = (env['WATCHDOG_PID'] ?? String(pid)) === String(pid);
    return isOurs && Number.isSafeInteger(us) && us > 0 ? us / 2000 : undefined;
  }

  #armWatchdog(periodMs: number | undefined): void {
    if (!this.#isThere || periodMs === undefined || this.#isStopping) return;
    const beat = (): void => {
      const { state } = this.#options;
      // A message that is under way is not waited for: one that hangs would pile others up behind it.
      const isDue = state.isServing() && !this.#isSending;
      if (isDue) this.#tell(['WATCHDOG=1']);
      this.#stopWatchdog = this.#options.startTimer(beat, isDue ? periodMs : lookAgainMs);
    };
    const lookAgainMs = Math.min(LOOK_AGAIN_MS, periodMs / 4);
    this.#stopWatchdog = this.#options.startTimer(beat, periodMs);
  }

  #tell(lines: readonly string[]): void {
    if (!this.#isThere) return;
    this.#waiting.push(lines);
    if (!this.#isSending) void this.#sendWaiting();
  }

  async #sendWaiting(): Promise<void> {
    const { log, send } = this.#options;
    this.#isSending = true;
    for (let lines = this.#waiting.shift(); lines !== undefined; lines = this.#waiting.shift()) {
      try {
        await send(lines);
        if (this.#isFailing) log.notice('the service manager is told again');
        this.#isFailing = false;
      } catch (thrown) {
        // Once: the watchdog would have it said again and again.
        if (!this.#isFailing) {
          log.err('the service manager cannot be told', {
            message: lines[0],
            error: describeError(thrown),
          });
        }
        this.#isFailing = true;
      }
    }
    this.#isSending = false;
  }
}
