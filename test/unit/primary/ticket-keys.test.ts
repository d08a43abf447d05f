import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { TicketKeys } from '../../../lib/primary/ticket-keys.js';

describe('The session-ticket keys', () => {
  it('are two of the 48 bytes that OpenSSL wants at first, this one and the next, and different for each program', () => {
    const one = new TicketKeys(() => undefined);
    const other = new TicketKeys(() => undefined);
    one.close();
    other.close();
    expect(one.current.map((key) => Buffer.from(key, 'base64').length)).to.deep.equal([48, 48]);
    expect(one.current).to.deep.equal(one.current);
    expect(one.current).not.to.deep.equal(other.current);
  });

  it('are replaced again and again, each being known before it is used and kept afterwards, and all are told when they are current', async () => {
    const told: { keys: readonly string[]; current: readonly string[] }[] = [];
    const thrice = defer<void>();
    const ticketKeys: TicketKeys = new TicketKeys((keys) => {
      told.push({ keys, current: ticketKeys.current });
      if (told.length === 3) thrice.resolve();
    }, 1);
    let [last = '', next = ''] = ticketKeys.current;
    const seen = new Set([last, next]);
    // The timer does not keep the process alive by itself.
    const alive = setInterval(() => undefined, 1_000);
    await thrice.promise;
    clearInterval(alive);
    ticketKeys.close();
    for (const { keys, current } of told) {
      const [, newest = ''] = keys;
      expect(keys).to.deep.equal(current);
      expect(keys).to.deep.equal([next, newest, last]);
      expect(Buffer.from(newest, 'base64')).to.have.length(48);
      seen.add(newest);
      [last, next] = [next, newest];
    }
    expect(seen.size).to.equal(told.length + 2);
  });

  it('stay as they are once closed', async () => {
    let rotations = 0;
    const closed = new TicketKeys(() => rotations++, 1);
    closed.close();
    // Another one of the same pace: by its third rotation the closed one would have had one.
    const seen = defer<void>();
    let others = 0;
    const other = new TicketKeys(() => {
      if (++others === 3) seen.resolve();
    }, 1);
    const alive = setInterval(() => undefined, 1_000);
    await seen.promise;
    clearInterval(alive);
    other.close();
    expect(rotations).to.equal(0);
  });
});
