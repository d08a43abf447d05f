import { expect } from 'chai';
import { FailedLogins } from '../../../lib/admin/failed-logins.js';
import { silentLogger, type LogFields } from '../../../lib/log/logger.js';

const CLIENT = '192.0.2.1';
const FREE = 4;

describe('failed logins', () => {
  let nowMs: number;
  let notices: (LogFields | undefined)[];
  let failed: FailedLogins;

  const open = (maxAddresses?: number): FailedLogins =>
    new FailedLogins({
      log: { ...silentLogger, notice: (_, fields) => notices.push(fields) },
      now: () => nowMs,
      ...(maxAddresses !== undefined && { maxAddresses }),
    });
  const failTimes = (count: number, client = CLIENT): void => {
    for (let i = 0; i < count; i++) failed.fail(client);
  };

  beforeEach(() => {
    nowMs = 1_000_000;
    notices = [];
    failed = open();
  });

  it('are free for a few times, and hold nobody else', () => {
    failTimes(FREE);
    expect(failed.heldMs(CLIENT)).to.equal(0);
    failTimes(1);
    expect(failed.heldMs(CLIENT)).to.equal(1_000);
    expect(failed.heldMs('192.0.2.2')).to.equal(0);
  });

  it('hold twice as long each time, up to a minute', () => {
    failTimes(FREE);
    const holds = Array.from({ length: 8 }, () => {
      failTimes(1);
      const heldMs = failed.heldMs(CLIENT);
      nowMs += heldMs;
      expect(failed.heldMs(CLIENT), 'the hold is over').to.equal(0);
      return heldMs / 1_000;
    });
    expect(holds).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('are forgotten with a right password', () => {
    failTimes(FREE + 3);
    expect(failed.succeed(CLIENT)).to.equal(FREE + 3);
    expect(failed.heldMs(CLIENT)).to.equal(0);
    failTimes(FREE);
    expect(failed.heldMs(CLIENT)).to.equal(0);
    expect(failed.succeed('192.0.2.2')).to.equal(0);
  });

  it('are forgotten ten minutes after the last hold', () => {
    failTimes(FREE + 1);
    nowMs += 1_000 + 599_000;
    expect(failed.failures(CLIENT)).to.equal(FREE + 1);
    nowMs += 2_000;
    expect(failed.failures(CLIENT)).to.equal(0);
  });

  it('never hold the empty address, which many clients share', () => {
    failTimes(100, '');
    expect([failed.heldMs(''), failed.failures('')]).to.deep.equal([0, 0]);
    expect(notices).to.deep.equal([]);
  });

  it('are remembered of a bounded number of addresses', () => {
    failed = open(2);
    for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) failTimes(FREE + 1, client);
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((client) => failed.heldMs(client))).to.deep.equal([
      0, 1_000, 1_000,
    ]);
  });

  it('are said once for each step of an address', () => {
    failTimes(FREE + 20);
    expect(notices.map((fields) => fields?.['seconds'])).to.deep.equal([1, 2, 4, 8, 16, 32, 60]);
    expect(notices[0]).to.deep.equal({ client: CLIENT, failures: 5, seconds: 1 });
  });

  it('are said ten times a minute at most, and then how many were left out', () => {
    for (let i = 0; i < 30; i++) failTimes(FREE + 1, `192.0.2.${i}`);
    expect(notices).to.have.length(10);
    nowMs += 60_000;
    failTimes(FREE + 1, '198.51.100.1');
    failTimes(FREE + 1, '198.51.100.2');
    expect(notices.slice(10)).to.deep.equal([
      { client: '198.51.100.1', failures: 5, seconds: 1, noticesLeftOut: 20 },
      { client: '198.51.100.2', failures: 5, seconds: 1 },
    ]);
  });
});
