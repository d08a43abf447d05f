/**
 * A source behind a circuit breaker, so that a dead one does not add its time-out to every look-up.
 *
 * After a few failures in a row (`unavailable` with scope `source`; a broken entry in a healthy source does not count) the source is
 * skipped: look-ups are answered `unavailable` at once. Meanwhile `check()` is tried in the background, after 1 s, 2 s and
 * so on up to 5 s, and when it is ok the source is used again. One that passes its check and then fails every look-up
 * goes on with the longer delays: only a look-up that succeeds brings them back to 1 s.
 *
 * Failures that may be the fault of the names (`sources/doubtful-failure.ts`) do not suffice: three names for which a source hangs, or a
 * firewall in front of it answers, must not shut it for all others. Before it is skipped for those, its `check()` has to fail, too.
 *
 * Trouble is logged once when it begins, at err, even if successes come in between; and at notice when it is over: after ten
 * seconds without a failure, with how long it took and how many look-ups failed.
 *
 * Also holds a source to its contract: one that throws or rejects is `unavailable`. Goes outside of a `RateLimitedSource`: what
 * is skipped takes no token.
 */
import { CircuitBreaker, type BreakerState } from './circuit-breaker.js';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';
import { within } from '../../base/within.js';
import { channels } from '../../channels/channels.js';
import { describeError } from '../../domain/errors.js';
import type { SourceInspection } from '../../domain/inspection.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';
import type { SourceStatus } from '../../domain/status-report.js';
import type { Logger } from '../../log/logger.js';
import type { CertificateSource, LookupContext, SourceCheck } from '../source.js';
import { isDoubtful } from '../doubtful-failure.js';
import { WrappedSource } from './wrapped-source.js';

export interface CircuitBrokenSourceOptions {
  readonly log: Logger;
  /** The time, milliseconds since 1970. */
  readonly now: () => number;
  /** Failures in a row after which the source is skipped. @default 3 */
  readonly threshold?: number;
  /** @default a timer that does not keep the process alive */
  readonly startTimer?: StartTimer;
}

/** After this long without a failure the next success ends the trouble. */
const QUIET_MS = 10_000;
const FIRST_PROBE_DELAY_MS = 1_000;
/** The longest pause between checks. After an outage, names that are not cached get the default certificate for this long. */
const LONGEST_PROBE_DELAY_MS = 5_000;

/** A source that has not answered a check by then is sick, or so busy that it had better be left alone. */
const VERIFY_MS = 2_000;
const UNANSWERED: SourceCheck = {
  ok: false,
  reason: `it did not answer a check within ${VERIFY_MS / 1000} s`,
};

export class CircuitBrokenSource extends WrappedSource {
  readonly #log: Logger;
  readonly #breaker: CircuitBreaker;
  readonly #now: () => number;
  readonly #startTimer: StartTimer;
  #lastReason = '';
  #trouble: { readonly sinceMs: number; lastMs: number; failures: number } | undefined;
  #probeDelayMs = FIRST_PROBE_DELAY_MS;
  #cancelProbe: (() => void) | undefined;
  #isVerifying = false;
  #isClosed = false;

  constructor(inner: CertificateSource, options: CircuitBrokenSourceOptions) {
    super(inner);
    const { log, now, threshold, startTimer } = options;
    this.#log = log;
    this.#now = now;
    this.#breaker = new CircuitBreaker({ now, ...(threshold === undefined ? {} : { threshold }) });
    this.#startTimer = startTimer ?? startUnrefTimer;
  }

  /** `open` while the source is skipped. */
  get state(): BreakerState {
    return this.#breaker.state;
  }

