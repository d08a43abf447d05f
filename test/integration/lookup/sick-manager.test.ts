/**
 * Every way in which the manager has been seen to fail, through the whole program: the default is served, the log says why,
 * and everybody is alive.
 */
import { expect } from 'chai';
import type { Script } from '../../support/fake-manager.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { fingerprintOf, visit } from '../../support/visit.js';

/** What a manager is asked for to see whether it is well. */
const CHECKED = 'check.peter-sslers-proxy.invalid';

const FORMS: Record<string, { script: Script; reason: RegExp }> = {
  '500 in plain text': {
    script: { status: 500, headers: { 'Content-Type': 'text/plain' }, body: 'Internal Server Error' },
    reason: /^it answered 500 \(an internal error, or a known name without a certificate\)$/,
  },
  'a 404 for the path itself': {
    script: {
      status: 404,
      body: {
        message: 'The resource could not be found.\n\n\n/wrong/prefix\n\n',
        code: '404 Not Found',
        title: '',
      },
    },
    reason: /^it answered 404 .*the prefix in --fallback-server is probably wrong$/,
  },
  'the 404 of another server': {
    script: { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<h1>Not Found</h1>' },
    reason: /^it answered 404 without the JSON of a manager: the address or its prefix is probably wrong$/,
  },
  'a page of HTML': {
    script: { headers: { 'Content-Type': 'text/html' }, body: '<html>login</html>' },
    reason: /^it answered 200 with text\/html$/,
  },
  'JSON that ends in the middle': {
    script: { body: '{"Domain": {"id": "1", "domain_na' },
    reason: /^it answered 200 with broken JSON$/,
  },
  'a body that ends before its length': {
    script: { body: { Domain: { id: '1' } }, truncateAt: 10 },
    reason: /^it closed the connection before its answer was complete/,
  },
  '10 MB of body': {
    script: { hugeBytes: 10_000_000 },
    reason: /^its answer is larger than 1 MiB/,
  },
  'a redirect': {
    script: { redirect: 'http://127.0.0.1:1/elsewhere' },
    reason: /^it answered 302, and redirects are not followed$/,
  },
  'a closed connection': {
    script: { closeWithoutAnswer: true },
    reason: /^it closed the connection before its answer was complete/,
  },
  '500 as a page of HTML': {
    script: { status: 500, headers: { 'Content-Type': 'text/html' }, body: '<h1>Internal Server Error</h1>' },
    reason: /^it answered 500$/,
  },
  'JSON without a certificate': {
    script: { body: { answer: 42 } },
    reason: /^none of the keys in --cert-preferences appears in its answer; keys seen: answer$/,
  },
  'a list': { script: { body: [] }, reason: /^it answered with JSON that is not an object$/ },
  '401': {
    script: { status: 401, headers: { 'Content-Type': 'text/html' }, body: '<h1>401</h1>' },
    reason: /^it answered 401: the credentials are missing or wrong$/,
  },
};

describe('A manager that answers with', () => {
  let stage: Stage;
  let program: Program;
  let processes: readonly number[];
  before(async () => {
    stage = await openStage();
    program = await startProgram([
      ...stage.managerFlags,
      '--error-cache-duration',
      '0.2',
      '--lookup-timeout',
      '2',
    ]);
    processes = await program.workerPids();
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });
  afterEach('primary and worker are alive, and it works again', async () => {
    expect(await program.workerPids()).to.deep.equal(processes);
    expect(program.log.filter(({ msg }) => / failed$|died/.test(msg))).to.deep.equal([]);
    // A success between the failures: three in a row and it is skipped.
    const name = `well-${Math.random().toString(36).slice(2)}.test`;
    const pair = await stage.ca.issue([name]);
    stage.manager.setCertificate(name, pair);
    expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(pair));
  });

  for (const [index, [what, { script, reason }]] of Object.entries(FORMS).entries()) {
    it(`${what}: the default, and a log line that says so`, async () => {
      const name = `form-${index}.test`;
      stage.manager.answer('GET', name, script);
      expect((await visit(program, name)).tier).to.equal('default');
      const line = await program.logged('no source could tell', { name });
      // The manager's 500 is about one name, all else about the manager, which is said once by itself.
      expect(line.level).to.equal(what.startsWith('500') ? 'notice' : 'info');
      expect(line['reason']).to.match(/^manager: /);
      expect(String(line['reason']).slice('manager: '.length)).to.match(reason);
    });
  }

  it('nothing at all: the handshake ends within --lookup-timeout, long before the manager is given up', async () => {
    const pair = await stage.ca.issue(['hang.test']);
    let answerNow = (): void => undefined;
    const until = new Promise<void>((resolve) => (answerNow = resolve));
    stage.manager.setCertificate('hang.test', pair);
    stage.manager.answer('GET', 'hang.test', { until, status: 503, times: 1 });
    expect((await visit(program, 'hang.test')).tier).to.equal('default');
    expect(program.log.filter(({ name, msg }) => name === 'hang.test' && msg !== 'handshake')).to.deep.equal(
      [],
    );
    answerNow();
    await program.logged('no source could tell', { name: 'hang.test' });
    expect(
      await eventuallySees(
        'it is served',
        () => visit(program, 'hang.test'),
        ({ tier }) => tier !== 'default',
      ),
    ).to.include({ fingerprint: fingerprintOf(pair) });
  });

  it('whatever: it is asked for the name of the handshake in lower case, and never for what is no name', async () => {
    await visit(program, 'UPPER-Case.Test');
    await visit(program, 'under_score.test');
    await visit(program, 'xn--bcher-kva.test');
    const asked = stage.manager.requests.map(
      ({ url }) => /\/domain\/(.*)\/config\.json(?:\?openresty=1)?$/.exec(url)?.[1],
    );
    expect(asked).to.include.members(['upper-case.test', 'under_score.test', 'xn--bcher-kva.test']);
    expect(asked.filter((name) => name === undefined || /[A-Z]/.test(name))).to.deep.equal([]);
    const before = stage.manager.requests.length;
    for (const junk of ['../../../etc/passwd', '12345', 'a b.test', 'a%2fb.test', '-a.test', 'a..test']) {
      const seen = await visit(program, junk).catch((error: unknown) => error);
      if (!(seen instanceof Error)) expect(seen).to.include({ tier: 'default' });
    }
    expect(stage.manager.requests).to.have.length(before);
  });
});

