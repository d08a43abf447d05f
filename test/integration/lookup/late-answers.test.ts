/**
 * A worker that reads the primary's answer late, since it stood still: the answer's time has been running meanwhile, so that what
 * was withdrawn is served for no longer than `--lru-cache-duration` more.
 */
import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { startProgram } from '../../support/program.js';
import { openStage, type Stage } from '../../support/stage.js';
import { fingerprintOf, visit } from '../../support/visit.js';

const LRU_S = 1;

describe('An answer that a worker reads late', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it('serves the handshake that waits for it, and not the next one', async () => {
    const { manager, ca, managerFlags } = stage;
    const [old, renewed] = await Promise.all([ca.issue(['a.test']), ca.issue(['a.test'])]);
    const durations = ['--lru-cache-duration', String(LRU_S), '--cert-cache-duration', '0.1'];
    await using program = await startProgram([...managerFlags, '--workers', '1', ...durations]);
    const [pid = 0] = await program.workerPids();
    manager.setCertificate('a.test', old);
    const answer = await fetch(`${manager.root}/domain/a.test/config.json`);
    const release = defer<void>();
    manager.answer('GET', 'a.test', { until: release.promise, body: await answer.text(), times: 1 });
    const waiting = visit(program, 'a.test');
    await manager.received(2, ({ url }) => url.includes('a.test'));
    process.kill(pid, 'SIGSTOP');
    try {
      release.resolve();
      await program.logged('certificate found', { name: 'a.test' });
      await new Promise((resolve) => setTimeout(resolve, 1_000 * LRU_S));
      manager.setCertificate('a.test', renewed);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await waiting).fingerprint).to.equal(fingerprintOf(old));
    expect((await visit(program, 'a.test')).fingerprint).to.equal(fingerprintOf(renewed));
  });
});
