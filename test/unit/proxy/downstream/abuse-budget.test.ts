import { expect } from 'chai';
import { AbuseBudget, type AbuseKind } from '../../../../lib/proxy/downstream/abuse-budget.js';

/** For how many seconds a client may do this so often a second, up to a minute. */
function secondsOf(perSecond: Readonly<Partial<Record<AbuseKind, number>>>): number {
  const budget = new AbuseBudget(0);
  for (let second = 1; second <= 60; second++) {
    for (const [kind, count] of Object.entries(perSecond)) {
      if (!budget.pay(kind as AbuseKind, count, second * 1_000)) return second;
    }
  }
  return 60;
}

describe('The abuse budget of an HTTP/2 client', () => {
  const CALM: [what: string, perSecond: Parameters<typeof secondsOf>[0]][] = [
    ['a browser that cancels 20 requests a second', { reset: 20 }],
    [
      '20,000 messages of gRPC with 5 bytes each way, and a PING each millisecond',
      { missingByte: 60_000, ping: 900 },
    ],
    ['heads of 16 KiB a thousand times a second', { headKib: 12_000 }],
    ['20,000 WINDOW_UPDATE beside what is set off', { overheadByte: 240_000 }],
    ['settings that change with each request', { settings: 500 }],
    ['90 heads above the limit', { refusedHead: 90 }],
  ];
  for (const [what, perSecond] of CALM) {
    it(`lasts for ${what}`, () => {
      expect(secondsOf(perSecond)).to.equal(60);
    });
  }

  const ABUSE: [what: string, perSecond: Parameters<typeof secondsOf>[0], seconds: number][] = [
    ['a thousand resets a second', { reset: 1_000 }, 1],
    ['100,000 PINGs', { ping: 100_000 }, 1],
    ['100,000 SETTINGS', { settings: 100_000 }, 1],
    ['80,000 pieces of one byte', { missingByte: 7 * 80_000 }, 3],
    ['80,000 WINDOW_UPDATE', { overheadByte: 80_000 * 13 }, 4],
    ['10,000 heads of 16 KiB out of HPACK’s table', { headKib: 120_000 }, 2],
    ['a mixture, each kind of which would do', { reset: 30, ping: 2_000, overheadByte: 200_000 }, 9],
  ];
  for (const [what, perSecond, seconds] of ABUSE) {
    it(`is spent by ${what} within ${seconds} s`, () => {
      expect(secondsOf(perSecond)).to.be.at.most(seconds);
    });
  }

  it('allows 400 resets at once: a browser that leaves a page has a hundred', () => {
    const budget = new AbuseBudget(0);
    const resets = Array.from({ length: 401 }, () => budget.pay('reset', 1, 0));
    expect(resets.indexOf(false)).to.equal(400);
  });

  it('is refilled with time, but holds no more than at first', () => {
    const budget = new AbuseBudget(0);
    expect(budget.pay('reset', 401, 0)).to.equal(false);
    expect(budget.pay('reset', 400, 3_600_000)).to.equal(true);
    expect(budget.pay('reset', 1, 3_600_000)).to.equal(false);
    expect(budget.pay('reset', 1, 3_601_000)).to.equal(true);
  });

  it('tells what it was spent on', () => {
    const budget = new AbuseBudget(0);
    budget.pay('ping', 1, 0);
    budget.pay('ping', 2, 0);
    budget.pay('overheadByte', 17.4, 0);
    expect(budget.counts).to.deep.equal({ ping: 3, overheadByte: 17 });
  });
});
