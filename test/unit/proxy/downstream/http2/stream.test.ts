import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { Output } from '../../../../../lib/proxy/downstream/http2/output.js';
import { Http2Stream, type StreamOwner } from '../../../../../lib/proxy/downstream/http2/stream.js';

const KIB = 1_024;

/** A stream of a request without a body. @param sendWindow of both the stream and its connection. */
function streamOf(sendWindow: number): { stream: Http2Stream; drains: () => number } {
  const nothing = (): void => undefined;
  const owner: StreamOwner = {
    output: new Output(new PassThrough().resume() as unknown as Socket, () => true, nothing),
    ...{ receiveWindow: 65_535, sendWindow: 1_024 * KIB, sentBytes: 0 },
    ...{ spend: nothing, sendFields: nothing, onWaiting: nothing, onHeld: nothing },
    ...{ onBodyWanted: nothing, onPriorityAnswered: nothing, stop: nothing, onClosed: nothing },
  };
  const stream = new Http2Stream(1, owner, sendWindow, {
    ...{ hasBody: false, length: undefined, awaitsContinue: false, isForTunnel: false },
  });
  let drains = 0;
  stream.writer = { headersSent: true, drained: () => (drains += 1), sent: nothing, close: nothing };
  return { stream, drains: () => drains };
}

describe('A stream of our HTTP/2 engine', () => {
  it('that has told its writer to wait says so again of what is written until it has drained', () => {
    const { stream, drains } = streamOf(0);
    expect(stream.write(Buffer.alloc(64 * KIB), false)).to.equal(false);
    stream.sendWindow = 16 * KIB;
    stream.sendSome();
    expect(drains()).to.equal(0);
    // As an HTTP/2 backend does, whose frames had been read already.
    expect(stream.write(Buffer.alloc(KIB), false)).to.equal(false);
    stream.sendWindow = 64 * KIB;
    for (let i = 0; i < 4; i++) stream.sendSome();
    expect(drains()).to.equal(1);
    expect(stream.waitingBytes).to.equal(0);
    expect(stream.write(Buffer.alloc(KIB), false)).to.equal(true);
  });

  it('that waits for its turn is not one whose client takes nothing', () => {
    const { stream } = streamOf(0);
    stream.write(Buffer.alloc(KIB), false);
    stream.end([]);
    const looks = (): boolean[] => Array.from({ length: 5 }, () => stream.look(4));
    stream.sendWindow = 64 * KIB;
    expect(looks()).to.deep.equal([false, false, false, false, false]);
    stream.sendWindow = 0;
    expect(looks()).to.deep.equal([false, false, false, true, true]);
  });
});
