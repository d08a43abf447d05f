import { expect } from 'chai';
import { durationText } from '../../../lib/base/duration-text.js';

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;
const D = 24 * H;

describe('a duration as text', () => {
  const cases: readonly (readonly [ms: number, text: string])[] = [
    [-5, '0 ms'],
    [0, '0 ms'],
    [0.4, '0 ms'],
    [849.6, '850 ms'],
    [999.4, '999 ms'],
    [999.7, '1 s'],
    [1_000, '1 s'],
    [1_500, '1.5 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [12_400, '12 s'],
    [59 * S, '59 s'],
    [59.6 * S, '1 min'],
    [MIN, '1 min'],
    [9 * MIN + 30 * S, '9 min 30 s'],
    [10 * MIN, '10 min'],
    [59 * MIN + 20 * S, '59 min'],
    [59 * MIN + 40 * S, '1 h'],
    [H, '1 h'],
    [3 * H + 5 * MIN, '3 h 5 min'],
    [9 * H + 59 * MIN + 50 * S, '10 h'],
    [10 * H, '10 h'],
    [24 * H, '24 h'],
    [71 * H, '71 h'],
    [72 * H, '3 d'],
    [41 * D, '41 d'],
    [Infinity, 'for ever'],
  ];
  for (const [ms, text] of cases) {
    it(`${ms} ms is ${text}`, () => expect(durationText(ms)).to.equal(text));
  }
});
