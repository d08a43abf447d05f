import { expect } from 'chai';
import { Balancer } from '../../../../lib/proxy/upstream/balancer.js';

/** Of `a` and `b`, by a clock that the test sets. */
function start(): { balancer: Balancer<string>; clock: { nowMs: number }; changes: string[] } {
  const clock = { nowMs: 1_000 };
  const changes: string[] = [];
  const balancer = new Balancer({
    targets: ['a', 'b'],
    now: () => clock.nowMs,
    onChange: (target, state) => changes.push(`${target} ${state}`),
  });
  return { balancer, clock, changes };
}

const OTHER = new Set(['b']);

describe('A balancer', () => {
  it('leaves a backend out for a second when all that was under way there fails at once', () => {
    const { balancer, clock, changes } = start();
    const leases = Array.from({ length: 50 }, () => balancer.take(OTHER));
    for (const lease of leases) lease?.release('failed');
    expect(changes).to.deep.equal(['a out']);
    clock.nowMs += 999;
    expect([balancer.take()?.target, balancer.take()?.target]).to.deep.equal(['b', 'b']);
    clock.nowMs += 1;
    const trial = balancer.take();
    expect([trial?.target, balancer.take()?.target]).to.deep.equal(['a', 'b']);
    trial?.release('ok');
    expect(changes).to.deep.equal(['a out', 'a back']);
  });

  it('leaves a backend out for twice as long after each trial that fails', () => {
    const { balancer, clock } = start();
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    for (const restMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      clock.nowMs += restMs - 1;
      const tooEarly = balancer.take();
      expect(tooEarly?.target).to.equal('b');
      clock.nowMs += 1;
      const trial = balancer.take();
      expect(trial?.target).to.equal('a');
      tooEarly?.release('ok');
      trial?.release('failed');
    }
  });

  it('tries a backend with one request at a time, whatever comes of older ones meanwhile', () => {
    const { balancer, clock } = start();
    const [old, ...others] = Array.from({ length: 4 }, () => balancer.take(OTHER));
    for (const lease of others) lease?.release('failed');
    for (let i = 0; i < 3; i++) balancer.take(new Set(['a']));
    clock.nowMs += 1_000;
    expect(balancer.take()?.target).to.equal('a');
    old?.release('aborted');
    expect(balancer.take()?.target).to.equal('b');
  });

  it('leaves a backend out for no longer when it fails before its rest is over, tried for want of another', () => {
    const { balancer, clock } = start();
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    for (; clock.nowMs < 1_999; clock.nowMs += 111) balancer.take(OTHER)?.release('failed');
    balancer.take();
    expect(balancer.take()?.target).to.equal('b');
    clock.nowMs = 2_000;
    expect(balancer.take()?.target).to.equal('a');
  });

  it('counts the time that a backend has been failing while it is left out as well', () => {
    const { balancer, clock } = start();
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    for (let i = 0; i < 60; i++) {
      clock.nowMs += 500;
      balancer.take(OTHER)?.release('failed');
    }
    expect(balancer.failingForMs('a')).to.equal(30_000);
  });

  it('uses a backend again once it has answered, though not to the end', () => {
    const { balancer, clock, changes } = start();
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    clock.nowMs += 1_000;
    const trial = balancer.take(OTHER);
    trial?.answered();
    expect(changes).to.deep.equal(['a out', 'a back']);
    expect(balancer.takeHealthy(OTHER)?.target).to.equal('a');
  });

  it('leaves a backend out again at once, for longer, when its first answer after its rest breaks off', () => {
    const { balancer, clock, changes } = start();
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    clock.nowMs += 1_000;
    const trial = balancer.take(OTHER);
    trial?.answered();
    trial?.release('failed');
    expect(changes).to.deep.equal(['a out', 'a back', 'a out']);
    clock.nowMs += 1_999;
    expect(balancer.takeHealthy(OTHER)).to.equal(undefined);
    expect([balancer.take()?.target, balancer.take()?.target]).to.deep.equal(['b', 'b']);
    clock.nowMs += 1;
    expect(balancer.take()?.target).to.equal('a');
  });

  it('leaves a backend out whose answers all begin and break off', () => {
    const { balancer, changes } = start();
    for (let i = 0; i < 3; i++) {
      const lease = balancer.take(OTHER);
      lease?.answered();
      lease?.release('failed');
    }
    expect(changes).to.deep.equal(['a out']);
  });

  it('has a healthy one only of those that are in use', () => {
    const { balancer, clock } = start();
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    clock.nowMs += 1_000;
    expect(balancer.takeHealthy(new Set())?.target).to.equal('b');
    expect(balancer.takeHealthy(OTHER)).to.equal(undefined);
  });

  it('says how many backends are left out', () => {
    const { balancer, clock } = start();
    expect(balancer.leftOut).to.equal(0);
    for (let i = 0; i < 3; i++) balancer.take(OTHER)?.release('failed');
    expect(balancer.leftOut).to.equal(1);
    clock.nowMs += 1_000;
    balancer.take(OTHER)?.release('ok');
    expect(balancer.leftOut).to.equal(0);
  });

  it('tells what it has against a backend: since when it fails, since when it is left out, and its last error', () => {
    const { balancer, clock } = start();
    const [a] = balancer.health();
    expect(a).to.deep.equal({ target: 'a', underWay: 0 });
    const trouble = () => balancer.health()[0]?.trouble;
    balancer.take(OTHER)?.release('failed', 'first');
    clock.nowMs += 60_000;
    balancer.take(OTHER)?.release('failed', 'second');
    clock.nowMs += 10;
    expect(trouble()).to.deep.equal({
      ...{ isLeftOut: false, forMs: 60_010, lastError: 'second', lastErrorAgoMs: 10 },
    });
    balancer.take(OTHER)?.release('failed', 'third');
    clock.nowMs += 1_000;
    const trial = balancer.take(OTHER);
    expect(balancer.health()[0]?.underWay).to.equal(1);
    trial?.release('failed', 'fourth');
    clock.nowMs += 5;
    expect(trouble()).to.deep.equal({
      ...{ isLeftOut: true, forMs: 1_005, lastError: 'fourth', lastErrorAgoMs: 5 },
    });
    clock.nowMs += 2_000;
    balancer.take(OTHER)?.release('aborted');
    expect(trouble()?.isLeftOut).to.equal(true);
    balancer.take(OTHER)?.release('ok');
    expect(trouble()).to.equal(undefined);
    balancer.take(OTHER)?.release('failed', 'later');
    expect(trouble()).to.include({ forMs: 0, lastError: 'later' });
  });
});
