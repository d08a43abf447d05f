import { expect } from 'chai';
import { silentLogger as silent, type Logger } from '../../../../lib/log/logger.js';
import {
  Attempts,
  type AttemptedRequest,
  type AttemptFailure,
} from '../../../../lib/proxy/upstream/attempts.js';
import { Balancer, type Lease } from '../../../../lib/proxy/upstream/balancer.js';

const GET: AttemptedRequest = {
  method: 'GET',
  hasBody: false,
  isBodyRead: false,
  isUploading: false,
  hasResponse: false,
};
const POST: AttemptedRequest = { ...GET, method: 'POST' };
const UPLOAD: AttemptedRequest = { ...GET, method: 'PUT', hasBody: true };
const ANSWERED: AttemptedRequest = { ...GET, hasResponse: true };
const HALF_READ: AttemptedRequest = { ...UPLOAD, isBodyRead: true };

const REFUSED: AttemptFailure = { kind: 'connect', sent: false, message: 'connect' };
const NO_CONNECTION: AttemptFailure = { kind: 'timeout', sent: false, message: 'timeout' };
const STALE: AttemptFailure = { kind: 'broken', sent: false, message: 'broken' };
const LOST: AttemptFailure = { kind: 'broken', sent: true, message: 'broken' };
const SLOW: AttemptFailure = { kind: 'timeout', sent: true, message: 'timeout' };
const MALFORMED: AttemptFailure = { kind: 'malformed', sent: true, message: 'malformed' };
const UNWRITABLE: AttemptFailure = { kind: 'invalid', sent: false, message: 'invalid' };
const GIVEN_UP: AttemptFailure = { kind: 'aborted', sent: true, message: 'aborted' };

interface Backend {
  readonly name: string;
}

const balancerOf = (names: string, onChange?: () => void): Balancer<Backend> =>
  new Balancer({
    targets: names.split('').map((name) => ({ name })),
    now: () => 0,
    ...(onChange !== undefined && { onChange }),
  });

const attemptsAt = (balancer: Balancer<Backend>, log = silent): Attempts<Backend> =>
  new Attempts({ balancer, log, what: 'request', fields: { id: '7' }, restartWaitMs: 0 });

/** The backends that a request is sent to, each of which fails it so, and the status in the end. `a` is the first. */
function course(names: string, request: AttemptedRequest, failures: readonly AttemptFailure[]): string {
  const attempts = attemptsAt(balancerOf(names));
  let asked = '';
  let step = attempts.first();
  for (const failure of failures) {
    if (step.kind === 'end') break;
    asked += step.lease.target.name;
    step = attempts.next(step.lease, failure, request);
  }
  return step.kind === 'end' ? `${asked} ${step.status}` : asked + step.lease.target.name;
}

const repeat = (failure: AttemptFailure): AttemptFailure[] => Array<AttemptFailure>(9).fill(failure);

