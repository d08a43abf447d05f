import { expect } from 'chai';
import { Recorder } from '../../../lib/metrics/recorder.js';
import { MetricsStore } from '../../../lib/metrics/store.js';

/** What a delta says, as the store would show it. */
function shown(recorder: Recorder): MetricsStore {
  const store = new MetricsStore();
  const delta = recorder.take();
  // As it crosses the bus.
  if (delta !== undefined) store.join().add(JSON.parse(JSON.stringify(delta)) as typeof delta);
  return store;
}

describe('Recorder', () => {
  it('tells what has happened since it was asked last', () => {
    const recorder = new Recorder();
    const failed = recorder.counter('peter_sslers_handshakes_failed_total');
    failed.with({ reason: 'timeout' }).inc();
    failed.with({ reason: 'timeout' }).inc(2);
    expect(shown(recorder).value('peter_sslers_handshakes_failed_total', { reason: 'timeout' })).to.equal(3);
    failed.with({ reason: 'closed' }).inc();
    const later = shown(recorder);
    expect(later.value('peter_sslers_handshakes_failed_total', { reason: 'timeout' })).to.equal(0);
    expect(later.value('peter_sslers_handshakes_failed_total', { reason: 'closed' })).to.equal(1);
  });

  it('tells nothing where nothing has happened', () => {
    const recorder = new Recorder();
    recorder.counter('peter_sslers_lru_evictions_total').with({}).inc();
    const gauge = recorder.gauge('peter_sslers_lru_entries').with({});
    gauge.set(5);
    expect(recorder.take()).not.to.equal(undefined);
    gauge.set(5);
    expect(recorder.take()).to.equal(undefined);
  });

  it('tells a gauge again only where it has changed', () => {
    const recorder = new Recorder();
    const gauge = recorder.gauge('peter_sslers_lru_entries').with({});
    gauge.set(5);
    recorder.take();
    gauge.set(6);
    gauge.set(5);
    expect(recorder.take()).to.equal(undefined);
    gauge.set(7);
    expect(recorder.take()).to.deep.equal({ peter_sslers_lru_entries: [0, 7] });
  });

  it('has the same cell for the same labels, in whatever order they come', () => {
    const requests = new Recorder().counter('peter_sslers_requests_total');
    expect(requests.with({ by: 'proxy', code: '2xx', protocol: '1.1' })).to.equal(
      requests.with({ protocol: '1.1', code: '2xx', by: 'proxy' }),
    );
  });

  it('puts a value that a set does not have with the others', () => {
    const recorder = new Recorder();
    const up = recorder.gauge('peter_sslers_source_up');
    up.with({ source: 'an-embedders-own' }).set(1);
    expect(up.with({ source: 'a-second-one' })).to.equal(up.with({ source: 'other' }));
    expect(shown(recorder).value('peter_sslers_source_up', { source: 'other' })).to.equal(1);
  });

  it('fails nothing for a value that has no place', () => {
    const recorder = new Recorder();
    const failed = recorder.counter('peter_sslers_handshakes_failed_total');
    failed.with({ reason: 'a new one' as 'closed' }).inc();
    expect(recorder.take()).to.equal(undefined);
  });

  it('adds what a count of somebody else has grown by', () => {
    const recorder = new Recorder();
    const accepted = recorder.counter('peter_sslers_connections_accepted_total').with({});
    accepted.raiseTo(10);
    recorder.take();
    accepted.raiseTo(10);
    expect(recorder.take()).to.equal(undefined);
    accepted.raiseTo(14);
    expect(shown(recorder).value('peter_sslers_connections_accepted_total')).to.equal(4);
  });

  it('puts an observation into the bucket whose bound it does not exceed', () => {
    const recorder = new Recorder();
    const seconds = recorder.histogram('peter_sslers_order_seconds').with({});
    for (const value of [1, 1.5, 160, 161]) seconds.observe(value);
    const store = shown(recorder);
    expect(store.series('peter_sslers_order_seconds')[0]?.numbers).to.deep.equal([
      1, 1, 0, 0, 0, 0, 0, 1, 1, 323.5,
    ]);
  });
});
