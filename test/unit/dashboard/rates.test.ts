import { expect } from 'chai';
import { Recent } from '../../../lib/dashboard/rates.js';
import { counter, frames, histogram, status } from './frames.js';

const NAME = 'peter_sslers_handshakes_total';

describe('The rates of the dashboard', () => {
  it('are the difference between two moments, over the time between them', () => {
    const recent = new Recent();
    const [before, now] = [counter('handshakes_total', 100), counter('handshakes_total', 150)];
    for (const frame of frames([before], [now])) recent.add(frame);
    expect(recent.over(5).perSecond(NAME)).to.equal(5);
    expect(recent.over(60).growth(NAME)).to.equal(50);
    expect(recent.within(60).growth(NAME)).to.equal(50);
  });

  it('have the mean of a histogram over that time alone', () => {
    const recent = new Recent();
    const all = frames([histogram('x_seconds', 10, 100)], [histogram('x_seconds', 14, 100.02)]);
    for (const frame of all) recent.add(frame);
    expect(recent.over(5).meanMs('peter_sslers_x_seconds')).to.be.closeTo(5, 1e-6);
    expect(recent.over(5).meanMs('peter_sslers_y_seconds')).to.equal(undefined);
  });

  it('are not known after one moment', () => {
    const recent = new Recent();
    recent.add({ status: status(), series: [counter('handshakes_total', 100)] });
    expect(recent.over(5).isKnown).to.equal(false);
    expect(recent.over(5).perSecond(NAME)).to.equal(0);
  });

  for (const [what, changes] of [
    ['another process', { pid: 99 }],
    ['the same one, started again', { uptimeMs: 1_000 }],
  ] as const) {
    it(`begin anew with ${what}`, () => {
      const recent = new Recent();
      for (const frame of frames([counter('handshakes_total', 1)], [counter('handshakes_total', 9_000)]))
        recent.add(frame);
      recent.add({ status: status(changes), series: [counter('handshakes_total', 2)] });
      expect(recent.over(5).isKnown).to.equal(false);
    });
  }

  it('are a mean over a pause of any length', () => {
    const recent = new Recent();
    const [, now] = frames([], [counter('handshakes_total', 100)]);
    recent.add(now!);
    const { atMs, uptimeMs } = now!.status;
    recent.add({
      status: status({ atMs: atMs + 600_000, uptimeMs: uptimeMs + 600_000 }),
      series: [counter('handshakes_total', 700)],
    });
    expect(recent.over(5).perSecond(NAME)).to.equal(1);
    // What is said to be of the last minute is not of all that time.
    expect(recent.within(60).growth(NAME)).to.equal(0);
    expect(recent.within(60).isKnown).to.equal(false);
  });
});
