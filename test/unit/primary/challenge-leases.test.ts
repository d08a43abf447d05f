import { expect } from 'chai';
import {
  ChallengeLeases,
  type LeaseLimits,
  type LeaseVerdict,
} from '../../../lib/primary/challenge-leases.js';
import { ManualTime, settled } from '../../support/manual-time.js';

const LIMITS: LeaseLimits = {
  atOnce: 4,
  atOncePerClient: 3,
  maxWaiting: 6,
  maxWaitingPerClient: 4,
  waitMs: 3_000,
  holdMs: 10_000,
};

describe('Leases for challenges', () => {
  let time: ManualTime;
  let leases: ChallengeLeases;
  /** `owner id` of each that has been granted, in that order. */
  let granted: string[];
  let refused: Record<string, string>;

  beforeEach(() => {
    time = new ManualTime();
    leases = new ChallengeLeases({ startTimer: time.startTimer, limits: LIMITS });
    granted = [];
    refused = {};
  });

  /** Asks for leases of one client with these numbers. */
  async function want(client: string, ids: readonly number[], owner = 1): Promise<void> {
    for (const id of ids) {
      void leases.lease({ owner, id }, client).then(({ refusal }: LeaseVerdict) => {
        if (refusal === undefined) granted.push(`${owner} ${id}`);
        else refused[`${owner} ${id}`] = refusal;
      });
    }
    await settled();
  }
  async function release(owner: number, id: number): Promise<void> {
    leases.release({ owner, id });
    await settled();
  }

  it('are four at once over all workers, three of one client, and the fourth is there for another', async () => {
    await want('192.0.2.1', [1, 2, 3, 4]);
    expect(granted).to.deep.equal(['1 1', '1 2', '1 3']);
    await want('192.0.2.2', [1, 2], 2);
    expect(granted).to.deep.equal(['1 1', '1 2', '1 3', '2 1']);
    expect(leases.out).to.equal(4);
  });

  it('go to clients in turns: one with many keeps nobody waiting for all of them', async () => {
    await want('192.0.2.1', [1, 2, 3, 4, 5, 6]);
    await want('192.0.2.2', [11, 12], 2);
    await want('192.0.2.3', [21], 2);
    await release(1, 1);
    await release(1, 2);
    await release(1, 3);
    expect(granted.slice(3)).to.deep.equal(['2 11', '1 4', '2 12', '2 21']);
  });

  it('take an IPv6 client for its /64', async () => {
    await want('2001:db8::1', [1, 2]);
    await want('2001:db8::2', [3, 4]);
    expect(granted).to.have.length(3);
    await want('2001:db8:0:1::1', [5]);
    expect(granted).to.have.length(4);
  });

  it('are refused at once to whoever is above the bounds, of one client and of all', async () => {
    await want('192.0.2.1', [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(refused).to.deep.equal({ '1 8': '4 challenges of this client are waiting already' });
    await want('192.0.2.2', [11, 12, 13, 14]);
    expect(refused['1 14']).to.equal('6 challenges are waiting already');
    expect(Object.keys(refused)).to.have.length(2);
  });

  it('are refused after the deadline to whoever has not had his turn, and the place is free again', async () => {
    await want('192.0.2.1', [1, 2, 3, 4]);
    await time.advance(2_999);
    expect(refused).to.deep.equal({});
    await time.advance(1);
    expect(refused).to.deep.equal({ '1 4': 'no turn came within 3 s' });
    await release(1, 1);
    await want('192.0.2.1', [5]);
    expect(granted).to.deep.equal(['1 1', '1 2', '1 3', '1 5']);
  });

  it('are given up where they are waited for no longer: the next one has the turn', async () => {
    await want('192.0.2.1', [1, 2, 3, 4, 5]);
    await release(1, 4);
    await release(1, 1);
    expect(granted.slice(3)).to.deep.equal(['1 5']);
    expect(Object.keys(refused)).to.deep.equal(['1 4']);
  });

  it('of a worker that has ended go to the others, and it gets no further one', async () => {
    await want('192.0.2.1', [1, 2, 3, 4], 1);
    await want('192.0.2.2', [9], 1);
    await want('192.0.2.3', [1, 2, 3], 2);
    expect(granted).to.have.length(4);
    leases.releaseAll(1);
    await settled();
    expect(granted.slice(4)).to.deep.equal(['2 1', '2 2', '2 3']);
    expect(leases.out).to.equal(3);
  });

  it('count as released ten seconds after they were granted, whatever has become of the message', async () => {
    await want('192.0.2.1', [1]);
    await time.advance(9_999);
    expect(leases.out).to.equal(1);
    await time.advance(1);
    expect(leases.out).to.equal(0);
    await release(1, 1);
    expect([leases.out, time.delaysMs]).to.deep.equal([0, []]);
  });
});
