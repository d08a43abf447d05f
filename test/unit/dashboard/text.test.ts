import { expect } from 'chai';
import {
  bytesText,
  countText,
  listText,
  percentText,
  rateText,
  tookText,
} from '../../../lib/dashboard/text.js';

describe('The numbers of the dashboard', () => {
  const cases = [
    [countText(0), '0'],
    [countText(0.004), '<0.01'],
    [countText(0.25), '0.25'],
    [countText(4.26), '4.3'],
    [countText(184.4), '184'],
    [countText(9_999), '9999'],
    [countText(12_400), '12.4k'],
    [countText(31_000_000), '31.0M'],
    [countText(NaN), '–'],
    [rateText(0), '0/s'],
    [rateText(1.5), '1.5/s'],
    [tookText(undefined), '–'],
    [tookText(0.02), '<0.1 ms'],
    [tookText(1.24), '1.2 ms'],
    [tookText(120), '120 ms'],
    [percentText(0), '0 %'],
    [percentText(0.0004), '<0.1 %'],
    [percentText(0.9996), '>99.9 %'],
    [percentText(0.5), '50 %'],
    [percentText(1), '100 %'],
    [bytesText(900), '900 B'],
    [bytesText(1_572_864), '1.5 MiB'],
    [listText([]), ''],
    [listText(['a', 'b', 'c']), 'a, b and c'],
  ] as const;
  for (const [text, wanted] of cases)
    it(`are written like ${wanted === '' ? 'nothing' : wanted}`, () => expect(text).to.equal(wanted));
});
