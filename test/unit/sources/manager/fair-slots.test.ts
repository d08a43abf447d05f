import { expect } from 'chai';
import { FairSlots, type Release } from '../../../../lib/sources/manager/fair-slots.js';
import { settled } from '../../../support/manual-time.js';

function openStage({ atOnce = 3, maxWaiters = 8 } = {}) {
  const slots = new FairSlots({ atOnce, maxWaiters });
  const inside = new Map<string, Release>();
  const refused: string[] = [];
  /** @param who the client and a number, as in `a1`. */
  const enter = async (who: string, signal = new AbortController().signal): Promise<void> => {
    const release = await slots.acquire(who.slice(0, 1), signal);
    if (release === undefined) refused.push(who);
    else inside.set(who, release);
  };
  const leave = async (who: string): Promise<void> => {
    inside.get(who)?.();
    inside.delete(who);
    await settled();
  };
  const enterAll = async (...all: string[]): Promise<void> => {
    for (const who of all) void enter(who);
    await settled();
  };
  return { slots, inside: () => [...inside.keys()], refused, enter, enterAll, leave };
}

describe('FairSlots', () => {
  it('lets as many in at once as there are places, and the others in turns of their clients', async () => {
    const { slots, inside, enterAll, leave } = openStage();
    await enterAll('a1', 'b1', 'c1', 'a2', 'a3', 'b2');
    expect([inside(), slots.waiting]).to.deep.equal([['a1', 'b1', 'c1'], 3]);
    await leave('c1');
    await leave('a1');
    await leave('b1');
    expect([inside(), slots.waiting]).to.deep.equal([['a2', 'b2', 'a3'], 0]);
  });

  it('keeps the last place for others, whatever one client has begun', async () => {
    const { inside, enterAll, leave } = openStage();
    await enterAll('a1', 'a2', 'a3', 'a4');
    expect(inside()).to.deep.equal(['a1', 'a2']);
    await enterAll('b1');
    expect(inside()).to.deep.equal(['a1', 'a2', 'b1']);
    await enterAll('b2');
    await leave('a1');
    expect(inside()).to.deep.equal(['a2', 'b1', 'a3']);
    await leave('a2');
    expect(inside()).to.deep.equal(['b1', 'a3', 'b2']);
  });

  it('lets those go whose signal aborts, before and while they wait', async () => {
    const { slots, inside, refused, enter, enterAll, leave } = openStage();
    await enterAll('a1', 'a2');
    const waiting = new AbortController();
    void enter('a3', waiting.signal);
    void enter('b1', AbortSignal.abort());
    waiting.abort();
    await settled();
    expect([refused, slots.waiting]).to.deep.equal([['b1', 'a3'], 0]);
    await leave('a1');
    expect(inside()).to.deep.equal(['a2']);
  });

  it('bounds those who wait: a client with few of them displaces the youngest of the one with the most', async () => {
    const { slots, refused, enterAll } = openStage({ atOnce: 2, maxWaiters: 3 });
    await enterAll('a1', 'b1', 'a2', 'a3', 'a4', 'a5');
    expect(refused).to.deep.equal(['a5']);
    await enterAll('b2');
    expect([refused, slots.waiting]).to.deep.equal([['a5', 'a4'], 3]);
  });

  it('refuses those who wait and those who come when it is closed', async () => {
    const { slots, refused, enterAll } = openStage();
    await enterAll('a1', 'a2', 'a3');
    slots.close();
    await enterAll('b1');
    expect([refused, slots.waiting]).to.deep.equal([['a3', 'b1'], 0]);
  });
});
