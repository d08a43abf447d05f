import { expect } from 'chai';
import { Authenticator, type Verdict } from '../../../lib/admin/authenticator.js';
import { FailedLogins } from '../../../lib/admin/failed-logins.js';
import type { HashJob } from '../../../lib/admin/hashing-thread.js';
import { defer, type Deferred } from '../../../lib/base/deferred.js';
import { silentLogger, type LogFields } from '../../../lib/log/logger.js';

const SLOW_A = '$2b$12$abcdefghijklmnopqrstuuK7qXaKUuCPbiUDv5wKoVCqamGqrFDd2';
const SLOW_B = '$2b$04$abcdefghijklmnopqrstuuyegKZ1g4a5kzOHRT1vEdFcHb1NvkUqW';
const SLOW_FILE = `peter:${SLOW_A}\nmary:${SLOW_B}\n`;
const CLIENT = '192.0.2.1';
const RIGHT = { kind: 'right' };
const WRONG = { kind: 'wrong' };
/** Waiting in the queue of checks, at most. */
const MAX_WAITING = 32;
const FAILURES_UNTIL_HELD = 5;

type Job = Omit<HashJob, 'id'> & { readonly result: Deferred<boolean> };

describe('the authenticator', () => {
  let nowMs: number;
  let jobs: Job[];
  let infos: LogFields[];
  let failed: FailedLogins;
  let authenticator: Authenticator;

  const judge = (user: string, password: string, address = CLIENT): Promise<Verdict> =>
    authenticator.judge({ user, password }, address);
  /** All that can go on without the thread has gone on. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** The thread has done the oldest of its jobs. */
  const finish = async (isRight = false): Promise<Job> => {
    await settle();
    const job = jobs.shift()!;
    job.result.resolve(isRight);
    await settle();
    return job;
  };
  const failTimes = async (count: number, address = CLIENT): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const verdict = judge('peter', `wrong ${i}`, address);
      await finish();
      expect(await verdict).to.deep.equal(WRONG);
    }
  };

  beforeEach(() => {
    nowMs = 0;
    jobs = [];
    infos = [];
    const log = { ...silentLogger, info: (_: string, fields: LogFields = {}) => void infos.push(fields) };
    failed = new FailedLogins({ log, now: () => nowMs });
    const thread = {
      check: (job: Omit<HashJob, 'id'>): Promise<boolean> => {
        const result = defer<boolean>();
        jobs.push({ ...job, result });
        return result.promise;
      },
    };
    authenticator = new Authenticator({ log, failed, thread }, SLOW_FILE);
  });

  it('gives a slow hash to the thread, with the password', async () => {
    const verdict = judge('peter', 'sslers');
    expect(await finish(true)).to.include({ hash: SLOW_A, password: 'sslers' });
    expect(await verdict).to.deep.equal(RIGHT);
  });

  it('computes a fast one by itself', async () => {
    authenticator.configure('peter:{PLAIN}sslers');
    expect(await judge('peter', 'sslers')).to.deep.equal(RIGHT);
    expect(await judge('peter', 'wrong')).to.deep.equal(WRONG);
    expect(await judge('paul', 'sslers')).to.deep.equal(WRONG);
    expect(jobs).to.deep.equal([]);
  });

  it('remembers a right password', async () => {
    void judge('peter', 'sslers');
    await finish(true);
    expect(await judge('peter', 'sslers', '192.0.2.2')).to.deep.equal(RIGHT);
    expect(jobs).to.deep.equal([]);
    void judge('paul', 'sslers');
    await settle();
    expect(jobs, "another user's").to.have.length(1);
  });

  it('has a hash computed for a user that is not there, and says wrong even if it fits', async () => {
    const verdict = judge('nobody', 'sslers');
    const { hash } = await finish(true);
    expect(hash).to.be.oneOf([SLOW_A, SLOW_B]);
    expect(await verdict).to.deep.equal(WRONG);
    expect(failed.failures(CLIENT)).to.equal(1);
  });

  it('takes no credentials, and a password longer than anybody types, for wrong without computing anything', async () => {
    expect(await authenticator.judge(undefined, CLIENT)).to.deep.equal(WRONG);
    expect(failed.failures(CLIENT), 'none is no try').to.equal(0);
    expect(await judge('peter', 'x'.repeat(1_025))).to.deep.equal(WRONG);
    expect(failed.failures(CLIENT)).to.equal(1);
    expect(jobs).to.deep.equal([]);
  });

  describe('with an address that has failed too often', () => {
    beforeEach(() => failTimes(FAILURES_UNTIL_HELD));

    it('computes nothing for it until its time is over, whether the password is right or not', async () => {
      for (const [user, password] of [
        ['peter', 'sslers'],
        ['peter', 'wrong'],
        ['nobody', 'x'],
      ] as const) {
        expect(await judge(user, password)).to.deep.equal({ kind: 'held', retryAfterMs: 1_000 });
      }
      expect(jobs).to.deep.equal([]);
      nowMs += 1_000;
      const verdict = judge('peter', 'sslers');
      await finish(true);
      expect(await verdict).to.deep.equal(RIGHT);
    });

    it('computes nothing for fast hashes either', async () => {
      authenticator.configure('peter:{PLAIN}sslers');
      expect(await judge('peter', 'sslers')).to.have.property('kind', 'held');
    });

    it('goes on with others', async () => {
      const verdict = judge('peter', 'sslers', '192.0.2.2');
      await finish(true);
      expect(await verdict).to.deep.equal(RIGHT);
    });

    it('lets a remembered password in, and the hold is not over for that', async () => {
      void judge('peter', 'sslers', '192.0.2.2');
      await finish(true);
      expect(await judge('peter', 'sslers')).to.deep.equal(RIGHT);
      expect(await judge('peter', 'wrong')).to.have.property('kind', 'held');
    });

    it('counts a whole /64 as one address', async () => {
      await failTimes(FAILURES_UNTIL_HELD, '2001:db8::1');
      expect(await judge('peter', 'x', '2001:db8::ffff:2')).to.have.property('kind', 'held');
    });
  });

  it('says at info when a right password follows wrong ones, with the user and without the password', async () => {
    await failTimes(2);
    void judge('peter', 'sslers');
    await finish(true);
    expect(infos).to.deep.equal([{ client: CLIENT, user: 'peter', failures: 2 }]);
    expect(failed.failures(CLIENT)).to.equal(0);
  });

  it('has one check under way for an address', async () => {
    const first = judge('peter', 'wrong 1');
    expect(await judge('peter', 'wrong 2')).to.deep.equal({ kind: 'held', retryAfterMs: 1_000 });
    const other = judge('peter', 'wrong 2', '192.0.2.2');
    await finish();
    await finish();
    expect([await first, await other]).to.deep.equal([WRONG, WRONG]);
    expect(failed.failures(CLIENT), 'what was not checked is no failure').to.equal(1);
  });

  it('checks equal credentials once for all who send them meanwhile, each of whom has failed once', async () => {
    const verdicts = [CLIENT, CLIENT, CLIENT, '192.0.2.2'].map((client) => judge('peter', 'wrong', client));
    await finish();
    expect(await Promise.all(verdicts)).to.deep.equal([WRONG, WRONG, WRONG, WRONG]);
    expect(jobs).to.deep.equal([]);
    expect([failed.failures(CLIENT), failed.failures('192.0.2.2')]).to.deep.equal([1, 1]);
  });

  it('puts who has not failed before all who have: beside the guess under way, urgently', async () => {
    const guessers = Array.from({ length: 8 }, (_, i) => `198.51.100.${i}`);
    for (const client of guessers) await failTimes(1, client);
    const guesses = guessers.map((client) => judge('peter', 'guess', client).then(() => client));
    await settle();
    const own = judge('mary', 'sslers');
    await settle();
    // Equal guesses are one.
    expect(jobs.map(({ isUrgent, password }) => [isUrgent, password])).to.deep.equal([
      [false, 'guess'],
      [true, 'sslers'],
    ]);
    jobs[1]!.result.resolve(true);
    expect(await own).to.deep.equal(RIGHT);
    await finish();
    await Promise.all(guesses);
  });

  it('computes one guess and one urgent check at a time, the newest urgent one next', async () => {
    const address = (i: number): string => `198.51.100.${i}`;
    const verdicts = [0, 1, 2].map((i) => judge('peter', `first ${i}`, address(i)));
    await settle();
    expect(jobs).to.have.length(1);
    expect((await finish()).password).to.equal('first 0');
    expect((await finish()).password).to.equal('first 2');
    expect((await finish()).password).to.equal('first 1');
    expect(await Promise.all(verdicts)).to.deep.equal([WRONG, WRONG, WRONG]);
    const again = [0, 1, 2].map((i) => judge('peter', `second ${i}`, address(i)));
    await settle();
    expect(jobs).to.have.length(1);
    for (const i of [0, 1, 2]) {
      expect(await finish()).to.include({ password: `second ${i}`, isUrgent: false });
    }
    await Promise.all(again);
  });

  it('lets a bounded number wait, where newcomers without failures push out those with', async () => {
    const address = (i: number): string => `198.51.100.${i}`;
    for (let i = 0; i <= MAX_WAITING + 1; i++) await failTimes(1, address(i));
    const guesses = Array.from({ length: MAX_WAITING + 2 }, (_, i) =>
      judge('peter', `guess ${i}`, address(i)),
    );
    const busy = { kind: 'busy', retryAfterMs: 1_000 };
    expect(await guesses.at(-1), 'one under way, 32 waiting').to.deep.equal(busy);
    // One has its turn at once, the other waits where the last guess did.
    const owns = [judge('mary', 'x', '192.0.2.2'), judge('mary', 'y', '192.0.2.3')];
    expect(await guesses.at(-2)).to.deep.equal(busy);
    for (let i = 0; i < MAX_WAITING + 2; i++) await finish();
    expect(await Promise.all(owns)).to.deep.equal([WRONG, WRONG]);
    expect(await Promise.all(guesses.slice(0, -2))).to.deep.equal(Array(MAX_WAITING).fill(WRONG));
    expect(jobs).to.deep.equal([]);
    expect(failed.failures(address(MAX_WAITING)), 'who was pushed out has not failed').to.equal(1);
  });

  it('never counts those without an address as one client, and lets all others go first', async () => {
    const verdicts = ['a', 'b'].map((password) => judge('peter', password, ''));
    const own = judge('mary', 'sslers');
    await settle();
    expect(jobs.map(({ isUrgent }) => isUrgent)).to.deep.equal([false, true]);
    for (let i = 0; i < 3; i++) await finish();
    expect(await Promise.all([...verdicts, own])).to.deep.equal([WRONG, WRONG, WRONG]);
  });

  it('fails when the thread does, and remembers no failure', async () => {
    const verdict = judge('peter', 'sslers').catch(String);
    await settle();
    jobs.shift()!.result.reject(new Error('the thread is gone'));
    expect(await verdict).to.equal('Error: the thread is gone');
    expect(failed.failures(CLIENT)).to.equal(0);
    const again = judge('peter', 'sslers');
    await finish(true);
    expect(await again).to.deep.equal(RIGHT);
  });

  describe('given a user file again', () => {
    beforeEach(async () => {
      void judge('peter', 'sslers');
      await finish(true);
    });

    it('forgets right passwords when it has changed, and no failures', async () => {
      await failTimes(FAILURES_UNTIL_HELD, '192.0.2.2');
      authenticator.configure(`peter:${SLOW_B}\n`);
      const verdict = judge('peter', 'sslers');
      expect(await finish()).to.include({ hash: SLOW_B });
      expect(await verdict).to.deep.equal(WRONG);
      expect(await judge('peter', 'x', '192.0.2.2')).to.have.property('kind', 'held');
    });

    it('remembers nothing of a check that was begun with the old one', async () => {
      const verdict = judge('mary', 'sslers');
      await settle();
      authenticator.configure(`mary:${SLOW_A}\n`);
      await finish(true);
      expect(await verdict).to.deep.equal(RIGHT);
      void judge('mary', 'sslers');
      expect(await finish()).to.include({ hash: SLOW_A });
    });

    it('remembers right passwords when it is the same', async () => {
      authenticator.configure(SLOW_FILE);
      expect(await judge('peter', 'sslers')).to.deep.equal(RIGHT);
      expect(jobs).to.deep.equal([]);
    });
  });
});
