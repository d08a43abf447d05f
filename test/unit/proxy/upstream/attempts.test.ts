import { expect } from 'chai';
import {
  Attempts,
  type AttemptedRequest,
  type AttemptFailure,
} from '../../../../lib/proxy/upstream/attempts.js';
import { Balancer } from '../../../../lib/proxy/upstream/balancer.js';

const GET: AttemptedRequest = { method: 'GET', hasBody: false, isBodyRead: false };
const POST: AttemptedRequest = { method: 'POST', hasBody: false, isBodyRead: false };
const UPLOAD: AttemptedRequest = { method: 'PUT', hasBody: true, isBodyRead: false };
const HALF_READ: AttemptedRequest = { ...UPLOAD, isBodyRead: true };

const REFUSED: AttemptFailure = { kind: 'connect', sent: false };
const NO_CONNECTION: AttemptFailure = { kind: 'timeout', sent: false };
const STALE: AttemptFailure = { kind: 'broken', sent: false };
const LOST: AttemptFailure = { kind: 'broken', sent: true };
const SLOW: AttemptFailure = { kind: 'timeout', sent: true };
const MALFORMED: AttemptFailure = { kind: 'malformed', sent: true };
const UNWRITABLE: AttemptFailure = { kind: 'invalid', sent: false };

/** The backends that a request is sent to, each of which fails it so. `a` is the first. */
function course(targets: string, request: AttemptedRequest, failures: readonly AttemptFailure[]): string {
  const balancer = new Balancer({ targets: targets.split(''), now: () => 0 });
  const attempts = new Attempts(balancer);
  const asked: string[] = [];
  let lease = balancer.take();
  for (const failure of failures) {
    if (lease === undefined) break;
    asked.push(lease.target);
    lease = attempts.next(lease, failure, request);
  }
  return `${asked.join('')}${lease === undefined ? '' : lease.target}${attempts.isNoneLeft ? ' none left' : ''}`;
}

const repeat = (failure: AttemptFailure): AttemptFailure[] => Array<AttemptFailure>(9).fill(failure);

describe('A request that a backend has failed', () => {
  const cases: [what: string, targets: string, AttemptedRequest, AttemptFailure[], expected: string][] = [
    ['goes to one after the other while none is connected', 'abc', POST, repeat(REFUSED), 'abc none left'],
    ['goes on where a connection takes too long', 'ab', UPLOAD, [NO_CONNECTION], 'ab'],
    ['is not asked again of one alone that refuses', 'a', GET, repeat(REFUSED), 'a'],
    ['goes nowhere once its body has been read', 'ab', HALF_READ, [REFUSED], 'a'],
    ['goes nowhere when it cannot be written', 'ab', GET, [UNWRITABLE], 'a'],
    ['goes to another when its connection had been closed', 'ab', POST, [STALE], 'ab'],
    ['goes to the same one again where there is no other', 'a', POST, repeat(STALE), 'aa'],
    ['goes to another once when it was lost', 'abc', GET, repeat(LOST), 'ab'],
    ['goes to the same one once when it was lost there', 'a', GET, repeat(LOST), 'aa'],
    ['is not sent again when it was lost and is a POST', 'ab', POST, [LOST], 'a'],
    ['is not sent again when it was lost and has a body', 'ab', UPLOAD, [LOST], 'a'],
    ['is not sent again when it is not answered in time', 'ab', GET, [SLOW], 'a'],
    ['is not sent again when its answer is malformed', 'ab', GET, [MALFORMED], 'a'],
    ['goes back where it was lost when no other is connected', 'abc', GET, [LOST, REFUSED, REFUSED], 'abca'],
    ['is not sent a third time', 'abc', GET, [LOST, REFUSED, REFUSED, LOST], 'abca'],
    ['can be lost after it was refused', 'ab', GET, [REFUSED, LOST, LOST], 'abb'],
  ];
  for (const [what, targets, request, failures, expected] of cases) {
    it(what, () => {
      expect(course(targets, request, failures)).to.equal(expected);
    });
  }

  it('goes to the same one rather than to one that rests', () => {
    const balancer = new Balancer({ targets: ['a', 'b'], now: () => 0 });
    for (let i = 0; i < 3; i++) balancer.take(new Set(['a']))?.release('failed');
    const lease = balancer.take();
    expect(lease?.target).to.equal('a');
    expect(lease && new Attempts(balancer).next(lease, LOST, GET)?.target).to.equal('a');
  });

  it('counts as a failure of the backend, but not where only the connection had been closed', () => {
    for (const [failure, expected] of [
      [LOST, true],
      [REFUSED, true],
      [STALE, false],
    ] as const) {
      let isOut = false;
      const balancer = new Balancer({ targets: ['a', 'b'], now: () => 0, onChange: () => (isOut = true) });
      for (let i = 0; i < 3; i++) {
        const lease = balancer.take(new Set(['b']));
        if (lease !== undefined) new Attempts(balancer).next(lease, failure, GET)?.release('ok');
      }
      expect(isOut).to.equal(expected);
    }
  });
});
