/**
 * What is true of any message, tried with some thousands of random ones: the same ones each time.
 */
import { isReadInOneWay, isWrittenAsRead, readsAsMade } from '../../../../support/http1-properties.js';
import { isReadAsGiven } from '../../../../support/http1-response-properties.js';
import { expect } from 'chai';
import { SeededRandom } from '../../../../support/truth-random.js';

const RUNS = 3_000;

function forEachSeed(check: (random: SeededRandom) => void): void {
  for (let seed = 1; seed <= RUNS; seed++) {
    try {
      check(new SeededRandom(seed));
    } catch (thrown) {
      throw new Error(`seed ${seed}: ${String(thrown)}`, { cause: thrown });
    }
  }
}

describe('Any request of a client', () => {
  it('is read as it was written, in whatever pieces it comes', () => forEachSeed(readsAsMade));

  it('reaches the backend as the same request', () => forEachSeed(isWrittenAsRead));

  it('of which some octets are changed is one request to everybody, or none', () => {
    let accepted = 0;
    forEachSeed((random) => (accepted += isReadInOneWay(random).accepted));
    // Else nothing was tried.
    expect(accepted).to.be.above(RUNS / 4);
  });
});

describe('Any response', () => {
  it('is read by a client as it was given, or is seen not to be whole', () => {
    let cut = 0;
    forEachSeed((random) => {
      if (isReadAsGiven(random).isCut) cut += 1;
    });
    expect(cut).to.be.within(RUNS / 20, RUNS / 2);
  });
});
