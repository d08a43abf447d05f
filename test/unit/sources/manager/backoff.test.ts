import { expect } from 'chai';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { Backoff } from '../../../../lib/sources/manager/backoff.js';

const NAME = 'a.test' as ServerName;
const OTHER = 'b.test' as ServerName;
const START_MS = 1_000_000;

describe('Backoff', () => {
  let nowMs = START_MS;
  let holdOff: Backoff;
  const options = { firstMs: 900, maxMs: 14_400, now: () => nowMs };
  beforeEach(() => {
    nowMs = START_MS;
    holdOff = new Backoff(options);
  });

  it('doubles with each failure in a row, up to the maximum', () => {
    const held = Array.from({ length: 7 }, () => {
      const holdMs = holdOff.fail(NAME);
      nowMs += holdMs;
      return holdMs;
    });
    expect(held).to.deep.equal([900, 1800, 3600, 7200, 14_400, 14_400, 14_400]);
  });
  it('holds one name and no other, until its time has passed', () => {
    holdOff.fail(NAME);
    nowMs = START_MS + 899;
    expect([holdOff.remainingMs(NAME), holdOff.remainingMs(OTHER)]).to.deep.equal([1, 0]);
    nowMs = START_MS + 900;
    expect(holdOff.remainingMs(NAME)).to.equal(0);
  });
  it('a rest ends the row, and holds for the first time all the same', () => {
    holdOff.fail(NAME);
    holdOff.fail(NAME);
    holdOff.rest(NAME);
    expect(holdOff.remainingMs(NAME)).to.equal(900);
    expect(holdOff.fail(NAME)).to.equal(900);
  });
  it('a clear forgets one name, or all', () => {
    for (const name of [NAME, OTHER]) holdOff.fail(name);
    holdOff.clear(NAME);
    expect([holdOff.remainingMs(NAME), holdOff.remainingMs(OTHER)]).to.deep.equal([0, 900]);
    holdOff.clear();
    expect(holdOff.remainingMs(OTHER)).to.equal(0);
  });
  it('a name that has been quiet for the maximum after its hold starts afresh', () => {
    holdOff.fail(NAME);
    nowMs = START_MS + 900 + 14_400 + 1;
    expect(holdOff.fail(NAME)).to.equal(900);
  });
  it('a first time longer than the maximum stays as it is', () => {
    holdOff = new Backoff({ ...options, firstMs: 20_000 });
    expect([holdOff.fail(NAME), holdOff.fail(NAME)]).to.deep.equal([20_000, 20_000]);
  });
  it('excuses one failure in a row: it holds shortly and does not count, and the next one does', () => {
    expect([holdOff.excuse(NAME, 60), holdOff.isExcused(NAME)]).to.deep.equal([60, true]);
    expect([holdOff.excuse(NAME, 60), holdOff.isExcused(NAME)]).to.deep.equal([900, false]);
    expect([holdOff.excuse(NAME, 60), holdOff.fail(NAME)]).to.deep.equal([1800, 3600]);
    holdOff.rest(NAME);
    expect(holdOff.excuse(NAME, 60)).to.equal(60);
    expect([holdOff.fail(NAME), holdOff.isExcused(NAME)]).to.deep.equal([900, false]);
  });
  it('excuses a later failure of a row as well, and never holds longer than for a first one', () => {
    holdOff.fail(NAME);
    expect([holdOff.excuse(NAME, 60), holdOff.fail(NAME)]).to.deep.equal([60, 1800]);
    expect(holdOff.excuse(OTHER, 60_000)).to.equal(900);
  });
  it('remembers a bounded number of names', () => {
    holdOff = new Backoff({ ...options, maxNames: 2 });
    for (const name of ['a.test', 'b.test', 'c.test']) holdOff.fail(name as ServerName);
    expect(
      ['a.test', 'b.test', 'c.test'].map((name) => holdOff.remainingMs(name as ServerName)),
    ).to.deep.equal([0, 900, 900]);
  });
  it('another one takes over what it remembers, the row of failures included', () => {
    holdOff.fail(NAME);
    nowMs = START_MS + 400;
    const next = new Backoff(options);
    next.takeOver(holdOff);
    expect([next.remainingMs(NAME), next.fail(NAME)]).to.deep.equal([500, 1800]);
  });
});
