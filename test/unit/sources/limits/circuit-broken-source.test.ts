import { expect } from 'chai';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { silentLogger, type Logger } from '../../../../lib/log/logger.js';
import { CircuitBrokenSource } from '../../../../lib/sources/limits/circuit-broken-source.js';
import { doubted } from '../../../../lib/sources/doubtful-failure.js';
import type { CertificateSource, SourceCheck } from '../../../../lib/sources/source.js';
import { ManualTime, settled } from '../../../support/manual-time.js';

const NAME = 'a.test' as ServerName;
const CONTEXT = { signal: new AbortController().signal };
const DOWN: Lookup = { kind: 'unavailable', reason: 'connection refused', scope: 'source' };
const HANGS: Lookup = doubted({ kind: 'unavailable', reason: 'it did not answer in time', scope: 'source' });
const SICK_NAME: Lookup = { kind: 'unavailable', reason: 'half an entry', scope: 'name' };
const ABSENT: Lookup = { kind: 'absent' };
const FOUND: Lookup = { kind: 'found', candidates: [] };
const PENDING: Lookup = { kind: 'pending', reason: 'no token' };

function openStage() {
  const time = new ManualTime();
  const calls = { lookups: 0, checks: 0, forgotten: [] as unknown[], closed: 0 };
  const script: { answer: () => Promise<Lookup>; check: () => Promise<SourceCheck> } = {
    answer: () => Promise.resolve(DOWN),
    check: () => Promise.resolve({ ok: false, reason: 'still down' }),
  };
  const inner: CertificateSource = {
    name: 'redis',
    lookup: () => {
      calls.lookups += 1;
      return script.answer();
    },
    check: () => {
      calls.checks += 1;
      return script.check();
    },
    forget: (name) => {
      calls.forgotten.push(name);
    },
    close: () => {
      calls.closed += 1;
      return Promise.resolve();
    },
  };
  const notices: string[] = [];
  const errors: string[] = [];
  /** The fields of the newest notice. */
  const said: Record<string, unknown> = {};
  const log: Logger = {
    ...silentLogger,
    err: (message) => void errors.push(message),
    notice: (message, fields) => {
      notices.push(message);
      Object.assign(said, fields);
    },
  };
  const source = new CircuitBrokenSource(inner, { log, now: time.now, startTimer: time.startTimer });
  const look = (result?: Lookup) => {
    if (result !== undefined) script.answer = () => Promise.resolve(result);
    return source.lookup(NAME, CONTEXT);
  };
  const fail = async (times: number) => {
    for (let i = 0; i < times; i += 1) await look(DOWN);
  };
  return { time, calls, script, notices, errors, said, source, look, fail };
}

