import { expect } from 'chai';
import { SingleFlight, type Flight } from '../../../lib/resolver/single-flight.js';
import { defer } from '../../../lib/base/deferred.js';
import { normaliseServerName, type ServerName } from '../../../lib/domain/server-name.js';
import { ManualTime, settled } from '../../support/manual-time.js';

const LONG_MS = 10_000;
const FIRST = { first: true, throughOrder: false };
const JOINER = { first: false, throughOrder: false };
const COME_BACK = { first: false, throughOrder: true };

function nameOf(text: string): ServerName {
  const name = normaliseServerName(text);
  if (name === undefined) throw new TypeError(text);
  return name;
}

describe('Single-flight', () => {
  const a = nameOf('a.test');
  const b = nameOf('b.test');
  let flights: SingleFlight<string>;

  beforeEach(() => {
    flights = new SingleFlight(() => 1_000);
  });

  it('gives one landing to everybody who waits', async () => {
    const work = defer<string>();
    let runs = 0;
    const flight = flights.start(a, () => {
      runs++;
      return work.promise;
    });
    expect(flights.get(a)).to.equal(flight);
    expect(flight.startedAtMs).to.equal(1_000);
    const waits = [flight.wait(LONG_MS, FIRST), flight.wait(LONG_MS, JOINER), flight.wait(LONG_MS, JOINER)];
    work.resolve('found');
    const landed = { kind: 'landed', value: 'found' };
    expect(await Promise.all(waits)).to.deep.equal([landed, landed, landed]);
    expect(runs).to.equal(1);
  });

  it('lets those who can do with an offer wait for more but shortly, and no longer than they may', async () => {
    const work = defer<string>();
    const time = new ManualTime();
    flights = new SingleFlight(() => 1_000, time.startTimer);
    const flight = flights.start(a, () => work.promise);
    const taker = { ...JOINER, offerPatienceMs: 100 };
    const waits = [flight.wait(1_000, taker), flight.wait(50, taker), flight.wait(1_000, JOINER)];
    flight.offer('half');
    const after = flight.wait(1_000, taker);
    await time.advance(1_000);
    expect(await Promise.all([...waits, after])).to.deep.equal([
      { kind: 'late', soFar: 'half' },
      { kind: 'late', soFar: 'half' },
      { kind: 'late' },
      { kind: 'late', soFar: 'half' },
    ]);
    const landing = flight.wait(1_000, taker);
    work.resolve('whole');
    expect(await landing).to.deep.equal({ kind: 'landed', value: 'whole' });
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('is over when it has landed, also when its work ends at once or throws', async () => {
    const works: (() => Promise<string>)[] = [
      () => Promise.resolve('x'),
      () => Promise.reject(new Error('broken')),
      () => {
        throw new Error('broken at once');
      },
    ];
    for (const work of works) {
      const flight = flights.start(a, work);
      expect(flights.size).to.equal(1);
      await flight.landing.catch(() => undefined);
      expect(flights.size).to.equal(0);
      expect(flights.get(a)).to.equal(undefined);
    }
  });

  it('tells every waiter of a failure, and nobody when there is none', async () => {
    const work = defer<string>();
    const flight = flights.start(a, () => work.promise);
    const waits = [flight.wait(LONG_MS, FIRST), flight.wait(LONG_MS, JOINER)];
    work.reject(new Error('broken'));
    const results = await Promise.allSettled(waits);
    expect(results.map((result) => result.status === 'rejected' && String(result.reason))).to.deep.equal([
      'Error: broken',
      'Error: broken',
    ]);
    // Without a waiter an unhandled rejection would end the process, and the test with it.
    flights.start(b, () => Promise.reject(new Error('unheard')));
    await settled();
    expect(flights.size).to.equal(0);
  });

  it('lets a waiter go when its time is up, and goes on for the others', async () => {
    const work = defer<string>();
    const flight = flights.start(a, () => work.promise);
    const patient = flight.wait(LONG_MS, JOINER);
    expect(await flight.wait(1, FIRST)).to.deep.equal({ kind: 'late' });
    expect(flights.get(a)).to.equal(flight);
    work.resolve('found');
    expect(await patient).to.deep.equal({ kind: 'landed', value: 'found' });
  });

  it('keeps the names apart', async () => {
    const forA = flights.start(a, () => Promise.resolve('a'));
    const forB = flights.start(b, () => Promise.resolve('b'));
    expect(flights.size).to.equal(2);
    expect(await Promise.all([forA.landing, forB.landing])).to.deep.equal(['a', 'b']);
  });

  describe('that an expire overtakes', () => {
    it('is not joined any more, answers its waiters, and is not current', async () => {
      const old = defer<string>();
      const first = flights.start(a, () => old.promise);
      const waiting = first.wait(LONG_MS, FIRST);
      flights.detach(a);
      expect(first.current).to.equal(false);
      expect(flights.get(a)).to.equal(undefined);
      const next = defer<string>();
      const second = flights.start(a, () => next.promise);
      old.resolve('old');
      expect(await waiting).to.deep.equal({ kind: 'landed', value: 'old' });
      // The end of the old one has not taken the new one out.
      expect(flights.get(a)).to.equal(second);
      expect(second.current).to.equal(true);
      next.resolve('new');
      await second.landing;
      expect(flights.size).to.equal(0);
    });

    it('is only the one of that name, or every one', () => {
      const never = (): Promise<string> => new Promise(() => undefined);
      const [forA, forB] = [flights.start(a, never), flights.start(b, never)];
      flights.detach(a);
      expect([forA.current, forB.current]).to.deep.equal([false, true]);
      expect(flights.size).to.equal(1);
      flights.detach();
      expect(forB.current).to.equal(false);
      expect(flights.size).to.equal(0);
      flights.detach(a);
    });
  });

  describe('that becomes an order', () => {
    let work: ReturnType<typeof defer<string>>;
    let flight: Flight<string>;

    beforeEach(() => {
      work = defer<string>();
      flight = flights.start(a, () => work.promise);
    });

    it('lets everybody go at once and tells the first who it is', async () => {
      const waits = [flight.wait(LONG_MS, FIRST), flight.wait(LONG_MS, JOINER)];
      flight.beginOrder({ mayWait: true });
      expect(await Promise.all(waits)).to.deep.equal([
        { kind: 'ordering', starter: true },
        { kind: 'ordering', starter: false },
      ]);
      expect(flight.ordering).to.equal(true);
      expect(flights.ordering()).to.deep.equal([a]);
    });

    it('does not keep those who come later', async () => {
      flight.beginOrder({ mayWait: true });
      expect(await flight.wait(LONG_MS, JOINER)).to.deep.equal({ kind: 'ordering', starter: false });
    });

    it('can be waited for by the starter who comes back', async () => {
      const starter = flight.wait(LONG_MS, FIRST);
      flight.beginOrder({ mayWait: true });
      await starter;
      const end = flight.wait(LONG_MS, COME_BACK);
      work.resolve('issued');
      expect(await end).to.deep.equal({ kind: 'landed', value: 'issued' });
      expect(flights.ordering()).to.deep.equal([]);
    });

    it('has no starter when the first has gone before: nobody waits half a minute in its stead', async () => {
      expect(await flight.wait(1, FIRST)).to.deep.equal({ kind: 'late' });
      const joiner = flight.wait(LONG_MS, JOINER);
      flight.beginOrder({ mayWait: true });
      expect(await joiner).to.deep.equal({ kind: 'ordering', starter: false });
    });
  });

  it('says when all that are under way have landed, well or not', async () => {
    const [good, bad] = [defer<string>(), defer<string>()];
    flights.start(a, () => good.promise);
    flights.start(b, () => bad.promise);
    let done = false;
    const all = flights.settled().then(() => (done = true));
    good.resolve('x');
    await settled();
    expect(done).to.equal(false);
    bad.reject(new Error('broken'));
    await all;
    expect(done).to.equal(true);
  });

  it('counts those as under way that an expire has overtaken: they still need their sources', async () => {
    const [overtaken, next] = [defer<string>(), defer<string>()];
    flights.start(a, () => overtaken.promise);
    flights.detach(a);
    flights.start(a, () => next.promise);
    let done = false;
    const all = flights.settled().then(() => (done = true));
    next.resolve('new');
    await settled();
    expect(done).to.equal(false);
    overtaken.reject(new Error('broken'));
    await all;
    // One that has landed is waited for no longer.
    await flights.settled();
  });
});
