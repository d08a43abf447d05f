import { expect } from 'chai';
import { FairTokenBucket } from '../../../../lib/sources/limits/token-bucket.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { RateLimitedSource } from '../../../../lib/sources/limits/rate-limited-source.js';
import type { CertificateSource, LookupContext } from '../../../../lib/sources/source.js';
import { ManualTime, settled } from '../../../support/manual-time.js';

const NAME = 'a.test' as ServerName;
const ABSENT: Lookup = { kind: 'absent' };
const FOUND: Lookup = { kind: 'found', candidates: [] };
const DOWN: Lookup = { kind: 'unavailable', reason: 'connection refused', scope: 'source' };

function openStage({ ratePerSecond = 1, burst = 1, result = ABSENT } = {}) {
  const time = new ManualTime(0);
  const { now, startTimer } = time;
  const asked: [ServerName, LookupContext][] = [];
  const forgotten: unknown[] = [];
  let closed = 0;
  const inner: CertificateSource = {
    name: 'manager',
    lookup: (...parameters) => {
      asked.push(parameters);
      return Promise.resolve(result);
    },
    check: () => Promise.resolve({ ok: true }),
    forget: (name) => void forgotten.push(name),
    close: () => Promise.resolve(void (closed += 1)),
  };
  const bucket = new FairTokenBucket({ ratePerSecond, burst, now, startTimer });
  const source = new RateLimitedSource(inner, { bucket, maxWaitMs: 2000, startTimer });
  const results: Lookup[] = [];
  const contexts: LookupContext[] = [];
  const look = (changes: Partial<LookupContext> = {}) => {
    const context = { signal: new AbortController().signal, client: '192.0.2.1', ...changes };
    contexts.push(context);
    void source.lookup(NAME, context).then((each) => results.push(each));
  };
  return { time, asked, forgotten, closed: () => closed, source, results, contexts, look };
}

describe('RateLimitedSource', () => {
  it('asks the source with the same name and context, a token a look-up, and leaves no timer behind', async () => {
    const { look, asked, contexts, results, time, source } = openStage();
    look();
    await settled();
    expect(source.name).to.equal('manager');
    expect(results).to.deep.equal([ABSENT]);
    expect(asked[0]?.[0]).to.equal(NAME);
    expect(asked[0]?.[1]).to.equal(contexts[0]);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('makes a look-up wait its turn when there is no token', async () => {
    const { look, results, time } = openStage();
    look();
    look();
    await time.advance(999);
    expect(results).to.have.length(1);
    await time.advance(1);
    expect(results).to.deep.equal([ABSENT, ABSENT]);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('answers pending, and does not ask the source, when no token comes in time', async () => {
    const { look, results, time, asked } = openStage({ ratePerSecond: 0.1 });
    look();
    look();
    await time.advance(1999);
    expect(results).to.have.length(1);
    await time.advance(1);
    expect(results[1]).to.deep.equal({
      kind: 'pending',
      reason: 'the rate of requests to source manager is at its limit',
    });
    expect([asked.length, time.delaysMs]).to.deep.equal([1, []]);
  });

  const aborts = [
    { title: 'before', abortFirst: true },
    { title: 'during the wait', abortFirst: false },
  ];
  for (const { title, abortFirst } of aborts) {
    it(`answers pending at once when the signal aborts ${title}`, async () => {
      const { look, results, asked, time } = openStage();
      look();
      await settled();
      const controller = new AbortController();
      if (abortFirst) controller.abort();
      look({ signal: controller.signal });
      await settled();
      controller.abort();
      await settled();
      expect(results.map(({ kind }) => kind)).to.deep.equal(['absent', 'pending']);
      expect([asked.length, time.delaysMs]).to.deep.equal([1, []]);
    });
  }

  const refunds = [
    { result: FOUND, answered: 5 },
    { result: ABSENT, answered: 1 },
    { result: DOWN, answered: 1 },
  ];
  for (const { result, answered } of refunds) {
    it(`answers ${answered} of 5 look-ups at once with one token when each is ${result.kind}`, async () => {
      const { look, results } = openStage({ result });
      for (let i = 0; i < 5; i += 1) look();
      await settled();
      expect(results).to.deep.equal(Array.from({ length: answered }, () => result));
    });
  }

  it('shares its tokens fairly between clients', async () => {
    const { look, asked, time } = openStage({ ratePerSecond: 2 });
    for (let i = 0; i < 9; i += 1) look({ client: 'scanner' });
    look({ client: 'visitor' });
    await time.advance(1000);
    expect(asked.map(([, { client }]) => client)).to.deep.equal(['scanner', 'scanner', 'visitor']);
  });

  it('passes check, forget and close through, and ends waiting look-ups as unavailable', async () => {
    const { source, look, results, forgotten, closed, time } = openStage();
    expect(await source.check()).to.deep.equal({ ok: true });
    source.forget(NAME);
    expect(forgotten).to.deep.equal([NAME]);
    look();
    look();
    await settled();
    await source.close();
    look();
    await settled();
    expect(results.map(({ kind }) => kind)).to.deep.equal(['absent', 'unavailable', 'unavailable']);
    expect([closed(), time.delaysMs]).to.deep.equal([1, []]);
  });
});
