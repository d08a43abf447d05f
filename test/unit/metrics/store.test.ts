import { expect } from 'chai';
import { Recorder } from '../../../lib/metrics/recorder.js';
import { MetricsStore, type MetricsMember } from '../../../lib/metrics/store.js';

/** A worker with its place in a store. */
function join(store: MetricsStore) {
  const recorder = new Recorder();
  const member: MetricsMember = store.join();
  return { recorder, member, tell: () => member.add(recorder.take() ?? {}) };
}

describe('MetricsStore', () => {
  it('adds up what the workers have counted, and what a dead one has stays', () => {
    const store = new MetricsStore();
    const [a, b] = [join(store), join(store)];
    for (const { recorder } of [a, b]) recorder.counter('peter_sslers_lru_evictions_total').with({}).inc(3);
    a.tell();
    b.tell();
    a.member.leave();
    expect(store.value('peter_sslers_lru_evictions_total')).to.equal(6);
    const c = join(store);
    c.recorder.counter('peter_sslers_lru_evictions_total').with({}).inc();
    c.tell();
    expect(store.value('peter_sslers_lru_evictions_total')).to.equal(7);
  });

  it('lets the gauges of a worker go with it', () => {
    const store = new MetricsStore();
    const [a, b] = [join(store), join(store)];
    a.recorder.gauge('peter_sslers_lru_entries').with({}).set(5);
    b.recorder.gauge('peter_sslers_lru_entries').with({}).set(7);
    a.tell();
    b.tell();
    expect(store.value('peter_sslers_lru_entries')).to.equal(12);
    a.member.leave();
    expect(store.value('peter_sslers_lru_entries')).to.equal(7);
  });

  it('counts what arrives after the end of a worker, and takes no gauge of it', () => {
    const store = new MetricsStore();
    const { recorder, member, tell } = join(store);
    member.leave();
    recorder.counter('peter_sslers_lru_evictions_total').with({}).inc();
    recorder.gauge('peter_sslers_lru_entries').with({}).set(5);
    tell();
    expect(store.value('peter_sslers_lru_evictions_total')).to.equal(1);
    expect(store.series('peter_sslers_lru_entries')).to.deep.equal([]);
  });

  it('gives a new worker the lowest free place, so that there are no more places than processes', () => {
    const store = new MetricsStore();
    const tellMemory = (worker: ReturnType<typeof join>, bytes: number): void => {
      worker.recorder.gauge('peter_sslers_process_resident_memory_bytes').with({}).set(bytes);
      worker.recorder.counter('peter_sslers_process_cpu_seconds_total').with({ mode: 'user' }).inc(2);
      worker.tell();
    };
    const [a, b] = [join(store), join(store)];
    tellMemory(a, 1);
    tellMemory(b, 2);
    for (let i = 0; i < 20; i += 1) {
      a.member.leave();
      const next = join(store);
      tellMemory(next, 3 + i);
      a.member = next.member;
    }
    expect([...store.valuesBy('peter_sslers_process_resident_memory_bytes', 'process')]).to.have.deep.members(
      [
        ['worker-1', 22],
        ['worker-2', 2],
      ],
    );
    expect(store.value('peter_sslers_process_cpu_seconds_total', { process: 'worker-1' })).to.equal(42);
  });

  it('shows a gauge without a value no more', () => {
    const store = new MetricsStore();
    const { recorder, tell } = join(store);
    const third = recorder.gauge('peter_sslers_certificate_not_after_seconds').with({ rank: '3' });
    third.set(5);
    tell();
    expect(store.series('peter_sslers_certificate_not_after_seconds')).to.have.length(1);
    third.set(NaN);
    tell();
    expect(store.series('peter_sslers_certificate_not_after_seconds')).to.have.length(0);
  });

  it('shows counters with few labels from the start, and others when they are counted', () => {
    const store = new MetricsStore();
    expect(store.series('peter_sslers_orders_total').map(({ labels }) => labels['result'])).to.include(
      'refused',
    );
    expect(store.series('peter_sslers_handshakes_total')).to.deep.equal([]);
  });

  it('sums by labels, and by each value of one', () => {
    const store = new MetricsStore();
    const { recorder, tell } = join(store);
    const handshakes = recorder.counter('peter_sslers_handshakes_total');
    handshakes.with({ tier: 'lru', protocol: 'TLSv1.3', key: 'ecdsa', resumed: 'no' }).inc(5);
    handshakes.with({ tier: 'lru', protocol: 'TLSv1.2', key: 'rsa', resumed: 'no' }).inc(2);
    handshakes.with({ tier: 'redis', protocol: 'TLSv1.3', key: 'rsa', resumed: 'no' }).inc();
    tell();
    expect(store.value('peter_sslers_handshakes_total')).to.equal(8);
    expect(store.value('peter_sslers_handshakes_total', { tier: 'lru' })).to.equal(7);
    expect([...store.valuesBy('peter_sslers_handshakes_total', 'tier')]).to.have.deep.members([
      ['lru', 7],
      ['redis', 1],
    ]);
    expect([...store.valuesBy('peter_sslers_handshakes_total', 'key', { tier: 'lru' })]).to.have.deep.members(
      [
        ['ecdsa', 5],
        ['rsa', 2],
      ],
    );
  });

  it('says how many observations there are, their sum, and about where a share of them lies', () => {
    const store = new MetricsStore();
    const { recorder, tell } = join(store);
    const seconds = recorder.histogram('peter_sslers_order_seconds').with({});
    for (let i = 0; i < 98; i += 1) seconds.observe(2);
    seconds.observe(30);
    seconds.observe(1_000);
    tell();
    expect(store.histogram('peter_sslers_order_seconds')).to.deep.equal({ count: 100, sum: 1_226 });
    expect(store.quantile('peter_sslers_order_seconds', 0.5)).to.equal(2.5);
    expect(store.quantile('peter_sslers_order_seconds', 0.99)).to.equal(40);
    expect(store.quantile('peter_sslers_order_seconds', 1)).to.equal(Infinity);
    expect(store.quantile('peter_sslers_request_seconds', 0.5)).to.be.NaN;
  });

  it('takes nothing that is not of its table', () => {
    const store = new MetricsStore();
    store
      .join()
      .add({ peter_sslers_lru_evictions_total: [7, 1, -1, 1, 0, -5, 0], peter_sslers_no: [0, 1] } as never);
    expect(store.value('peter_sslers_lru_evictions_total')).to.equal(0);
  });
});
