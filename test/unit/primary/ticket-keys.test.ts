import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { TicketKeys } from '../../../lib/primary/ticket-keys.js';

describe('The session-ticket keys', () => {
  it('are the 48 bytes that OpenSSL wants, and different for each program', () => {
    const one = new TicketKeys(() => undefined);
    const other = new TicketKeys(() => undefined);
    one.close();
    other.close();
    expect(Buffer.from(one.current, 'base64')).to.have.length(48);
    expect(one.current).to.equal(one.current);
    expect(one.current).not.to.equal(other.current);
  });

  it('are replaced again and again, and each new one is told when it is current already', async () => {
    const told: { keys: string; current: string }[] = [];
    const thrice = defer<void>();
    const ticketKeys: TicketKeys = new TicketKeys((keys) => {
      told.push({ keys, current: ticketKeys.current });
      if (told.length === 3) thrice.resolve();
    }, 1);
    const first = ticketKeys.current;
    // The timer does not keep the process alive by itself.
    const alive = setInterval(() => undefined, 1_000);
    await thrice.promise;
    clearInterval(alive);
    ticketKeys.close();
    for (const { keys, current } of told) {
      expect(keys).to.equal(current);
      expect(Buffer.from(keys, 'base64')).to.have.length(48);
    }
    expect(new Set([first, ...told.map(({ keys }) => keys)]).size).to.equal(told.length + 1);
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
