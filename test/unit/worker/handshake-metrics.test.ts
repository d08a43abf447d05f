import { expect } from 'chai';
import { Recorder } from '../../../lib/metrics/recorder.js';
import { MetricsStore } from '../../../lib/metrics/store.js';
import type { ConnectionInfo } from '../../../lib/net/connection-info.js';
import type { FailedHandshake } from '../../../lib/tls/failed-handshake.js';
import { HandshakeMetrics } from '../../../lib/worker/handshake-metrics.js';

const INFO = {
  scheme: 'https',
  tier: 'lru',
  keyClass: 'ecdsa',
  chooseMs: 3,
  client: { address: '192.0.2.1', port: 1 },
  isClientKnown: true,
  local: { address: '192.0.2.2', port: 443 },
  listener: 0,
} as const satisfies ConnectionInfo;

const socketOf = (protocol: string, isReused = false) =>
  ({ getProtocol: () => protocol, isSessionReused: () => isReused }) as never;

describe('The metrics of handshakes', () => {
  let recorder: Recorder;
  let handshakes: HandshakeMetrics;

  beforeEach(() => {
    recorder = new Recorder();
    handshakes = new HandshakeMetrics(recorder);
  });

  const store = (): MetricsStore => {
    const all = new MetricsStore();
    all.join().add(recorder.take() ?? {});
    return all;
  };

  it('tell tier, protocol, key, and whether it was resumed', () => {
    handshakes.secured(socketOf('TLSv1.3'), INFO);
    handshakes.secured(socketOf('TLSv1.2', true), { ...INFO, keyClass: 'rsa' });
    const all = store();
    expect(all.series('peter_sslers_handshakes_total').map(({ labels }) => labels)).to.have.deep.members([
      { tier: 'lru', protocol: 'TLSv1.3', key: 'ecdsa', resumed: 'no' },
      { tier: 'lru', protocol: 'TLSv1.2', key: 'rsa', resumed: 'yes' },
    ]);
    expect(all.histogram('peter_sslers_certificate_choice_seconds', { tier: 'lru' })).to.deep.equal({
      count: 2,
      sum: 0.006,
    });
  });

  it('tell why the default certificate was served', () => {
    handshakes.secured(socketOf('TLSv1.3'), { ...INFO, tier: 'default', reason: 'sources-late' });
    const all = store();
    expect(all.value('peter_sslers_handshakes_total', { tier: 'default' })).to.equal(1);
    expect(all.value('peter_sslers_defaults_served_total', { reason: 'sources-late' })).to.equal(1);
    expect(all.value('peter_sslers_defaults_served_total')).to.equal(1);
  });

  it('take the tiers of an embedder for one', () => {
    handshakes.secured(socketOf('TLSv1.3'), { ...INFO, tier: 'vault' });
    expect(store().value('peter_sslers_handshakes_total', { tier: 'other' })).to.equal(1);
  });

  it('tell a client that has said nothing from one that has failed', () => {
    const failure: FailedHandshake = {
      reason: 'closed',
      detail: '',
      client: '192.0.2.1',
      handshake: '1-a',
      startedAtMs: 0,
      isSilent: true,
    };
    handshakes.failed(failure);
    handshakes.failed({ ...failure, isSilent: false });
    const failed = store().valuesBy('peter_sslers_handshakes_failed_total', 'reason');
    expect([failed.get('silent'), failed.get('closed')]).to.deep.equal([1, 1]);
  });

  it('measure how long the primary takes, but not how long an order does', async () => {
    const told = { value: { kind: 'absent', tier: 'redis' }, atMs: 0 } as const;
    const question = { name: 'a.test', client: '192.0.2.1', handshake: '1-a' } as never as object;
    const ask = (phase: 'lookup' | 'order', answer: Promise<typeof told>) =>
      handshakes.asked({ ...question, phase } as never, answer);
    expect(await ask('lookup', Promise.resolve(told))).to.equal(told);
    await ask('order', Promise.resolve(told));
    await ask('lookup', Promise.reject(new Error('late'))).catch(() => undefined);
    expect(store().histogram('peter_sslers_bus_resolve_seconds').count).to.equal(2);
  });
});
