import { expect } from 'chai';
import { CircuitBreaker } from '../../../../lib/sources/limits/circuit-breaker.js';

describe('CircuitBreaker', () => {
  // + a success, - a failure, ? a doubtful one; in capitals below: what changed (O opened, C closed, D to be found out, . nothing).
  const cases = [
    { title: 'opens after three failures in a row', events: '---', changes: '..O', state: 'open' },
    { title: 'stays closed at two', events: '--', changes: '..', state: 'closed' },
    { title: 'counts only failures in a row', events: '--+--', changes: '.....', state: 'closed' },
    { title: 'closes with one success', events: '---+', changes: '..OC', state: 'closed' },
    { title: 'opens once', events: '-----', changes: '..O..', state: 'open' },
    { title: 'counts afresh after it closed', events: '----+--', changes: '..O.C..', state: 'closed' },
    { title: 'has doubtful ones found out', events: '??????', changes: '..DDDD', state: 'closed' },
    { title: 'counts doubtful ones for those that are not', events: '??-?', changes: '..O.', state: 'open' },
    { title: 'counts doubtful ones afresh', events: '???+??', changes: '..D...', state: 'closed' },
    { title: 'opens again', events: '---+---', changes: '..OC..O', state: 'open' },
  ] as const;
  for (const { title, events, changes, state } of cases) {
    it(`${title} (${events})`, () => {
      const breaker = new CircuitBreaker({ now: () => 0 });
      const seen = Array.from(events, (event) => {
        if (event === '+') return breaker.success() ? 'C' : '.';
        if (event === '?') return breaker.doubtfulFailure() ? 'D' : '.';
        return breaker.failure() ? 'O' : '.';
      });
      expect([seen.join(''), breaker.state]).to.deep.equal([changes, state]);
    });
  }

  it('takes another threshold, and knows since when it is open', () => {
    let nowMs = 7;
    const breaker = new CircuitBreaker({ now: () => nowMs, threshold: 1 });
    expect(breaker.openSinceMs).to.equal(undefined);
    breaker.failure();
    nowMs = 9;
    breaker.failure();
    expect(breaker.openSinceMs).to.equal(7);
    breaker.success();
    expect(breaker.openSinceMs).to.equal(undefined);
  });
});
