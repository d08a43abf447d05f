import { expect } from 'chai';
import { ReceiveWindow } from '../../../../../lib/proxy/downstream/http2/receive-window.js';

const MIB = 1_048_576;

describe('The receive windows of our engine', () => {
  it('take 4 MiB on a connection, and no more', () => {
    const window = new ReceiveWindow();
    expect(window.onData(4 * MIB)).to.equal(true);
    expect(window.onData(1)).to.equal(false);
  });

  it('are opened by what came, a quarter at the least, taken or not', () => {
    const window = new ReceiveWindow();
    window.onData(MIB - 1);
    expect(window.credit()).to.equal(0);
    window.onData(1);
    window.onHeld(MIB);
    expect(window.credit()).to.equal(MIB);
    expect(window.credit()).to.equal(0);
  });

  it('are not opened while more is held than a window of a stream and 3 MiB', () => {
    const window = new ReceiveWindow();
    window.onData(4 * MIB);
    window.onHeld(4 * MIB);
    expect(window.credit()).to.equal(0);
    window.onHeld(-1);
    expect(window.credit()).to.equal(4 * MIB);
  });

  it('grow once when a line carries half a window in a round trip, and stay so', () => {
    const window = new ReceiveWindow();
    expect(window.grow(0)).to.equal(undefined);
    window.onRoundTrip(100);
    window.onData(MIB);
    expect(window.grow(0)).to.deep.equal({ streamBytes: 4 * MIB, moreBytes: 4 * MIB });
    expect(window.streamBytes).to.equal(4 * MIB);
    window.onData(4 * MIB);
    expect(window.grow(1)).to.equal(undefined);
    expect(window.onData(3 * MIB)).to.equal(true);
    expect(window.onData(1)).to.equal(false);
  });

  it('do not grow by what is held', () => {
    const window = new ReceiveWindow();
    window.onRoundTrip(100);
    window.onData(MIB);
    window.onHeld(MIB);
    expect(window.grow(0)).to.equal(undefined);
  });
});
