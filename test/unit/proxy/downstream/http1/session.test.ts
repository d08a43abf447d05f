/**
 * The end of a response that goes out slowly, on a connection that takes as much as the test says.
 */
import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import type { ConnectionInfo } from '../../../../../lib/net/connection-info.js';
import type { TickClock } from '../../../../../lib/base/tick-clock.js';
import { ClientConnection } from '../../../../../lib/proxy/downstream/client-connection.js';
import { Http1Session } from '../../../../../lib/proxy/downstream/http1/session.js';
import { HeldSocket } from '../../../../support/held-socket.js';

const LIMITS = { maxHeaderBytes: 16_384, headerTimeoutMs: 1, idleTimeoutMs: 1, bodyTimeoutMs: 400 };

/** A connection that has been given all of a response. */
async function answered(): Promise<{ socket: HeldSocket; session: Http1Session }> {
  const socket = new HeldSocket();
  const session = new Http1Session(
    {
      clock: { after: (ms: number) => ms } as unknown as TickClock,
      draining: 'no',
      onRequest: ({ client }) => client.send(200, 'x'.repeat(1_000), {}),
      onRefusal: () => undefined,
      onClosed: () => undefined,
    },
    new ClientConnection(socket.asSocket, {} as ConnectionInfo, socket.asSocket),
    LIMITS,
  );
  session.begin();
  socket.push('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await turn();
  return { socket, session };
}

describe('A connection on HTTP/1.1 whose response has ended', () => {
  it('stays while its client takes a byte of it at a time', async () => {
    const { socket, session } = await answered();
    for (let look = 0; look < 100; look += 1) {
      socket.takeOut(1);
      expect(session.deadline).to.equal(100);
      session.expire();
    }
    expect(socket.destroyed).to.equal(false);
    socket.takeOut();
    await turn();
    // It waits for the next request.
    expect(session.deadline).to.equal(LIMITS.idleTimeoutMs);
  });

  it('is closed when its client has taken nothing for the time-out', async () => {
    const { socket, session } = await answered();
    let looks = 0;
    for (; !socket.destroyed && looks < 100; looks += 1) session.expire();
    expect(looks * 100).to.be.within(LIMITS.bodyTimeoutMs, 1.25 * LIMITS.bodyTimeoutMs);
  });
});