describe('A request that a backend has failed', () => {
  const cases: [what: string, targets: string, AttemptedRequest, AttemptFailure[], expected: string][] = [
    ['goes to one after the other while none is connected', 'abc', POST, repeat(REFUSED), 'abc 503'],
    ['goes on where a connection takes too long', 'ab', UPLOAD, [NO_CONNECTION], 'ab'],
    ['is out of time when the one backend is not connected in time', 'a', UPLOAD, [NO_CONNECTION], 'a 504'],
    ['is not asked again of one alone that refuses', 'a', GET, repeat(REFUSED), 'a 502'],
    ['goes nowhere once its body has been read', 'ab', HALF_READ, [REFUSED], 'a 502'],
    ['goes nowhere when it cannot be written', 'ab', GET, [UNWRITABLE], 'a 400'],
    ['goes to another when its connection had been closed', 'ab', POST, [STALE], 'ab'],
    ['goes to the same one again where there is no other', 'a', POST, repeat(STALE), 'aa 502'],
    ['goes to another once when it was lost', 'abc', GET, repeat(LOST), 'ab 502'],
    ['goes to the same one once when it was lost there', 'a', GET, repeat(LOST), 'aa 502'],
    ['is not sent again when it was lost and is a POST', 'ab', POST, [LOST], 'a 502'],
    ['is not sent again when it was lost and has a body', 'ab', UPLOAD, [LOST], 'a 502'],
    ['is not sent again when it is not answered in time', 'ab', GET, [SLOW], 'a 504'],
    ['is not sent again when its answer is malformed', 'ab', GET, [MALFORMED], 'a 502'],
    ['goes nowhere once its response has begun', 'ab', ANSWERED, [LOST], 'a 502'],
    ['finds no backend in a route without one', '', GET, [], ' 503'],
    ['goes back where it was lost when no other is connected', 'abc', GET, [LOST, REFUSED, REFUSED], 'abca'],
    ['is not sent a third time', 'abc', GET, [LOST, REFUSED, REFUSED, LOST], 'abca 502'],
    ['can be lost after it was refused', 'ab', GET, [REFUSED, LOST, LOST], 'abb 502'],
  ];
  for (const [what, targets, request, failures, expected] of cases) {
    it(what, () => {
      expect(course(targets, request, failures)).to.equal(expected);
    });
  }

  it('goes to the same one rather than to one that rests', () => {
    const balancer = balancerOf('ab');
    const [first] = balancer.targets;
    for (let i = 0; i < 3; i++) balancer.take(new Set(first && [first]))?.release('failed');
    const lease = balancer.take();
    expect(lease?.target.name).to.equal('a');
    const step = lease && attemptsAt(balancer).next(lease, LOST, GET);
    expect(step?.kind === 'send' && step.lease.target.name).to.equal('a');
  });

  it('leaves a backend in use that has had enough of an upload, and not one that is lost when it has all of it', () => {
    for (const [isUploading, isUsed] of [
      [true, true],
      [false, false],
    ]) {
      const balancer = balancerOf('ab');
      const others = new Set(balancer.targets.slice(1));
      for (let i = 0; i < 3; i++) {
        const lease = balancer.take(others);
        if (lease !== undefined)
          attemptsAt(balancer).next(lease, LOST, { ...HALF_READ, isUploading: isUploading === true });
      }
      const taken = Array.from({ length: 4 }, () => balancer.take()?.target.name);
      expect(taken.includes('a')).to.equal(isUsed);
    }
  });

  it('goes to no backend that is unfit for it, whatever happens, and counts those that are fit', () => {
    for (const [names, unfitNames, expected] of [
      ['ab', 'a', 'b 502'],
      ['abc', 'b', 'ac 503'],
      ['abc', '', 'abc 503'],
    ] as const) {
      const balancer = balancerOf(names);
      const unfit = new Set(balancer.targets.filter(({ name }) => unfitNames.includes(name)));
      const options = { balancer, log: silent, what: 'request', fields: {}, restartWaitMs: 0 } as const;
      const attempts = new Attempts({ ...options, unfit });
      let asked = '';
      let step = attempts.first();
      while (step.kind !== 'end') {
        asked += step.lease.target.name;
        step = attempts.next(step.lease, REFUSED, GET);
      }
      expect(`${asked} ${step.status}`).to.equal(expected);
    }
  });

  it('makes the only one fit for it rest no longer by asking again and again whether it is there', () => {
    let nowMs = 0;
    const [fit, unfit] = [{ name: 'fit' }, { name: 'unfit' }];
    const balancer = new Balancer({ targets: [fit, unfit], now: () => nowMs });
    const others = new Set([unfit]);
    for (let i = 0; i < 3; i++) balancer.take(others)?.release('failed');
    const attempts = new Attempts({
      ...{ balancer, log: silent, what: 'request', fields: {}, restartWaitMs: 900, unfit: others },
    });
    const cause = Object.assign(new Error(), { code: 'ECONNREFUSED' });
    let waits = 0;
    for (let step = attempts.first(); step.kind !== 'end'; waits += 1) {
      if (step.kind === 'wait') nowMs += step.forMs;
      step = attempts.next(step.lease, { ...REFUSED, cause }, GET);
    }
    expect(waits).to.be.above(5);
    nowMs = 1_000;
    const next = [balancer.take(), balancer.take()].map((lease) => lease?.target.name);
    expect(next).to.have.members(['fit', 'unfit']);
  });

  it('is no failure in the log where the fault is the client’s', () => {
    for (const failure of [UNWRITABLE, GIVEN_UP]) {
      const lines: [level: string, message: string, fields: unknown][] = [];
      const balancer = balancerOf('ab');
      const lease = balancer.take();
      const noting = (level: string) => (message: string, fields: unknown) =>
        void lines.push([level, message, fields]);
      const attempts = new Attempts({
        ...{ balancer, what: 'request', fields: { id: '7' }, restartWaitMs: 0 },
        log: { ...silent, err: noting('err'), info: noting('info') },
      });
      if (lease !== undefined) attempts.next(lease, failure, GET);
      const fields = { id: '7', backend: 'a', error: failure.message };
      expect(lines).to.deep.equal([['info', 'request given up', fields]]);
    }
  });

  it('counts as a failure of the backend, but not where only the connection had been closed, or the fault is the client’s', () => {
    for (const [failure, expected] of [
      [LOST, true],
      [REFUSED, true],
      [SLOW, true],
      [MALFORMED, true],
      [STALE, false],
      [UNWRITABLE, false],
      [GIVEN_UP, false],
    ] as const) {
      let isOut = false;
      const balancer = balancerOf('ab', () => (isOut = true));
      const [, second] = balancer.targets;
      for (let i = 0; i < 3; i++) {
        const lease = balancer.take(new Set(second && [second]));
        const step = lease && attemptsAt(balancer).next(lease, failure, GET);
        if (step?.kind === 'send') step.lease.release('ok');
      }
      expect(isOut, failure.kind).to.equal(expected);
    }
  });

  for (const [what, elsewhere] of [
    ['request', 'request sent again'],
    ['connection', 'backend failed, the next one is asked'],
  ] as const) {
    it(`is told of to the log as a ${what}`, () => {
      const lines: unknown[] = [];
      const log: Logger = {
        ...silent,
        err: (message, fields) => lines.push(['err', message, fields]),
        info: (message, fields) => lines.push(['info', message, fields]),
      };
      const attempts = new Attempts({
        balancer: balancerOf('ab'),
        log,
        what,
        fields: { id: '7' },
        restartWaitMs: 0,
      });
      let step = attempts.first();
      while (step.kind === 'send') step = attempts.next(step.lease, REFUSED, GET);
      expect(lines).to.deep.equal([
        ['info', elsewhere, { id: '7', backend: 'a', next: 'b', error: 'connect' }],
        ['err', 'backend failed', { id: '7', backend: 'b', error: 'connect' }],
      ]);
    });
  }
});

