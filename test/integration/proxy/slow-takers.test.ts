/**
 * A client that takes nothing must not make the proxy keep what its backend sends.
 */
import { expect } from 'chai';
import { startBackend } from '../../support/backend.js';
import { eventually } from '../../support/eventually.js';
import { startFront } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';

/** Less than what is written at once. */
const PIECE = Buffer.alloc(8_192, 'x');
/** More than what sockets hold on the way. */
const MAX_PIECES = 8_192;

describe('A client that takes nothing', () => {
  for (const [what, fields] of [
    ['in chunks', {}],
    ['of a length', { 'content-length': String(PIECE.length * MAX_PIECES) }],
  ] as const) {
    it(`holds up a backend that sends small pieces ${what}, and is given up`, async () => {
      let sent = 0;
      let isHeldUp = false;
      let isGone = false;
      await using backend = await startBackend((_, response) => {
        response.writeHead(200, fields);
        response.on('close', () => (isGone = true));
        // One piece a turn: none of them is seen together with another.
        const next = (): void => {
          if (response.destroyed || sent === MAX_PIECES) return;
          sent += 1;
          if (response.write(PIECE)) setImmediate(next);
          else {
            isHeldUp = true;
            response.once('drain', () => setImmediate(next));
          }
        };
        next();
      });
      await using front = await startFront({ backends: [backend.url], limits: { bodyTimeoutMs: 300 } });
      using client = await RawClient.connect(front.port, 'a.test');
      client.socket.pause();
      client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      await eventually('the backend knows', () => isGone);
      expect(isHeldUp).to.equal(true);
      expect(sent).to.be.below(MAX_PIECES);
      expect(front.log.map(({ fields: { reason } }) => reason)).to.deep.equal([
        'the client takes no more of the response',
      ]);
    });
  }
});
