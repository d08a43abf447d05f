import { expect } from 'chai';
import { TakeWatch } from '../../../lib/net/take-watch.js';
import { HeldSocket } from '../../support/held-socket.js';

/** As many as there are in a time-out. */
const LOOKS = 4;
/** A stream of several, of which this waits. */
const STREAM_BYTES = 100;

describe('The watch over who takes what waits for it', () => {
  let socket: HeldSocket;
  let watch: TakeWatch;
  beforeEach(() => {
    socket = new HeldSocket();
    socket.write(Buffer.alloc(1_000));
    watch = new TakeWatch(socket);
  });

  /** How many looks find that it goes on, of so many at most, before each of which something happens. */
  function looks(most: number, before: () => void = () => undefined, streamBytes?: () => number): number {
    for (let count = 0; count < most; count += 1) {
      before();
      if (watch.look(streamBytes?.())) return count;
    }
    return most;
  }

  it('gives up one that takes nothing for a time-out', () => {
    expect(looks(100)).to.equal(LOOKS);
  });

  it('lets one go on that takes a byte at a time, until it takes no more', () => {
    expect(looks(100, () => socket.takeOut(1))).to.equal(100);
    expect(looks(100)).to.equal(LOOKS - 1);
  });

  it('lets one go on that takes a byte in each time-out', () => {
    let count = 0;
    expect(looks(100, () => count++ % LOOKS === 0 && socket.takeOut(1))).to.equal(100);
  });

  it('gives up one where Node does not tell', () => {
    const silent = new HeldSocket();
    Object.assign(silent, { _handle: undefined });
    watch = new TakeWatch(silent);
    expect(looks(100)).to.equal(LOOKS - 1);
  });

  it('lets a stream go on of which some is taken', () => {
    let left = 1_000;
    socket.takeOut();
    expect(
      looks(
        100,
        () => undefined,
        () => (left -= 1),
      ),
    ).to.equal(100);
  });

  it('lets a stream go on that waits for its turn on a connection that takes little', () => {
    expect(
      looks(
        100,
        () => socket.takeOut(1),
        () => STREAM_BYTES,
      ),
    ).to.equal(100);
  });

  it('gives a stream up after some time-outs of which nothing is taken, while others go on', () => {
    socket.takeOut();
    const other = (): void => {
      socket.write('x');
      socket.takeOut();
    };
    expect(looks(100, other, () => STREAM_BYTES)).to.equal(4 * LOOKS);
  });

  it('gives a stream up after a time-out where nothing else goes on either', () => {
    socket.takeOut();
    expect(
      looks(
        100,
        () => undefined,
        () => STREAM_BYTES,
      ),
    ).to.equal(LOOKS);
  });
});
