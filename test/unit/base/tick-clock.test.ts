import { expect } from 'chai';
import { mock } from 'node:test';
import { TickClock } from '../../../lib/base/tick-clock.js';

describe('A clock of ticks', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  function startClock(): { clock: TickClock; ticks: number[] } {
    const ticks: number[] = [];
    const clock = new TickClock(250, (now) => ticks.push(now));
    clock.start();
    return { clock, ticks };
  }

  it('ticks from its start to its stop, and goes on behind it', () => {
    const { clock, ticks } = startClock();
    mock.timers.tick(600);
    expect(ticks).to.deep.equal([1, 2]);
    clock.stop();
    mock.timers.tick(1_000);
    expect(ticks).to.deep.equal([1, 2]);
    clock.start();
    mock.timers.tick(250);
    expect(ticks).to.deep.equal([1, 2, 3]);
    clock.stop();
  });

  it('that is started twice ticks once', () => {
    const { clock, ticks } = startClock();
    clock.start();
    mock.timers.tick(250);
    expect(ticks).to.deep.equal([1]);
    clock.stop();
    mock.timers.tick(250);
    expect(ticks).to.deep.equal([1]);
  });

  it('is never early, and late by one tick at most', () => {
    const { clock, ticks } = startClock();
    for (const ms of [1, 249, 250, 251, 1_000, 10_000])
      for (const passedMs of [0, 1, 249]) {
        mock.timers.tick(passedMs);
        const before = ticks.length;
        const due = clock.after(ms);
        let waitedMs = 0;
        while ((ticks.at(-1) ?? 0) < due) {
          mock.timers.tick(1);
          waitedMs += 1;
        }
        expect(waitedMs, `${ms} ms, ${before} ticks`).to.be.within(ms, ms + 2 * 250);
      }
    clock.stop();
  });

  it('never comes to what is not waited for', () => {
    const { clock, ticks } = startClock();
    mock.timers.tick(100_000);
    expect(ticks.filter((now) => now >= Infinity)).to.deep.equal([]);
    clock.stop();
  });
});