describe('A manager that goes on failing', () => {
  it('for some names alone is not skipped for all others', async () => {
    const stage = await openStage();
    try {
      await using program = await startProgram(stage.managerFlags);
      const pair = await stage.ca.issue(['well.test']);
      stage.manager.setCertificate('well.test', pair);
      for (const [index, script] of [
        { status: 502 },
        { closeWithoutAnswer: true },
        { status: 403, headers: { 'Content-Type': 'text/html' }, body: '<h1>Forbidden</h1>' },
      ].entries()) {
        stage.manager.answer('GET', `f${index}.test`, script);
        expect((await visit(program, `f${index}.test`)).tier).to.equal('default');
      }
      await stage.manager.received(1, ({ url }) => url.includes(CHECKED));
      expect((await visit(program, 'well.test')).fingerprint).to.equal(fingerprintOf(pair));
      expect(program.log.filter(({ msg }) => msg.includes('skipped'))).to.deep.equal([]);
    } finally {
      await stage.close();
    }
  });

  it('is skipped, which is said once at notice, and used again when it is well', async () => {
    const stage = await openStage();
    try {
      const failing = Array.from({ length: 20 }, (_, index) => `f${index}.test`);
      await using program = await startProgram([...stage.managerFlags, '--error-cache-duration', '0.2']);
      stage.manager.answer('GET', CHECKED, { status: 503, times: 1 });
      for (const name of failing) {
        stage.manager.answer('GET', name, { status: 503 });
        expect((await visit(program, name)).tier).to.equal('default');
      }
      const asked = stage.manager.requests.filter(({ url }) => url.includes('/domain/f'));
      expect(asked.length).to.be.below(failing.length / 2);
      const pair = await stage.ca.issue(['well.test']);
      stage.manager.setCertificate('well.test', pair);
      const seen = await eventuallySees(
        'it is used again',
        () => visit(program, 'well.test'),
        ({ tier }) => tier !== 'default',
      );
      expect(seen.fingerprint).to.equal(fingerprintOf(pair));
      const spoken = program.log.filter(({ level, msg }) => level === 'notice' && msg.startsWith('source '));
      expect(spoken.map(({ msg }) => msg)).to.deep.equal([
        `source manager is unavailable: the manager at ${stage.manager.root}: it answered 503; skipped until it answers again`,
        'source manager answers again',
      ]);
    } finally {
      await stage.close();
    }
  });
});
