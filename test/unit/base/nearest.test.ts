import { expect } from 'chai';
import { didYouMean, distance, nearest } from '../../../lib/base/nearest.js';

describe('distance', () => {
  const cases: [a: string, b: string, mistakes: number, what: string][] = [
    ['', '', 0, 'two empty words'],
    ['', 'abc', 3, 'a word and nothing'],
    ['listen', 'listen', 0, 'a word and itself'],
    ['lisen', 'listen', 1, 'a letter left out'],
    ['listten', 'listen', 1, 'a letter too many'],
    ['lisden', 'listen', 1, 'a letter replaced'],
    ['strat', 'start', 1, 'two letters swapped'],
    ['ca', 'abc', 3, 'a swap with a letter put between, which counts for itself'],
    ['kitten', 'sitting', 3, 'several mistakes'],
  ];
  for (const [a, b, mistakes, what] of cases) {
    it(`counts ${mistakes} for ${what}, either way round`, () => {
      expect([distance(a, b), distance(b, a)]).to.deep.equal([mistakes, mistakes]);
    });
  }
});

describe('nearest', () => {
  const NAMES = ['listen', 'http-listen', 'log-file', 'log-level', 'via', 'hsts', 'start'];
  const cases: [word: string, found: string | undefined][] = [
    ['lisen', 'listen'],
    ['LISTEN', 'listen'],
    ['httplisten', 'http-listen'],
    ['log-fiel', 'log-file'],
    ['log-lvl', 'log-level'],
    ['vai', 'via'],
    ['strat', 'start'],
    ['stop', undefined],
    ['bogus', undefined],
    ['v', undefined],
    ['', undefined],
    ['x'.repeat(1_000_000), undefined],
  ];
  for (const [word, found] of cases) {
    it(`takes ${JSON.stringify(word.slice(0, 12))} for ${found ?? 'none of the names'}`, () => {
      expect(nearest(word, NAMES)).to.equal(found);
    });
  }

  it('takes the nearer one of two, and the first of two that are equally near', () => {
    expect(nearest('log-filel', ['log-level', 'log-file'])).to.equal('log-file');
    expect(nearest('aaax', ['aaab', 'aaac'])).to.equal('aaab');
  });

  it('ends a sentence with a question, or with nothing', () => {
    expect(didYouMean('strat', NAMES)).to.equal(': did you mean start?');
    expect(didYouMean('bogus', NAMES)).to.equal('');
  });
});