  /** How it does, for a person. */
  status(): SourceStatus {
    const { openSinceMs } = this.#breaker;
    const trouble = this.#trouble;
    const sinceMs = openSinceMs ?? trouble?.sinceMs;
    return {
      name: this.name,
      state: openSinceMs !== undefined ? 'skipped' : trouble === undefined ? 'up' : 'failing',
      ...(sinceMs !== undefined && { troubledForMs: this.#now() - sinceMs, lastError: this.#lastReason }),
    };
  }

  override async lookup(name: ServerName, context: LookupContext): Promise<Lookup> {
    if (this.#breaker.state === 'open' && context.isInspection !== true) {
      return { kind: 'unavailable', reason: `it is skipped: ${this.#lastReason}`, scope: 'source' };
    }
    let result: Lookup;
    try {
      result = await this.inner.lookup(name, context);
    } catch (thrown) {
      result = { kind: 'unavailable', reason: describeError(thrown), scope: 'source' };
    }
    if (context.isInspection !== true) this.#record(result);
    return result;
  }

  override async inspect(
    name: ServerName,
    options: { readonly signal: AbortSignal },
  ): Promise<SourceInspection> {
    const inspection = await super.inspect(name, options);
    const { openSinceMs } = this.#breaker;
    if (openSinceMs === undefined) return inspection;
    return { ...inspection, skipped: { forMs: this.#now() - openSinceMs, reason: this.#lastReason } };
  }

  override async check(): Promise<SourceCheck> {
    try {
      return await super.check();
    } catch (thrown) {
      return { ok: false, reason: describeError(thrown) };
    }
  }

  override async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopProbing();
    await super.close();
  }

  #record(result: Lookup): void {
    if (this.#isClosed) return;
    switch (result.kind) {
      case 'pending':
        return;
      case 'found':
      case 'absent':
        this.#succeeded();
        return;
      case 'unavailable':
        if (result.scope === 'name') this.#succeeded();
        else this.#failed(result.reason, isDoubtful(result));
    }
  }

  #succeeded(): void {
    this.#probeDelayMs = FIRST_PROBE_DELAY_MS;
    this.#reopen();
    if (this.#trouble !== undefined && this.#now() - this.#trouble.lastMs >= QUIET_MS) this.#endTrouble();
  }

  #endTrouble(): void {
    if (this.#trouble === undefined) return;
    const { sinceMs, failures } = this.#trouble;
    this.#trouble = undefined;
    const afterMs = Math.round(this.#now() - sinceMs);
    this.#log.notice(`source ${this.name} answers again`, { afterMs, failures });
    if (channels.sourceState.hasSubscribers)
      channels.sourceState.publish({ source: this.name, state: 'up', afterMs });
  }

  #failed(reason: string, mayBeOfName: boolean): void {
    const nowMs = this.#now();
    if (this.#trouble === undefined) {
      this.#trouble = { sinceMs: nowMs, lastMs: nowMs, failures: 0 };
      this.#log.err(`source ${this.name} fails: ${reason}`);
      this.#publish('failing', reason);
    }
    this.#trouble.lastMs = nowMs;
    this.#trouble.failures += 1;
    this.#lastReason = reason;
    if (!mayBeOfName) this.#countFailure(reason);
    else if (this.#breaker.doubtfulFailure()) void this.#verify();
  }

  #countFailure(reason: string): void {
    if (!this.#breaker.failure()) return;
    this.#lastReason = reason;
    this.#log.notice(`source ${this.name} is unavailable: ${reason}; skipped until it answers again`);
    this.#publish('skipped', reason);
    this.#scheduleProbe();
  }

  /** Finds out whether it is the source that fails, or only the names that it was asked for. */
  async #verify(): Promise<void> {
    if (this.#isVerifying) return;
    this.#isVerifying = true;
    // Never rejects: `check` of this class does not.
    const outcome = await within(this.check(), () => UNANSWERED, VERIFY_MS, this.#startTimer);
    this.#isVerifying = false;
    if (this.#isClosed || this.#breaker.state === 'open') return;
    if (outcome.ok) this.#breaker.success();
    // One more, so that a look-up which has succeeded meanwhile counts.
    else this.#countFailure(outcome.reason);
  }

  #publish(state: 'failing' | 'skipped', reason: string): void {
    if (channels.sourceState.hasSubscribers)
      channels.sourceState.publish({ source: this.name, state, reason });
  }

  /** Uses the source again, if it was skipped. */
  #reopen(): void {
    if (!this.#breaker.success()) return;
    this.#stopProbing();
    this.#endTrouble();
  }

  #scheduleProbe(): void {
    // A probe from before the last closing may still have been under way, and end here beside the new one.
    this.#stopProbing();
    const delayMs = this.#probeDelayMs;
    this.#probeDelayMs = Math.min(LONGEST_PROBE_DELAY_MS, delayMs * 2);
    this.#cancelProbe = this.#startTimer(() => {
      this.#cancelProbe = undefined;
      void this.#probe();
    }, delayMs);
  }

  /** Never rejects: `check` of this class does not. */
  async #probe(): Promise<void> {
    const outcome = await this.check();
    // A look-up that was under way when the source failed may have closed the breaker meanwhile.
    if (this.#isClosed || this.#breaker.state === 'closed') return;
    if (outcome.ok) {
      this.#reopen();
      return;
    }
    this.#lastReason = outcome.reason;
    this.#scheduleProbe();
  }

  #stopProbing(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
  }
}
