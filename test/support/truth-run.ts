/**
 * Carries out the plan of the scenario "truth" on the real program.
 */
import type { Program } from './program.js';
import type { SteppedClock } from './stepped-clock.js';
import { admin } from './admin.js';
import type { Stuff } from './truth-certificates.js';
import type { TruthClients } from './truth-clients.js';
import { DURATIONS } from './truth-durations.js';
import type { History } from './truth-history.js';
import type { Change, Fault, Plan } from './truth-plan.js';
import { SeededRandom } from './truth-random.js';
import { pause, type TruthStores } from './truth-stores.js';

const VISITS_AFTER_EXPIRE = 5;

export interface TruthParts {
  readonly program: Program;
  /** The program's. */
  readonly clock: SteppedClock;
  readonly stores: TruthStores;
  readonly history: History;
  readonly clients: TruthClients;
  /** What each change puts in, made beforehand. */
  readonly stuff: ReadonlyMap<Change, Stuff>;
  readonly seed: number;
}

export class TruthRun {
  readonly #parts: TruthParts;
  readonly #random: SeededRandom;
  /** How often each kind of thing was done. */
  readonly counts = new Map<string, number>();

  constructor(parts: TruthParts) {
    this.#parts = parts;
    this.#random = new SeededRandom(parts.seed);
  }

  /** Returns when all of it is done and over. */
  async carryOut({ events }: Plan): Promise<void> {
    const startedAtMs = Date.now();
    const underWay: Promise<unknown>[] = [];
    for (const event of events) {
      await pause(Math.max(0, startedAtMs + event.atMs - Date.now()));
      this.counts.set(event.kind, (this.counts.get(event.kind) ?? 0) + 1);
      const done = 'source' in event ? this.#change(event) : this.#disturb(event);
      // One that fails fails the run, and not before all are under way.
      done.catch(() => undefined);
      underWay.push(done);
    }
    await Promise.all(underWay);
  }

  async #change(change: Change): Promise<void> {
    const { stores, stuff, clients } = this.#parts;
    const done = stores.put(change.name, change.source, stuff.get(change), change.kind);
    clients.watch(change.name);
    await done;
  }

  async #disturb({ kind, forMs, name = '', offsetMs = 0 }: Fault): Promise<unknown> {
    const { program, stores, clock } = this.#parts;
    switch (kind) {
      case 'empty redis':
        return stores.emptyRedis(forMs);
      case 'freeze redis':
        return stores.freezeRedis(forMs);
      case 'sick manager':
        return stores.sickenManager(forMs);
      case 'reload':
        return program.reload();
      case 'kill worker':
        return this.#killWorker();
      case 'stop primary':
        return this.#stopPrimary(forMs);
      case 'step clock':
        return clock.step(offsetMs);
      case 'expire':
        return this.#expire(name);
    }
  }

  async #killWorker(): Promise<void> {
    const { program, history } = this.#parts;
    const pid = this.#random.pick(await program.workerPids());
    const end = history.begin(history.kills);
    process.kill(pid, 'SIGKILL');
    end();
  }

  async #stopPrimary(forMs: number): Promise<void> {
    const { program, history } = this.#parts;
    const end = history.begin(history.stops);
    program.kill('SIGSTOP');
    try {
      await pause(forMs);
    } finally {
      program.kill('SIGCONT');
      end();
    }
  }

  /** By the admin route, as the manager does it. One that is not confirmed may have been heard all the same. */
  async #expire(name: string): Promise<void> {
    const { program, history, clients } = this.#parts;
    const end = history.begin(history.expires(name));
    clients.watch(name);
    try {
      const { status } = await admin(program, `/expire/domain/${name}`);
      if (status !== 200) return;
      end();
    } catch {
      // The worker was killed.
      return;
    }
    // While what the look-up came to is fresh, and what workers had has lapsed.
    const { lruCache, certCache } = DURATIONS;
    for (let visit = 1; visit <= VISITS_AFTER_EXPIRE; visit++) {
      const share = (visit - 0.5) / VISITS_AFTER_EXPIRE;
      void pause(1_000 * (lruCache + (certCache - lruCache) * share)).then(() => clients.visit(name));
    }
    await pause(1_000 * certCache);
  }
}
