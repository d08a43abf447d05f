import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { HashingThread, type HashingThreadOptions } from '../../../lib/admin/hashing-thread.js';
import { silentLogger } from '../../../lib/log/logger.js';
import { makeTempDir } from '../../support/certificates.js';
import { assertFreshDist } from '../../support/fresh-dist.js';

const run = promisify(execFile);

/** As it is built: to load TypeScript would take most of a start. */
const PROGRAM = new URL('../../../dist/admin/hashing-thread-main.js', import.meta.url);

/** Of `sslers`, with cost 12. */
const COST_12 = '$2b$12$abcdefghijklmnopqrstuuK7qXaKUuCPbiUDv5wKoVCqamGqrFDd2';
/** Of `sslers`, with cost 4. */
const COST_4 = '$2b$04$abcdefghijklmnopqrstuuyegKZ1g4a5kzOHRT1vEdFcHb1NvkUqW';
const APR1 = '$apr1$abcdefgh$EVwvJdI3p4F1FfKB3Du.h.';
const APR1_PASSWORD = 'péter:s $x';

describe('the thread for slow password hashes', () => {
  let thread: HashingThread;
  let lines: [message: string, fields: unknown][];
  let endIdle: (() => void) | undefined;

  const open = (options: Partial<HashingThreadOptions> = {}): HashingThread =>
    (thread = new HashingThread({
      program: PROGRAM,
      log: { ...silentLogger, err: (message, fields) => lines.push([message, fields]) },
      startTimer: (callback) => {
        endIdle = callback;
        return () => (endIdle = undefined);
      },
      ...options,
    }));
  const ordinary = (hash: string, password: string): Promise<boolean> =>
    thread.check({ hash, password, isUrgent: false });
  const urgent = (hash: string, password: string): Promise<boolean> =>
    thread.check({ hash, password, isUrgent: true });

  before(() => assertFreshDist());
  beforeEach(() => {
    lines = [];
    endIdle = undefined;
  });
  afterEach(() => thread.close());

  it('knows right passwords and wrong ones, in turns and at once', async () => {
    open();
    for (const check of [ordinary, urgent]) {
      expect(await check(COST_4, 'sslers')).to.equal(true);
      expect(await check(COST_4, 'wrong')).to.equal(false);
      expect(await check(APR1, APR1_PASSWORD)).to.equal(true);
      expect(await check(APR1, 'wrong')).to.equal(false);
    }
  });

  it('leaves the event loop idle while it computes', async () => {
    open();
    await ordinary(COST_4, 'so that it has started');
    const before = performance.eventLoopUtilization();
    await ordinary(COST_12, 'wrong');
    const { utilization, idle } = performance.eventLoopUtilization(before);
    expect(idle, 'a hash takes longer').to.be.above(50);
    expect(utilization).to.be.below(0.5);
  });

  it('does an urgent job before the rest of an ordinary one', async () => {
    open();
    const order: string[] = [];
    const guess = ordinary(COST_12, 'wrong').then(() => order.push('ordinary'));
    await urgent(COST_4, 'sslers').then(() => order.push('urgent'));
    await guess;
    expect(order).to.deep.equal(['urgent', 'ordinary']);
  });

  it('starts with the first job and ends when there is none for a while; the next one starts another', async () => {
    open();
    expect(thread.isRunning).to.equal(false);
    await ordinary(COST_4, 'sslers');
    expect(thread.isRunning).to.equal(true);
    endIdle?.();
    expect(thread.isRunning).to.equal(false);
    expect(await ordinary(COST_4, 'sslers')).to.equal(true);
    expect(lines).to.deep.equal([]);
  });

  it('does not end while a job is under way', async () => {
    open();
    await ordinary(COST_4, 'sslers');
    const job = ordinary(COST_12, 'sslers');
    expect(endIdle).to.equal(undefined);
    expect(await job).to.equal(true);
  });

  it('is replaced when it dies: the jobs under way fail, the next one is done', async () => {
    open();
    const results = await Promise.allSettled([
      ordinary('$6$no hash at all', 'secret-1'),
      ordinary(COST_12, 'secret-2'),
    ]);
    expect(results.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(await ordinary(COST_4, 'sslers')).to.equal(true);
    expect(lines).to.have.length(1);
    expect(lines[0]![1]).to.deep.equal({ passwords: 2, error: 'unknown hash format' });
    expect(JSON.stringify([lines, results.map(String)])).not.to.match(/secret/);
  });

  it('fails its jobs when it cannot start', async () => {
    open({ program: new URL('./nothing-here.mjs', import.meta.url) });
    const results = await Promise.allSettled([urgent(COST_4, 'sslers'), urgent(COST_4, 'sslers')]);
    expect(results.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(results[0]).to.have.nested.property('reason.code', 'ERR_INTERNAL');
    expect(lines).to.have.length(1);
  });

  it('keeps no process alive', async () => {
    open();
    const module = new URL('../../../lib/admin/hashing-thread.ts', import.meta.url).href;
    const program = `
      import { HashingThread } from ${JSON.stringify(module)};
      const timer = setInterval(() => undefined, 1_000);
      const thread = new HashingThread({ program: new URL(${JSON.stringify(PROGRAM.href)}), log: { err: console.error } });
      console.log(await thread.check({ hash: '${COST_4}', password: 'sslers', isUrgent: true }));
      clearInterval(timer);`;
    const { dir, remove } = await makeTempDir();
    try {
      const file = join(dir, 'program.mjs');
      await writeFile(file, program);
      const { stdout } = await run(process.execPath, [...process.execArgv, file]);
      expect(stdout).to.equal('true\n');
    } finally {
      await remove();
    }
  });
});
