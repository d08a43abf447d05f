import { expect } from 'chai';
import { ProxyError } from '../../../lib/domain/errors.js';
import { BusChallengeDesk, type DeskBus } from '../../../lib/worker/challenge-desk.js';
import { defer, type Deferred } from '../../../lib/base/deferred.js';
import { settled } from '../../support/manual-time.js';
import type { ServerName } from '../../../lib/domain/server-name.js';

const SILENT = { err() {}, notice() {}, info() {}, debug() {}, enabled: () => false };

describe('A worker that wants leases for challenges', () => {
  /** Operations with their parameters, as text, in order. */
  let told: string[];
  let answers: Deferred<{ readonly refusal?: string }>[];
  let desk: BusChallengeDesk;
  let notices: number;

  beforeEach(() => {
    told = [];
    answers = [];
    notices = 0;
    const bus = {
      call: (op: string, params: object) => {
        told.push(`${op} ${Object.values(params).join(' ')}`);
        if (op !== 'leaseChallenge') return Promise.resolve({});
        const answer = defer<{ readonly refusal?: string }>();
        answers.push(answer);
        return answer.promise;
      },
    } as DeskBus;
    desk = new BusChallengeDesk(bus, { ...SILENT, notice: () => void (notices += 1) });
  });

  const want = (signal = new AbortController().signal) => desk.lease('192.0.2.1', signal);
  const late = (): ProxyError => new ProxyError('ERR_BUS_DEADLINE', 'no answer');

  it('is granted one by the primary, and gives it back', async () => {
    const wanted = want();
    answers[0]?.resolve({});
    const lease = await wanted;
    if ('refusal' in lease) throw new Error(lease.refusal);
    lease.release();
    expect(told).to.deep.equal(['leaseChallenge 1 192.0.2.1', 'releaseChallenge 1']);
  });

  it('is refused one by the primary, in its words, and has nothing to give back', async () => {
    const wanted = want();
    answers[0]?.resolve({ refusal: 'too many' });
    expect(await wanted).to.deep.equal({ refusal: 'too many' });
    expect(told).to.have.length(1);
  });

  it('gives up the place of a client that goes away, once, also when the grant was on its way', async () => {
    for (const answer of [{ refusal: 'it is wanted no longer' }, {}]) {
      const gone = new AbortController();
      const wanted = want(gone.signal);
      gone.abort();
      answers.at(-1)?.resolve(answer);
      expect(await wanted).to.have.property('refusal');
    }
    expect(told.filter((line) => line.startsWith('release'))).to.deep.equal([
      'releaseChallenge 1',
      'releaseChallenge 2',
    ]);
    const before = new AbortController();
    before.abort();
    expect(await want(before.signal)).to.have.property('refusal');
    expect(told).to.have.length(4);
  });

  it('has one of its own where the primary is late, with no queue, and gives back what may be granted later', async () => {
    const wanted = [want(), want()];
    for (const answer of answers) answer.reject(late());
    const [first, second] = await Promise.all(wanted);
    expect(first).to.have.property('release');
    expect(second).to.have.property('refusal').that.includes('no answer');
    expect(told.slice(2)).to.deep.equal(['releaseChallenge 1', 'releaseChallenge 2']);
    if (first !== undefined && 'release' in first) first.release();
    const again = want();
    answers.at(-1)?.reject(late());
    expect(await again).to.have.property('release');
    expect(notices).to.equal(2);
  });

  it('tells of a missed challenge', async () => {
    desk.missed('a.test' as ServerName);
    await settled();
    expect(told).to.deep.equal(['challengeMissed a.test']);
  });
});
