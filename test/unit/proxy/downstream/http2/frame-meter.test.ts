import { expect } from 'chai';
import { FrameMeter } from '../../../../../lib/proxy/downstream/http2/frame-meter.js';
import { FrameType } from '../../../../../lib/proxy/http2/frames.js';
import type { DecodedBlock } from '../../../../../lib/proxy/http2/hpack/decoder.js';

const { data, ping, priority, settings, windowUpdate } = FrameType;
const BLOCK: DecodedBlock = {
  ...{ fields: [], isOverLimit: false, fieldCount: 8, listBytes: 600, emptyNames: 0, neverIndexedNames: [] },
};

/** How many times something may be done within a moment. */
function timesOf(act: (meter: FrameMeter) => boolean, most = 2_000_000): number {
  const meter = new FrameMeter(() => 0);
  let times = 0;
  while (times < most && act(meter)) times += 1;
  return times;
}

describe('What a client makes us do on HTTP/2', () => {
  const floods: readonly (readonly [what: string, act: (meter: FrameMeter) => boolean, most: number])[] = [
    ['PING', (meter) => meter.onFrame(ping, 8), 25_000],
    ['SETTINGS', (meter) => meter.onFrame(settings, 0), 12_500],
    ['WINDOW_UPDATE for nothing', (meter) => meter.onFrame(windowUpdate, 4), 200_000],
    ['PRIORITY', (meter) => meter.onFrame(priority, 5), 185_000],
    ['empty DATA', (meter) => meter.onFrame(data, 0) && meter.onData(0, 0, false), 41_000],
    ['DATA of one octet', (meter) => meter.onData(1, 0, false), 150_000],
    ['padding', (meter) => meter.onData(1, 255, false), 9_400],
    ['resets', (meter) => meter.onReset(), 400],
    ['heads above the limit', (meter) => meter.onRefusedHead(), 1_000],
    ['heads out of a table', (meter) => meter.onBlock({ ...BLOCK, listBytes: 250_000 }, 100), 525],
    ['fields without a name', (meter) => meter.onBlock({ ...BLOCK, emptyNames: 4_000 }, 4_000), 20],
  ];
  for (const [what, act, most] of floods)
    it(`is bounded: ${what}`, () => expect(timesOf(act)).to.be.within(most * 0.9, most * 1.1));

  const ordinary: readonly (readonly [what: string, act: (meter: FrameMeter) => boolean])[] = [
    ['a request', (meter) => meter.onBlock(BLOCK, 100) && meter.onFrame(priority, 5)],
    [
      'a download with two WINDOW_UPDATE for each DATA',
      (meter) => {
        meter.onSent(16_384);
        return meter.onFrame(windowUpdate, 4) && meter.onFrame(windowUpdate, 4);
      },
    ],
    ['an upload', (meter) => meter.onFrame(data, 16_384) && meter.onData(16_384, 0, false)],
    ['an upload with a little padding', (meter) => meter.onData(16_000, 255, false)],
    ['a short last piece', (meter) => meter.onData(1, 0, true)],
  ];
  for (const [what, act] of ordinary)
    it(`costs nothing: ${what}`, () => expect(timesOf(act, 500_000)).to.equal(500_000));

  it('is paid for again with time, and told with its counts', () => {
    let nowMs = 0;
    const meter = new FrameMeter(() => nowMs);
    for (let i = 0; i < 400; i++) expect(meter.onReset()).to.equal(true);
    expect(meter.onReset()).to.equal(false);
    nowMs = 1_000;
    expect(meter.onReset()).to.equal(true);
    expect(meter.counts).to.deep.equal({ reset: 402 });
  });
});
