import { expect } from 'chai';
import { expiryMarks } from '../../../lib/dashboard/expiry.js';
import { Numbers } from '../../../lib/dashboard/frame.js';
import { NOW_MS, status } from './frames.js';

const DAY_MS = 86_400_000;

describe('The marks of when certificates end', () => {
  it('say of one that is not valid yet when it will be, and are bad for it as for one that has ended', () => {
    const outdated = [
      { name: 'old.test', tier: 'redis' as const, notAfterMs: NOW_MS - DAY_MS },
      {
        ...{ name: 'early.test', tier: 'redis' as const },
        ...{ notBeforeMs: NOW_MS + DAY_MS, notAfterMs: NOW_MS + 90 * DAY_MS },
      },
    ];
    const certificates = { expiring: [], expiringCount: 0, outdated, outdatedCount: 2 };
    const marks = expiryMarks(status({ certificates }), new Numbers([]));
    expect(marks.map(({ name, level }) => `${name} ${level}`)).to.deep.equal([
      'old.test bad',
      'early.test bad',
    ]);
    expect(marks[0]?.says).to.match(/^ended 24 h ago \(.*\), from Redis$/);
    expect(marks[1]?.says).to.match(/^not valid for 24 h more \(before .*\), from Redis$/);
  });
});
