import { expect } from 'chai';
import { ConnectionLimits } from '../../../lib/net/connection-limits.js';

describe('The connection limits', () => {
  let nowMs: number;
  let limits: { maxConnections: number; maxConnectionsPerClient: number };
  let reports: [string, number, string][];
  let connections: ConnectionLimits;

  beforeEach(() => {
    nowMs = 0;
    limits = { maxConnections: 3, maxConnectionsPerClient: 2 };
    reports = [];
    connections = new ConnectionLimits({
      limits: () => limits,
      now: () => nowMs,
      onRefused: (...report) => reports.push(report),
    });
  });

  const admit = (client: string): (() => void) | undefined => {
    const slot = connections.admit(client);
    if (slot === undefined) return undefined;
    const release = (): void => slot.release();
    if (slot.claim(client)) return release;
    release();
    return undefined;
  };

  it('hold for all connections together', () => {
    const release = ['a', 'b', 'c'].map(admit);
    expect(admit('d')).to.equal(undefined);
    release[0]?.();
    expect(admit('d')).not.to.equal(undefined);
    expect(connections.open).to.equal(3);
  });

  it('hold for each client', () => {
    const release = admit('a');
    admit('a');
    expect(admit('a')).to.equal(undefined);
    expect(connections.open).to.equal(2);
    release?.();
    expect(admit('a')).not.to.equal(undefined);
  });

  it('count a slot once, however often it is left', () => {
    const release = admit('a');
    release?.();
    release?.();
    expect(connections.open).to.equal(0);
    admit('a');
    admit('a');
    expect(admit('a')).to.equal(undefined);
  });

  it('count connections of unix sockets in the total only', () => {
    expect([admit(''), admit(''), admit('')]).not.to.include(undefined);
    expect(admit('')).to.equal(undefined);
  });

  it('may be changed while connections are open', () => {
    admit('a');
    admit('b');
    limits = { maxConnections: 1, maxConnectionsPerClient: 1 };
    expect(admit('c')).to.equal(undefined);
    expect(connections.open).to.equal(2);
  });

  it('are reported at most once a second, with how many were refused since', () => {
    limits = { maxConnections: 0, maxConnectionsPerClient: 0 };
    admit('a');
    nowMs = 999;
    admit('b');
    admit('c');
    nowMs = 1_000;
    admit('d');
    expect(reports).to.deep.equal([
      ['maxConnections', 1, 'a'],
      ['maxConnections', 3, 'd'],
    ]);
    expect(connections.refused).to.equal(4);
  });

  it('count what was let in, and what was refused by which limit', () => {
    ['a', 'a', 'a', 'b', 'c', 'd'].map(admit);
    expect(connections.admitted).to.equal(4);
    expect(connections.refusedOver).to.deep.equal({ maxConnections: 2, maxConnectionsPerClient: 1 });
    expect(connections.refused).to.equal(3);
  });
});