describe('A request whose only backend refuses connections', () => {
  const refused = (code: string): AttemptFailure => ({
    ...REFUSED,
    cause: Object.assign(new Error(code), { code }),
  });
  const RESTARTS = refused('ECONNREFUSED');
  let nowMs: number;
  let lines: unknown[];
  let balancer: Balancer<Backend>;
  const open = (names = 'a'): void => {
    nowMs = 0;
    lines = [];
    balancer = new Balancer({ targets: names.split('').map((name) => ({ name })), now: () => nowMs });
  };
  const attempt = (): Attempts<Backend> => {
    const log: Logger = { ...silent, info: (message, fields) => lines.push([message, fields]) };
    return new Attempts({ balancer, log, what: 'request', fields: { id: '7' }, restartWaitMs: 1_000 });
  };
  /** How long it waits before each attempt after the first, and how it ends, if every attempt fails so. */
  const waits = (failure: AttemptFailure, request = GET): (number | string)[] => {
    const attempts = attempt();
    const course: (number | string)[] = [];
    let step = attempts.first();
    while (step.kind !== 'end') {
      if (step.kind === 'wait') {
        course.push(step.forMs);
        nowMs += step.forMs;
      }
      step = attempts.next(step.lease, failure, request);
    }
    return [...course, step.status];
  };
  beforeEach(() => open());

  it('waits for its restart, a second from the first refusal on, and says so once', () => {
    expect(waits(RESTARTS)).to.deep.equal([25, 50, 100, 200, 200, 200, 200, 200, 502]);
    expect(lines).to.deep.equal([
      ['backend refuses connections: waiting for its restart', { id: '7', backend: 'a', error: 'connect' }],
    ]);
  });

  it('does not wait for one that has been down for longer', () => {
    waits(RESTARTS);
    expect(waits(RESTARTS)).to.deep.equal([502]);
    // It is down for longer as long as it is asked every ten seconds.
    nowMs += 9_000;
    expect(waits(RESTARTS)).to.deep.equal([502]);
    nowMs += 11_000;
    expect(waits(RESTARTS)).to.have.length(9);
  });

  it('waits again for one that has worked in between', () => {
    waits(RESTARTS);
    balancer.take()?.release('ok');
    expect(waits(RESTARTS)).to.have.length(9);
  });

  it('waits for one whose unix socket is not there, and for one that is just going', () => {
    for (const code of ['ENOENT', 'ECONNRESET']) {
      open();
      expect(waits(refused(code))).to.have.length(9);
    }
  });

  it('waits on HTTP/2 too, where the refusal is the cause of the error of its stream', () => {
    const cause = new Error('cancelled', { cause: RESTARTS.cause });
    expect(waits({ ...RESTARTS, cause })).to.have.length(9);
  });

  it('is sent again after a moment when it was lost: what takes connections may be going', () => {
    expect(waits(LOST)).to.deep.equal([25, 502]);
    open('ab');
    expect(waits(LOST)).to.deep.equal([502]);
  });

  it('may be an upload of which nothing was read', () => {
    expect(waits(RESTARTS, UPLOAD)).to.have.length(9);
    expect(waits(RESTARTS, HALF_READ)).to.deep.equal([502]);
  });

  it('does not wait for what a restart does not look like', () => {
    expect(waits(refused('EHOSTUNREACH'))).to.deep.equal([502]);
    open();
    expect(waits(REFUSED)).to.deep.equal([502]);
    open();
    expect(waits({ ...RESTARTS, kind: 'timeout' })).to.deep.equal([504]);
  });

  it('does not wait where there is another backend', () => {
    open('ab');
    expect(waits(RESTARTS)).to.deep.equal([503]);
  });
});

