/**
 * A request that a backend takes as much of as the test says.
 */
import { expect } from 'chai';
import {
  Http1Connection,
  type Http1ConnectionOwner,
} from '../../../../../lib/proxy/upstream/http1/connection.js';
import { Http1Request } from '../../../../../lib/proxy/upstream/http1/request.js';
import type { UpstreamBody, UpstreamBodySink } from '../../../../../lib/proxy/upstream/upstream.js';
import { HeldSocket } from '../../../../support/held-socket.js';
import { Recorder } from '../../../../support/raw-upstream.js';

const LOOK = 1;
const ANSWER = 2;
const OWNER: Http1ConnectionOwner = {
  ...{ connectDeadline: 0, headersDeadline: ANSWER, lookDeadline: LOOK, bodyDeadline: 0 },
  idleDeadline: () => undefined,
  onReady: () => undefined,
  onFree: () => undefined,
  onClosed: () => undefined,
};

class Body implements UpstreamBody {
  sink: UpstreamBodySink | undefined;
  isPaused = false;

  start(sink: UpstreamBodySink): void {
    this.sink = sink;
    sink.onBodyPiece(Buffer.alloc(100_000));
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  stop(): void {
    this.sink = undefined;
  }
  release(): void {
    // Its memory is not used again.
  }
}

describe('An upload to a backend on HTTP/1.1', () => {
  let socket: HeldSocket;
  let body: Body;
  let recorder: Recorder;
  let connection: Http1Connection;
  beforeEach(() => {
    socket = new HeldSocket();
    body = new Body();
    recorder = new Recorder();
    const message = { method: 'POST', path: '/', host: 'a.test', headers: [], body };
    const head = { text: 'POST / HTTP/1.1\r\n\r\n', bodyBytes: undefined };
    connection = new Http1Connection(
      OWNER,
      () => socket.asSocket,
      'connect',
      new Http1Request(message, head, recorder),
    );
    socket.emit('connect');
  });

  /** How often it is looked at until the request is given up, at most. */
  function looks(most: number, before: () => void = () => undefined): number {
    for (let count = 0; count < most; count += 1) {
      before();
      connection.expire();
      if (recorder.error !== undefined) return count;
    }
    return most;
  }

  it('goes on while the backend takes a byte of it at a time, and ends when it takes no more', async () => {
    expect(looks(100, () => socket.takeOut(1))).to.equal(100);
    expect([body.isPaused, connection.deadline]).to.deep.equal([true, LOOK]);
    expect(looks(100)).to.equal(3);
    expect((await recorder.over).error?.timeout).to.equal('backend-headers-timeout');
  });

  it('that all waits is not over for the backend before it has taken the end of it', async () => {
    body.sink?.onBodyEnd([]);
    expect(connection.deadline).to.equal(LOOK);
    expect(looks(100, () => socket.takeOut(1))).to.equal(100);
    while (socket.writableLength > 0) socket.takeOut();
    expect(looks(1)).to.equal(1);
    // From now on its answer is waited for.
    expect(connection.deadline).to.equal(ANSWER);
    connection.expire();
    expect((await recorder.over).error?.timeout).to.equal('backend-headers-timeout');
  });
});
