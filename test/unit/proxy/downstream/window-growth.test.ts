import { expect } from 'chai';
import { WindowGrowth } from '../../../../lib/proxy/downstream/window-growth.js';

const MIB = 1024 ** 2;
const PIECE_BYTES = 16_384;

/** Takes so much within so long, and returns all windows that come of it. */
function take(growth: WindowGrowth, bytes: number, fromMs: number, durationMs: number): number[] {
  const pieces = bytes / PIECE_BYTES;
  return Array.from({ length: pieces }, (_, i) =>
    growth.onTaken(PIECE_BYTES, fromMs + (durationMs * i) / pieces),
  ).filter((window) => window !== undefined);
}

describe('The growth of a receive window', () => {
  const start = (roundTripMs?: number): WindowGrowth => {
    const growth = new WindowGrowth({ startBytes: MIB, limitBytes: 8 * MIB });
    if (roundTripMs !== undefined) growth.onRoundTrip(roundTripMs);
    return growth;
  };

  it('comes of half a window within a round trip', () => {
    expect(take(start(100), MIB / 2, 0, 99)).to.deep.equal([4 * MIB]);
  });

  it('does not come of a sender that takes longer for it, however much it sends', () => {
    expect(take(start(100), 64 * MIB, 0, 64 * 250)).to.deep.equal([]);
  });

  it('goes on with the larger window, up to its limit', () => {
    expect(take(start(100), 64 * MIB, 0, 500)).to.deep.equal([4 * MIB, 8 * MIB]);
  });

  it('waits for a round trip to be known, and goes by the shortest', () => {
    expect(take(start(), 64 * MIB, 0, 100)).to.deep.equal([]);
    const growth = start(1_000);
    growth.onRoundTrip(10);
    growth.onRoundTrip(1_000);
    expect(take(growth, MIB, 0, 100)).to.deep.equal([]);
  });

  it('begins to count anew after a silence', () => {
    const growth = start(100);
    expect(take(growth, MIB / 4, 0, 50)).to.deep.equal([]);
    expect(take(growth, MIB / 4, 10_000, 50)).to.deep.equal([]);
    expect(take(growth, MIB / 4, 10_060, 30)).to.deep.equal([4 * MIB]);
  });
});