describe('What a backend has failed with', () => {
  it('is remembered of it, whether another one is asked or not', () => {
    for (const names of ['a', 'ab']) {
      const balancer = balancerOf(names);
      for (const failure of [REFUSED, SLOW, LOST]) {
        const { lease } = attemptsAt(balancer).first() as { lease: Lease<Backend> };
        attemptsAt(balancer).next(lease, failure, GET);
        const of = balancer.health().find(({ target }) => target === lease.target);
        expect(of?.trouble?.lastError).to.equal(failure.message);
      }
    }
  });
});

describe('Who counts the failures of backends', () => {
  it("is told of those that are a backend's fault, whatever comes of the request", () => {
    const kinds: string[] = [];
    const all = [REFUSED, NO_CONNECTION, STALE, LOST, SLOW, MALFORMED, UNWRITABLE, GIVEN_UP];
    for (const failure of all) {
      const attempts = new Attempts({
        balancer: balancerOf('ab'),
        log: silent,
        what: 'request',
        fields: {},
        restartWaitMs: 0,
        onFailure: (kind) => kinds.push(kind),
      });
      const step = attempts.first();
      if (step.kind === 'send') attempts.next(step.lease, failure, GET);
    }
    expect(kinds).to.deep.equal(['connect', 'timeout', 'broken', 'timeout', 'malformed']);
  });
});
