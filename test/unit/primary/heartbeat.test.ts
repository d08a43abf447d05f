import { expect } from 'chai';
import { Heartbeat } from '../../../lib/primary/heartbeat.js';
import { settled } from '../../support/manual-time.js';

/** Workers that answer or do not, and a clock and a timer that only the tests move. */
class Ward {
  nowMs = 5_000;
  readonly silent: [worker: string, silentMs: number][] = [];
  readonly hung = new Set<string>();
  readonly starting = new Set<string>();
  readonly pings: string[] = [];
  /** Answers that are on their way, or in a pipe that nobody reads. */
  #unread: (() => void)[] = [];
  #timer: { callback: () => void; dueMs: number } | undefined;
  readonly heartbeat = new Heartbeat<string>({
    now: () => this.nowMs,
    startTimer: (callback, delayMs) => {
      const timer = { callback, dueMs: this.nowMs + delayMs };
      this.#timer = timer;
      return () => {
        if (this.#timer === timer) this.#timer = undefined;
      };
    },
    isStarting: (worker) => this.starting.has(worker),
    ping: (worker) => {
      this.pings.push(worker);
      if (this.starting.has(worker)) return Promise.reject(new Error('it cannot hear'));
      return new Promise((resolve) => {
        if (!this.hung.has(worker)) this.#unread.push(() => resolve({}));
      });
    },
    onSilent: (worker, silentMs) => this.silent.push([worker, silentMs]),
  });

  get isTimed(): boolean {
    return this.#timer !== undefined;
  }

  /** Lets the timer fire, so much too late, and then what has been answered be read. */
  async beat(count = 1, lateMs = 0): Promise<void> {
    for (let done = 0; done < count; done++) {
      const timer = this.#timer;
      if (timer === undefined) throw new Error('no timer runs');
      this.nowMs = timer.dueMs + lateMs;
      timer.callback();
      await settled();
      for (const answer of this.#unread.splice(0)) answer();
      await settled();
    }
  }
}

describe('The heartbeat', () => {
  let ward: Ward;
  beforeEach(() => {
    ward = new Ward();
    for (const worker of ['a', 'b']) ward.heartbeat.watch(worker);
  });

  it('asks every worker once a second, and lets those live that answer', async () => {
    await ward.beat(60);
    expect(ward.nowMs).to.equal(65_000);
    expect(ward.pings).to.have.length(120);
    expect(ward.silent).to.deep.equal([]);
  });

  it('finds a worker that stands still after three misses, and says how long it has been silent', async () => {
    await ward.beat(3);
    ward.hung.add('a');
    // The answer to the last ping was still given.
    await ward.beat(3);
    expect(ward.silent).to.deep.equal([]);
    await ward.beat();
    expect(ward.silent).to.deep.equal([['a', 4_000]]);
    await ward.beat(10);
    expect(ward.silent).to.have.length(1);
    expect(ward.pings.at(-2)).to.equal('b');
  });

  it('finds all of them when all stand still at once', async () => {
    ward.hung.add('a').add('b');
    await ward.beat(4);
    expect(ward.silent.map(([worker]) => worker)).to.deep.equal(['a', 'b']);
    expect(ward.isTimed).to.equal(false);
  });

  it('counts the misses in a row only', async () => {
    for (let round = 0; round < 5; round++) {
      // The answer to the ping before counts, so these are two misses with that of the next beat.
      ward.hung.add('a');
      await ward.beat(2);
      ward.hung.delete('a');
      await ward.beat();
    }
    expect(ward.silent).to.deep.equal([]);
  });

  it('blames nobody for the time that the primary itself has stood still', async () => {
    for (const lateMs of [501, 2_000, 10_000, 3_600_000]) {
      ward.hung.add('a');
      // The answers that came meanwhile are read after the timer has fired.
      await ward.beat(3);
      await ward.beat(1, lateMs);
      await ward.beat();
      expect(ward.silent, String(lateMs)).to.deep.equal([]);
      ward.hung.delete('a');
      await ward.beat();
    }
  });

  it('finds a worker that stands still after the primary has done so too', async () => {
    ward.hung.add('a');
    await ward.beat(1, 60_000);
    await ward.beat(3);
    expect(ward.silent.map(([worker]) => worker)).to.deep.equal(['a']);
  });

  it('is not confused by a timer that is a little late each time, as on a busy machine', async () => {
    ward.hung.add('a');
    await ward.beat(4, 400);
    expect(ward.silent.map(([worker]) => worker)).to.deep.equal(['a']);
  });

  it('gives a worker that starts twenty seconds', async () => {
    ward.heartbeat.watch('young');
    ward.starting.add('young');
    await ward.beat(20);
    expect(ward.silent).to.deep.equal([]);
    await ward.beat();
    expect(ward.silent).to.deep.equal([['young', 21_000]]);
  });

  it('does not hold against a worker that has started how long that took', async () => {
    ward.heartbeat.watch('young');
    ward.starting.add('young');
    await ward.beat(15);
    ward.starting.delete('young');
    ward.heartbeat.heard('young');
    await ward.beat(10);
    expect(ward.silent).to.deep.equal([]);
  });

  it('keeps no timer when there is nobody to watch', () => {
    expect(ward.isTimed).to.equal(true);
    ward.heartbeat.unwatch('a');
    expect(ward.isTimed).to.equal(true);
    ward.heartbeat.unwatch('b');
    expect(ward.isTimed).to.equal(false);
    ward.heartbeat.unwatch('b');
    ward.heartbeat.watch('c');
    expect(ward.isTimed).to.equal(true);
  });
});
