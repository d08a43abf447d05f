/**
 * Look-ups at the primary, for handshakes of every listener: one for a name and phase, however many handshakes wait for it.
 *
 * The first handshake that asked may wait for the order of a certificate; the others go on with the last good certificate, else
 * the default.
 *
 * The primary's answer is followed, also when it is that nobody can tell: it keeps the last good certificate itself, and a
 * name that was expired by hand must not come back from a stale entry here. A stale entry serves only where the primary does
 * not answer: a handshake that has one waits for the primary no longer than a refresh takes there, and while the primary is
 * known to be late nobody waits at all.
 *
 * A certificate that cannot be built here is reported to the primary, which looks for another one; the second time the
 * default goes out, and for `errorCacheDurationMs` nobody tries again.
 */
import type { StartTimer } from '../base/timer.js';
import type { WorkerSettings } from '../config/worker-settings.js';
import type { Resolution, ResolvePhase, ResolveRequest, Told } from '../domain/lookup.js';
import { isWildcard, type ServerName } from '../domain/server-name.js';
import type { Asker } from '../tls/terminate.js';
import type { PrimaryBreaker } from './primary-breaker.js';
import {
  RefusedCertificate,
  type Choice,
  type LruEntry,
  type ResolvedContexts,
} from './resolved-contexts.js';

export interface PrimaryLookupsParts {
  /** Asks the primary. Rejects with a ProxyError when there is no answer in time. */
  ask(params: ResolveRequest, deadlineMs: number): Promise<Told<Resolution>>;
  readonly breaker: PrimaryBreaker;
  readonly contexts: ResolvedContexts;
  readonly startTimer: StartTimer;
  /** Told of each handshake that a stale entry serves, since the primary is late. */
  onLate?(): void;
  /** Asked anew each time: a reload changes them. */
  settings(): Pick<WorkerSettings, 'lookupTimeoutMs' | 'refreshTimeoutMs' | 'autocertTimeoutMs'>;
}

/** What one question to the primary has come to. */
interface Answer {
  readonly choice: Choice;
  /** The handshake that asked first may wait for the order of a certificate. */
  readonly order: boolean;
}

/** The primary ends a look-up in time by itself: so much later the worker gives up on the primary, milliseconds. */
const BUS_GRACE_MS = 250;

export class PrimaryLookups {
  readonly #parts: PrimaryLookupsParts;
  /** Under way for names without a fresh context. */
  readonly #asking = new Map<ServerName, Promise<Answer>>();
  /** Under way for the other half of a pair. */
  readonly #completing = new Map<ServerName, Promise<Answer>>();
  /** Raised by whatever overtakes answers: one to a question of an earlier epoch is not kept. */
  #epoch = 0;

  constructor(parts: PrimaryLookupsParts) {
    this.#parts = parts;
  }

  /**
   * The certificate of a name, or why it is to be the default. At once where the primary is known to be late. Never rejects.
   *
   * @param stale what the LRU has of the name.
   */
  find(name: ServerName, asker: Asker, stale: LruEntry | undefined): Choice | Promise<Choice> {
    const { breaker } = this.#parts;
    if (!breaker.isOpen) {
      const asked = this.#ask(name, asker, stale);
      return stale === undefined ? asked : this.#atTheLatest(asked, stale);
    }
    // Not awaited: the handshake goes on without the answer. It never rejects.
    if (breaker.mayProbe()) void this.#ask(name, asker, stale);
    if (stale === undefined) return 'primary-late';
    this.#parts.onLate?.();
    return stale.served;
  }

  /**
   * The certificate of a name, or why it is to be the default, when the primary has been asked for the half that an entry lacks. Without
   * an answer the entry has to do. Never rejects.
   *
   */
  async findHalf(name: ServerName, asker: Asker, entry: LruEntry): Promise<Choice> {
    const { missingKind } = entry;
    if (missingKind === undefined || this.#parts.breaker.isOpen) return entry.served;
    const joined = this.#completing.get(name);
    const asking =
      joined ?? this.#question({ ...questionOf(name, 'lookup', asker), wants: missingKind }, entry);
    this.#completing.set(name, asking);
    try {
      return (await asking).choice;
    } finally {
      if (this.#completing.get(name) === asking) this.#completing.delete(name);
    }
  }

  /** Answers under way are no longer kept, and of these names, or (undefined) of all, no longer joined. */
  overtake(names: readonly ServerName[] | undefined): void {
    this.#epoch++;
    for (const asking of [this.#asking, this.#completing]) {
      if (names === undefined || names.some(isWildcard)) asking.clear();
      else for (const name of names) asking.delete(name);
    }
  }

  /** The primary's answer, or the stale entry when that takes longer than a refresh does at the primary. */
  async #atTheLatest(asked: Promise<Choice>, stale: LruEntry): Promise<Choice> {
    let cancel = (): void => undefined;
    const overdue = new Promise<Choice>((resolve) => {
      const patienceMs = this.#parts.settings().refreshTimeoutMs + BUS_GRACE_MS;
      cancel = this.#parts.startTimer(() => {
        this.#parts.onLate?.();
        resolve(stale.served);
      }, patienceMs);
    });
    try {
      return await Promise.race([asked, overdue]);
    } finally {
      cancel();
    }
  }

  async #ask(name: ServerName, asker: Asker, stale: LruEntry | undefined): Promise<Choice> {
    const joined = this.#asking.get(name);
    if (joined !== undefined) return (await joined).choice;
    const asking = this.#question(questionOf(name, 'lookup', asker), stale);
    this.#asking.set(name, asking);
    try {
      const { choice, order } = await asking;
      if (!order) return choice;
    } finally {
      if (this.#asking.get(name) === asking) this.#asking.delete(name);
    }
    return (await this.#question(questionOf(name, 'order', asker), stale)).choice;
  }

  /** @param epoch the one in which the handshake asked first: an answer that has been overtaken since is not kept. */
  async #question(params: ResolveRequest, stale: LruEntry | undefined, epoch = this.#epoch): Promise<Answer> {
    const { lookupTimeoutMs, autocertTimeoutMs } = this.#parts.settings();
    const { name, phase, refused } = params;
    const patienceMs = phase === 'order' ? autocertTimeoutMs : lookupTimeoutMs;
    let told: Told<Resolution>;
    try {
      told = await this.#parts.ask(
        stale === undefined ? params : { ...params, fingerprint: stale.fingerprint },
        patienceMs + BUS_GRACE_MS,
      );
    } catch (thrown) {
      this.#parts.breaker.failed(thrown);
      return { choice: stale?.served ?? 'primary-late', order: false };
    }
    this.#parts.breaker.succeeded();
    const mayKeep = epoch === this.#epoch;
    const taken = this.#parts.contexts.take(name, told, stale, mayKeep);
    if (taken instanceof RefusedCertificate) {
      const { fingerprint, reason } = taken;
      if (refused === undefined)
        return this.#question({ ...params, refused: { fingerprint, reason } }, stale, epoch);
      if (mayKeep) this.#parts.contexts.refuse(name, reason);
      return { choice: 'refused-by-openssl', order: false };
    }
    const { value } = told;
    const starter = value.kind === 'pending' && value.starter === true;
    // A handshake that has an earlier certificate to go on with need not wait for the order.
    return { choice: taken, order: starter && typeof taken === 'string' };
  }
}

function questionOf(name: ServerName, phase: ResolvePhase, { address, handshake }: Asker): ResolveRequest {
  return { name, phase, client: address, handshake };
}
