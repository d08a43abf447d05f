import { expect } from 'chai';
import { changedPriority, readPriority, UNSAID_PRIORITY } from '../../../../lib/proxy/http2/priority.js';

describe('The priority of a response', () => {
  const said: readonly (readonly [value: string, urgency: number, isIncremental: boolean])[] = [
    // RFC 9218 §4 and §5.
    ['u=0', 0, false],
    ['u=5, i', 5, true],
    ['u=7', 7, false],
    // As Chromium, Firefox and Safari send it.
    ['u=1, i', 1, true],
    ['i', 3, true],
    ['u=0, i', 0, true],
    // Structured fields (RFC 8941 §3.2): order, blanks, parameters, one that comes again, members that nobody knows.
    ['i,u=2', 2, true],
    ['u=2,\ti ', 2, true],
    ['u=2;x="a,b";y, i;z=1', 2, true],
    ['u=2, u=6', 6, false],
    ['i, i=?0', 3, false],
    ['i=?1', 3, true],
    ['a="1, u=0", b=:aGk=:, u=4, *x.y-z_9=tok', 4, false],
    ['a=(1 "2," 3);q, u=4', 4, false],
    // What is out of its range, or of another type, says nothing of that one (§4).
    ['u=8, i', 3, true],
    ['u=-1, i', 3, true],
    ['u=1.5, i', 3, true],
    ['u, i', 3, true],
    ['u="1", i', 3, true],
    ['u=1, i=1', 1, false],
  ];
  for (const [value, urgency, isIncremental] of said) {
    it(`is read from ${JSON.stringify(value)}`, () =>
      expect(readPriority(value)).to.deep.equal({ urgency, isIncremental }));
  }

  for (const value of [
    'u=1,',
    ',u=1',
    'U=1',
    'u=',
    'u =1',
    'u=1 i',
    '=1',
    'u=1,,i',
    'a="u=1',
    '(u=1)',
    'ü=1',
  ])
    it(`is not said by ${JSON.stringify(value)}`, () =>
      expect(readPriority(value)).to.equal(UNSAID_PRIORITY));

  it('is not said by a value that is long, which is not even read', () => {
    expect(readPriority(`u=1;a="${'x'.repeat(300)}"`)).to.equal(UNSAID_PRIORITY);
    // Minutes would go by.
    expect(readPriority(`"${'\\"'.repeat(200_000)}`)).to.equal(UNSAID_PRIORITY);
    const priority = { urgency: 5, isIncremental: true };
    expect(changedPriority(priority, `u=1;a="${'x'.repeat(300)}"`)).to.deep.equal(priority);
  });

  it('is changed by a backend as far as that says something', () => {
    const priority = { urgency: 5, isIncremental: true };
    expect(changedPriority(priority, 'u=1')).to.deep.equal({ urgency: 1, isIncremental: true });
    expect(changedPriority(priority, 'i=?0')).to.deep.equal({ urgency: 5, isIncremental: false });
    expect(changedPriority(priority, '!')).to.deep.equal(priority);
  });
});