describe('CircuitBrokenSource', () => {
  it('passes answers through while the source is well', async () => {
    const { look, source, notices } = openStage();
    expect(source.name).to.equal('redis');
    for (const result of [FOUND, ABSENT, PENDING, SICK_NAME, DOWN]) {
      expect(await look(result)).to.equal(result);
    }
    expect([source.state, notices]).to.deep.equal(['closed', []]);
  });

  it('skips a source that failed three times in a row, without asking it, and says so once', async () => {
    const { look, fail, calls, notices, source } = openStage();
    await fail(3);
    expect(source.state).to.equal('open');
    for (let i = 0; i < 5; i += 1) {
      expect(await look()).to.deep.equal({
        kind: 'unavailable',
        reason: 'it is skipped: connection refused',
        scope: 'source',
      });
    }
    expect(calls.lookups).to.equal(3);
    expect(notices).to.deep.equal([
      'source redis is unavailable: connection refused; skipped until it answers again',
    ]);
  });

  const amidFailures = [
    { title: 'a found certificate', result: FOUND, state: 'closed' },
    { title: 'an absent name', result: ABSENT, state: 'closed' },
    { title: 'a sick entry', result: SICK_NAME, state: 'closed' },
    { title: 'a pending answer, which counts as neither,', result: PENDING, state: 'open' },
  ] as const;
  for (const { title, result, state } of amidFailures) {
    it(`is ${state} after two failures, ${title} and one more failure`, async () => {
      const { look, fail, source } = openStage();
      await fail(2);
      await look(result);
      await fail(1);
      expect(source.state).to.equal(state);
    });
  }

  const broken = [
    { title: 'rejects', answer: () => Promise.reject(new Error('boom')) },
    {
      title: 'throws',
      answer: () => {
        throw new Error('boom');
      },
    },
  ];
  for (const { title, answer } of broken) {
    it(`answers unavailable for a source that ${title}, and counts it as a failure`, async () => {
      const { look, script, source } = openStage();
      script.answer = answer;
      for (let i = 0; i < 3; i += 1) {
        expect(await look()).to.deep.equal({ kind: 'unavailable', reason: 'boom', scope: 'source' });
      }
      expect(source.state).to.equal('open');
    });
  }

  describe('after three failures that may be the fault of the names', () => {
    it('uses a source whose check is well', async () => {
      const { look, script, source, calls, notices } = openStage();
      script.check = () => Promise.resolve({ ok: true });
      for (let i = 0; i < 3; i += 1) await look(HANGS);
      await settled();
      expect([source.state, calls.checks, notices]).to.deep.equal(['closed', 1, []]);
      for (let i = 0; i < 2; i += 1) await look(HANGS);
      await settled();
      expect([source.state, calls.checks]).to.deep.equal(['closed', 1]);
    });

    it('skips one whose check fails, and probes it', async () => {
      const { look, source, calls, notices, time } = openStage();
      for (let i = 0; i < 3; i += 1) await look(HANGS);
      await settled();
      expect([source.state, calls.checks, time.delaysMs]).to.deep.equal(['open', 1, [1_000]]);
      expect(notices).to.deep.equal([
        'source redis is unavailable: still down; skipped until it answers again',
      ]);
    });

    it('skips one whose check takes longer than two seconds, and asks it meanwhile', async () => {
      const { look, script, source, calls, time } = openStage();
      script.check = () => new Promise(() => undefined);
      for (let i = 0; i < 5; i += 1) await look(HANGS);
      await time.advance(1_999);
      expect([source.state, calls.lookups, calls.checks]).to.deep.equal(['closed', 5, 1]);
      await time.advance(1);
      expect(source.state).to.equal('open');
    });

    it('uses one that has found a name while its check failed', async () => {
      const { look, script, source, time } = openStage();
      script.check = () => new Promise(() => undefined);
      for (let i = 0; i < 3; i += 1) await look(HANGS);
      await look(FOUND);
      await time.advance(2_000);
      expect(source.state).to.equal('closed');
    });
  });

  it('probes after 1 s, and then less and less often down to every 5 s', async () => {
    const { fail, time, calls } = openStage();
    await fail(3);
    const delays: (number | undefined)[] = [];
    for (let i = 0; i < 7; i += 1) {
      expect(time.delaysMs).to.have.length(1);
      delays.push(time.delaysMs[0]);
      await time.advance(time.delaysMs[0] ?? 0);
    }
    expect(delays).to.deep.equal([1000, 2000, 4000, 5000, 5000, 5000, 5000]);
    expect([calls.checks, calls.lookups]).to.deep.equal([7, 3]);
  });

  it('uses the source again when its check is ok, and says so once', async () => {
    const { fail, look, time, script, source, notices } = openStage();
    await fail(3);
    await time.advance(1000);
    expect(await look()).to.deep.include({ reason: 'it is skipped: still down' });
    script.check = () => Promise.resolve({ ok: true });
    await time.advance(2000);
    expect([source.state, time.delaysMs]).to.deep.equal(['closed', []]);
    expect(await look(FOUND)).to.equal(FOUND);
    expect(notices.slice(1)).to.deep.equal(['source redis answers again']);
  });

  it('takes a check that rejects for a failed one', async () => {
    const { fail, time, script, source } = openStage();
    await fail(3);
    script.check = () => Promise.reject(new Error('boom'));
    await time.advance(1000);
    expect([source.state, time.delaysMs]).to.deep.equal(['open', [2000]]);
    expect(await source.check()).to.deep.equal({ ok: false, reason: 'boom' });
  });

  it('goes on with longer delays when a check is ok and the look-ups are not', async () => {
    const { fail, look, time, script } = openStage();
    script.check = () => Promise.resolve({ ok: true });
    await fail(3);
    await time.advance(1000);
    await fail(3);
    expect(time.delaysMs).to.deep.equal([2000]);
    await time.advance(2000);
    await look(ABSENT);
    await fail(3);
    expect(time.delaysMs).to.deep.equal([1000]);
  });

  it('closes when a look-up that was under way succeeds after all', async () => {
    const { fail, script, source, time, notices } = openStage();
    let answer: (result: Lookup) => void = () => undefined;
    script.answer = () => new Promise((resolve) => (answer = resolve));
    const slow = source.lookup(NAME, CONTEXT);
    await fail(3);
    answer(FOUND);
    expect(await slow).to.equal(FOUND);
    expect([source.state, time.delaysMs, notices.length]).to.deep.equal(['closed', [], 2]);
  });

  it('never has two probes waiting, even when one from an earlier outage ends late', async () => {
    const { fail, script, source, time } = openStage();
    let answer: (result: Lookup) => void = () => undefined;
    script.answer = () => new Promise((resolve) => (answer = resolve));
    void source.lookup(NAME, CONTEXT);
    await fail(3);
    let endCheck: (outcome: SourceCheck) => void = () => undefined;
    script.check = () => new Promise((resolve) => (endCheck = resolve));
    await time.advance(1000);
    answer(FOUND);
    await settled();
    await fail(3);
    endCheck({ ok: false, reason: 'late' });
    await settled();
    expect([source.state, time.delaysMs.length]).to.deep.equal(['open', 1]);
  });

  it('passes check, forget and close through', async () => {
    const { source, calls } = openStage();
    expect(await source.check()).to.deep.equal({ ok: false, reason: 'still down' });
    source.forget(NAME);
    source.forget();
    await source.close();
    expect(calls).to.deep.include({ checks: 1, forgotten: [NAME, undefined], closed: 1 });
  });

  it('leaves no timer behind when it is closed, and starts none for what fails afterwards', async () => {
    const { source, time, fail, script, notices } = openStage();
    await fail(3);
    let endCheck: (outcome: SourceCheck) => void = () => undefined;
    script.check = () => new Promise((resolve) => (endCheck = resolve));
    await time.advance(1000);
    await source.close();
    endCheck({ ok: true });
    await settled();
    expect([time.delaysMs, notices.length]).to.deep.equal([[], 1]);

    const other = openStage();
    await other.fail(3);
    await other.source.close();
    expect(other.time.delaysMs).to.deep.equal([]);

    const third = openStage();
    await third.source.close();
    await third.fail(3);
    expect([third.time.delaysMs, third.notices]).to.deep.equal([[], []]);
  });

  describe('says that a source is in trouble', () => {
    it('at once, and once, though successes come in between; and when it is over, how long it took', async () => {
      const { look, fail, time, errors, notices, said } = openStage();
      for (let i = 0; i < 20; i++) {
        await fail(1);
        time.nowMs += 1_000;
        await look({ kind: 'absent' });
        time.nowMs += 1_000;
      }
      expect(errors).to.deep.equal(['source redis fails: connection refused']);
      expect(notices).to.deep.equal([]);
      time.nowMs += 7_999;
      await look();
      expect(notices).to.deep.equal([]);
      time.nowMs += 1;
      await look();
      expect(notices).to.deep.equal(['source redis answers again']);
      expect(said).to.deep.equal({ afterMs: 48_000, failures: 20 });
      await fail(1);
      expect(errors).to.have.length(2);
    });

    it('and when it is used again after it was skipped', async () => {
      const { fail, time, script, errors, notices, said } = openStage();
      await fail(3);
      script.check = () => Promise.resolve({ ok: true });
      await time.advance(1_000);
      expect(errors).to.have.length(1);
      expect(notices.at(-1)).to.equal('source redis answers again');
      expect(said).to.deep.equal({ afterMs: 1_000, failures: 3 });
    });
  });
});
