import { expect } from 'chai';
import { defer, type Deferred } from '../../../lib/base/deferred.js';
import { ProxyError } from '../../../lib/domain/errors.js';
import { Recorder, type MetricsDelta } from '../../../lib/metrics/recorder.js';
import { MetricsReports } from '../../../lib/worker/metrics-reports.js';
import { ManualTime, settled } from '../../support/manual-time.js';

const COUNT = 'peter_sslers_lru_evictions_total';

function openStage() {
  const time = new ManualTime();
  const recorder = new Recorder();
  const told: { readonly delta: MetricsDelta; readonly answer: Deferred<void> }[] = [];
  const reports = new MetricsReports({
    recorder,
    poll: () => undefined,
    tell: (delta) => {
      const answer = defer<void>();
      told.push({ delta, answer });
      return answer.promise;
    },
    startTimer: time.startTimer,
    sampler: { sample: () => undefined },
  });
  const counter = recorder.counter(COUNT).with({});
  /** What was told of the counter, by report. */
  const counts = () => told.map(({ delta }) => delta[COUNT]?.[1]);
  return { time, told, reports, counter, counts };
}

describe('The reports of a worker', () => {
  it('are sent once a second, where something has changed', async () => {
    const { time, told, counter, counts } = openStage();
    await time.advance(3_000);
    expect(told).to.have.length(0);
    counter.inc(2);
    await time.advance(999);
    expect(told).to.have.length(0);
    await time.advance(1);
    expect(counts()).to.deep.equal([2]);
  });

  it('wait for the primary, and lose nothing meanwhile', async () => {
    const { time, told, counter, counts } = openStage();
    counter.inc();
    await time.advance(1_000);
    counter.inc(2);
    await time.advance(5_000);
    counter.inc(4);
    expect(counts()).to.deep.equal([1]);
    told[0]?.answer.resolve();
    await settled();
    await time.advance(1_000);
    expect(counts()).to.deep.equal([1, 6]);
  });

  it('go on after one that was not answered, which is not sent again', async () => {
    const { time, told, counter, counts } = openStage();
    counter.inc();
    await time.advance(1_000);
    told[0]?.answer.reject(new Error('late'));
    await settled();
    counter.inc(5);
    await time.advance(1_000);
    expect(counts()).to.deep.equal([1, 5]);
  });

  it('go on with one that the bus did not take, and lose nothing', async () => {
    const { time, told, reports, counter, counts } = openStage();
    counter.inc();
    await time.advance(1_000);
    told[0]?.answer.reject(new ProxyError('ERR_BUS_BUSY', 'too many'));
    await settled();
    counter.inc(5);
    const finished = reports.finish();
    told[1]?.answer.resolve();
    await settled();
    told[2]?.answer.resolve();
    await finished;
    expect(counts()).to.deep.equal([1, 1, 5]);
  });

  it('end with what is left, at once', async () => {
    const { told, reports, counter, counts } = openStage();
    counter.inc(7);
    let isOver = false;
    const finished = reports.finish().then(() => (isOver = true));
    expect(counts()).to.deep.equal([7]);
    expect(isOver).to.equal(false);
    told[0]?.answer.resolve();
    await finished;
  });
});
