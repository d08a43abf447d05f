import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import {
  SessionMeter,
  type ClosedStream,
} from '../../../../../lib/proxy/downstream/http2-node/session-meter.js';
import { stopUpload } from '../../../../../lib/proxy/downstream/http2-node/stopped-uploads.js';

const MIB = 1024 ** 2;

/** A meter, and its second hand. */
class Stage {
  readonly socket = { bytesRead: 0, bytesWritten: 0 };
  readonly session = Object.assign(new EventEmitter(), { destroyed: false });
  spent = 0;
  readonly meter: SessionMeter;
  #nowMs = 0;

  constructor() {
    this.meter = new SessionMeter(this.session as unknown as ServerHttp2Session, {
      socket: this.socket,
      now: () => this.#nowMs,
      onSpent: () => (this.spent += 1),
    });
  }

  /** Does something each second for a minute, and returns after how many of them the budget is spent. */
  run(eachSecond: () => void): number {
    for (let second = 1; second <= 60; second++) {
      this.#nowMs = second * 1_000;
      eachSecond();
      this.meter.onTick();
      if (this.spent > 0) return second;
    }
    return Infinity;
  }
}

/** What the meter looks at of a stream that is closed. */
const closed = (stream: Partial<ClosedStream>): ClosedStream => ({
  ...{ aborted: false, rstCode: 0, errored: null, readableEnded: true, endAfterHeaders: false },
  ...stream,
});

describe('The meter of an HTTP/2 session', () => {
  const IN_VAIN: [what: string, eachSecond: (stage: Stage) => void, within: number][] = [
    ['80,000 WINDOW_UPDATE a second', ({ socket }) => (socket.bytesRead += 80_000 * 13), 4],
    [
      'DATA of a byte, padded with 255',
      ({ socket, meter }) => {
        socket.bytesRead += 5_000 * 266;
        for (let i = 0; i < 5_000; i++) meter.onPiece(1);
      },
      3,
    ],
    [
      'DATA of a byte',
      ({ socket, meter }) => {
        socket.bytesRead += 80_000 * 10;
        for (let i = 0; i < 80_000; i++) meter.onPiece(1);
      },
      3,
    ],
    ['100,000 PINGs a second', ({ session }) => emit(session, 'ping', 100_000), 1],
    ['100,000 SETTINGS a second', ({ session }) => emit(session, 'remoteSettings', 100_000), 1],
    [
      'resets with any code',
      ({ meter }) => each(500, () => meter.onStreamClose(closed({ rstCode: 1 }), MIB)),
      1,
    ],
    [
      'resets that look like none',
      ({ meter }) => each(500, () => meter.onStreamClose(closed({ aborted: true }), MIB)),
      1,
    ],
    ['heads above the limit', ({ meter }) => each(2_000, () => meter.onRefusedHead()), 1],
  ];
  for (const [what, eachSecond, within] of IN_VAIN) {
    it(`stops ${what}, once`, () => {
      const stage = new Stage();
      expect(stage.run(() => eachSecond(stage))).to.be.at.most(within);
      eachSecond(stage);
      stage.meter.onTick();
      expect(stage.spent).to.equal(1);
    });
  }

  const WELL_MEANT: [what: string, eachSecond: (stage: Stage) => void][] = [
    [
      'a download of 1 GB a second, two WINDOW_UPDATE for each DATA',
      ({ socket }) => {
        socket.bytesWritten += 1e9;
        socket.bytesRead += (1e9 / 16_384) * 26;
      },
    ],
    [
      'an upload in frames of 100 bytes, half of them padded by 12',
      ({ socket, meter }) => {
        socket.bytesRead += 20_000 * (9 + 100 + 6);
        each(20_000, () => meter.onPiece(100));
      },
    ],
    [
      '20,000 messages of gRPC each way, of 5 bytes',
      ({ socket, meter }) => {
        socket.bytesRead += 20_000 * 14;
        socket.bytesWritten += 20_000 * 14;
        each(20_000, () => meter.onPiece(5));
      },
    ],
    [
      '30,000 messages of a chat through a tunnel, each in three frames of 2, 4 and 1 byte',
      ({ socket, meter }) => {
        socket.bytesRead += 30_000 * (3 * 9 + 2 + 4 + 1);
        for (const bytes of [2, 4, 1]) each(30_000, () => meter.onPiece(bytes, true));
      },
    ],
    [
      '10,000 requests a second, with priorities',
      ({ socket, meter }) => {
        socket.bytesRead += 10_000 * (400 + 50);
        each(10_000, () => {
          meter.onHead(400, 20);
          meter.onStreamClose(closed({}), MIB);
        });
      },
    ],
    [
      'uploads that backends refuse, with what was on the way',
      ({ socket, meter }) => {
        meter.onHead(200, 10);
        meter.onStreamClose(closed({ readableEnded: false }), 4 * MIB);
        socket.bytesRead += 300 + 4 * MIB;
      },
    ],
    [
      'uploads that were answered before they had ended, of which Node says that they have',
      ({ socket, meter }) => {
        const stream = { ...closed({}), close: () => undefined };
        stopUpload(stream);
        meter.onHead(200, 10);
        meter.onStreamClose(stream, 4 * MIB);
        socket.bytesRead += 300 + 4 * MIB;
      },
    ],
    [
      'streams that we have cut ourselves',
      ({ meter }) =>
        each(1_000, () =>
          meter.onStreamClose(
            closed({ aborted: true, rstCode: 2, errored: new Error('the response is cut') }),
            0,
          ),
        ),
    ],
  ];
  for (const [what, eachSecond] of WELL_MEANT) {
    it(`lets ${what} go on`, () => {
      const stage = new Stage();
      expect(stage.run(() => eachSecond(stage))).to.equal(Infinity);
    });
  }

  it('pays for no streams that end with their session', () => {
    const stage = new Stage();
    stage.session.destroyed = true;
    each(5_000, () => stage.meter.onStreamClose(closed({ aborted: true }), 0));
    expect(stage.spent).to.equal(0);
  });
});

function each(count: number, what: () => void): void {
  for (let i = 0; i < count; i++) what();
}

function emit(emitter: EventEmitter, event: string, count: number): void {
  each(count, () => emitter.emit(event));
}
