/**
 * `why` where something hangs or is late: it says so, and does not hang itself.
 */
import { expect } from 'chai';
import type { StatusReport } from '../../../lib/domain/status-report.js';
import { handshake } from '../../support/client.js';
import { command } from '../../support/command.js';
import { eventually } from '../../support/eventually.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';
import { says, why } from '../../support/why.js';

describe('why, of what is late', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());
  let manager: FakeManager;
  beforeEach(async () => (manager = await startFakeManager()));
  afterEach(() => manager.close());

  it('a source that takes longer than --lookup-timeout', async () => {
    const pair = await stage.ca.issue(['slow.test']);
    manager.setCertificate('slow.test', pair);
    // Answers of the ordinary kind, each so much later.
    const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));
    const body = await (await fetch(`${manager.root}/domain/slow.test/config.json`)).json();
    manager.answer('GET', 'slow.test', {
      body,
      get until() {
        return later();
      },
    });
    await using program = await startProgram([
      ...['--fallback-server', manager.root, '--lookup-timeout', '0.2'],
    ]);
    await says(program, 'slow.test', {
      code: 'too-slow',
      sentence:
        'The default certificate is served while slow.test is looked up: manager took <time> to answer, and a handshake waits 200 ms for all sources together (--lookup-timeout).',
      once: true,
    });
    // As it says: the look-up goes on behind the handshake.
    await eventuallyServes(program, 'slow.test', pair);
  });

  it('a source that hangs: bounded to five seconds', async () => {
    manager.answer('GET', 'hung.test', { hang: true });
    await using program = await startProgram([
      ...['--fallback-server', manager.root, '--lookup-timeout', '0.2'],
    ]);
    const { report, tookMs } = await why(program, 'hung.test');
    expect(report.diagnosis).to.include({
      code: 'source-down',
      sentence:
        'The default certificate is served: manager is unavailable, and nothing of hung.test is cached: it has not answered within 5 s.',
    });
    expect(report.facts?.sources[0]?.tookMs).to.be.within(4_900, 6_000);
    // Starting the command on a loaded machine is in it.
    expect(tookMs).to.be.below(15_000);
  });

  it('look-ups that wait for their turn', async () => {
    const pair = await stage.ca.issue(['turn.test']);
    manager.setCertificate('turn.test', pair);
    await using program = await startProgram([
      ...['--fallback-server', manager.root, '--miss-rate', '0.01', '--lookup-timeout', '0.3'],
    ]);
    for (let index = 0; index < 4; index++) await visit(program, `junk-${index}.test`);
    await says(program, 'turn.test', {
      code: 'budget-empty',
      sentence:
        'The default certificate is served: look-ups of turn.test wait for their turn at manager, which may be asked 0.01 times a second (--miss-rate), and others have used that up (<n> wait now); manager has one now.',
      command: 'peter-sslers-proxy reload',
    });
  });

  it('a worker that stands still, beside one that serves; and all of them', async () => {
    const pair = await stage.ca.issue(['still.test'], { type: 'rsa' });
    await prime2(stage.redis, 'still.test', pair);
    await using program = await startProgram([...stage.redisFlags(2), '--workers', '2']);
    const [first = 0] = await program.workerPids();
    const asked = async (): Promise<{ sentence: string; tookMs: number }> => {
      const startedAtMs = performance.now();
      const { report } = await why(program, 'still.test');
      expect(report.diagnosis.code).to.equal('worker-silent');
      return { sentence: report.diagnosis.sentence, tookMs: performance.now() - startedAtMs };
    };
    process.kill(first, 'SIGSTOP');
    const one = await asked();
    expect(one.sentence).to.match(
      /^1 of 2 workers does not answer \(process \d+\): connections that it has accepted stand still until it is ended and replaced, which happens by itself within seconds; still\.test is served its own certificate by the others\.$/,
    );
    await program.logged(/worker stands still/);
    await program.logged('worker died');
    expect(fingerprintOf(pair)).to.equal(
      (await handshake({ port: program.port, servername: 'still.test' })).certificate.fingerprint256,
    );
    await eventually('there is another worker in its place, which accepts', async () => {
      const { workers } = JSON.parse((await command(program, ['status', '--json'])).stdout) as StatusReport;
      return (
        workers.length === 2 && workers.every(({ state, pid }) => state === 'accepting' && pid !== first)
      );
    });
    for (const pid of await program.workerPids()) process.kill(pid, 'SIGSTOP');
    const all = await asked();
    expect(all.sentence).to.match(
      /^Handshakes for still\.test get no answer: (?:the only worker|none of the 2 workers) \(process(?:es)? [\d, ]+\) answers; a worker that stands still is ended and replaced by itself within seconds\.$/,
    );
  });

  it('traffic that goes on meanwhile', async () => {
    await prime2(stage.redis, 'busy.test', await stage.ca.issue(['busy.test'], { type: 'rsa' }));
    await using program = await startProgram([...stage.redisFlags(2), '--workers', '2']);
    let isOver = false;
    let count = 0;
    const traffic = Array.from({ length: 4 }, async () => {
      for (; !isOver; count++) await handshake({ port: program.port, servername: 'busy.test' });
    });
    await says(program, 'busy.test', {
      code: 'served',
      sentence: 'busy.test is served its own certificate, which came from redis, valid until <date>.',
      exitCode: 0,
    });
    isOver = true;
    await Promise.all(traffic);
    expect(count).to.be.above(4);
  });
});
