/**
 * The commands that ask a running program: what they print, with and without --json, and their exit codes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { command, commandLine, type CommandResult } from '../../support/command.js';
import { connectTls } from '../../support/client.js';
import { makeTempDir } from '../../support/certificates.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { unusedPort } from '../../support/unused-port.js';
import { visit } from '../../support/visit.js';

describe('the command', () => {
  let stage: Stage;
  let program: Program;
  before(async () => {
    stage = await openStage();
    for (const name of ['a.test', 'b.test']) await prime2(stage.redis, name, await stage.ca.issue([name]));
    program = await startProgram([...stage.redisFlags(2), '--workers', '2']);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  const ask = (words: readonly string[], input?: string): Promise<CommandResult> =>
    command(program, words, input);
  const json = async (words: readonly string[], input?: string): Promise<Record<string, unknown>> => {
    const { stdout } = await ask([...words, '--json'], input);
    expect(stdout.split('\n'), 'one line of JSON').to.have.length(2);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  describe('status', () => {
    it('says how the program does, on one screen', async () => {
      const { code, stdout, stderr } = await ask(['status']);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.match(new RegExp(`^version .* process ${program.pid}$`, 'm'));
      expect(stdout).to.match(new RegExp(`^listens on +https://127\\.0\\.0\\.1:${program.port}$`, 'm'));
      expect(stdout).to.match(/^workers +\d+ accepting .*, \d+ accepting .*$/m);
      expect(stdout).to.match(/^source redis +up$/m);
    });

    it('gives the same as JSON', async () => {
      const report = await json(['status']);
      expect(report).to.include({ pid: program.pid });
      expect(report['sources']).to.deep.equal([{ name: 'redis', state: 'up' }]);
    });
  });

  describe('expire', () => {
    it('forgets names, and says how many workers have acknowledged', async () => {
      const bare = await ask(['expire', 'domain', 'a.test', 'B.test']);
      expect(bare).to.include({ code: 0, stdout: 'expired a.test\nexpired b.test\n' });
      const told = await ask(['expire', 'domain', 'a.test', '--workers']);
      expect(told).to.include({ code: 0, stdout: 'expired a.test, in 2 of 2 workers too\n' });
    });

    it('forgets all', async () => {
      expect(await ask(['expire', 'all', '--hard'])).to.include({ code: 0, stdout: 'expired all\n' });
      expect(await json(['expire', 'all', '--workers'])).to.deep.equal({
        expired: 'all',
        workers: 2,
        acknowledged: 2,
      });
    });

    it('ends with 1 where a worker has not acknowledged', async () => {
      const [pid = 0] = await program.workerPids();
      process.kill(pid, 'SIGSTOP');
      try {
        const { code, stdout } = await ask(['expire', 'all', '--workers']);
        expect({ code, stdout }).to.deep.equal({
          code: 1,
          stdout: 'expired all, in 1 of 2 workers too\n',
        });
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });
  });

  describe('warm', () => {
    it('looks up what standard input has, and says what is no name', async () => {
      const list = '# names\na.test\n\nB.TEST. # the same as b.test\nb.test\nnobody.test\na b\n';
      const { code, stdout, stderr } = await ask(['warm', '-'], list);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.equal(
        '3 names: 2 with a certificate, 1 without, 0 could not be looked up\nnot names, and left out: a b\n',
      );
      expect((await visit(program, 'a.test')).tier).to.equal('cache');
    });

    it('reads a file, and gives JSON', async () => {
      await writeFile(join(program.cwd, 'names'), 'a.test\n');
      expect(await json(['warm', 'names'])).to.deep.equal({
        names: 1,
        found: 1,
        absent: 0,
        unknown: [],
        skipped: [],
      });
      expect(await ask(['warm', 'nothing'])).to.include({
        code: 2,
        stderr: 'peter-sslers-proxy: warm: nothing cannot be read (ENOENT)\n',
      });
    });

    it('ends with 1, and says why, where names could not be looked up', async () => {
      await using other = await startProgram([
        '--redis-strategy',
        '2',
        '--redis-url',
        `redis://127.0.0.1:${await unusedPort()}`,
      ]);
      const { code, stdout } = await command(other, ['warm', '-'], 'a.test\n');
      expect(code).to.equal(1);
      expect(stdout).to.match(
        /^1 name: 0 with a certificate, 0 without, 1 could not be looked up\n {2}a\.test: unavailable, redis: cannot reach Redis/,
      );
    });
  });

  describe('reload', () => {
    it('says what has changed, and what needs a restart; refuses wrong settings with 1, and stays as it was', async () => {
      const { dir, remove } = await makeTempDir();
      try {
        const config = join(dir, 'proxy.json');
        const write = (flags: object): Promise<void> => writeFile(config, JSON.stringify(flags));
        await write({ 'cert-cache-duration': 60 });
        await using other = await startProgram(['--config', config]);
        expect(await command(other, ['reload'])).to.include({
          code: 0,
          stdout: 'reloaded: no flag has changed\n',
        });
        await write({ 'cert-cache-duration': 61 });
        expect(await command(other, ['reload'])).to.include({
          code: 0,
          stdout: 'reloaded: cert-cache-duration\n',
        });
        await write({ 'cert-cache-duration': 'soon' });
        const refused = await command(other, ['reload']);
        expect(refused.code).to.equal(1);
        expect(refused.stdout).to.match(/^not reloaded, everything stays as it was: .*cert-cache-duration/);
        const { code, stdout } = await command(other, ['reload', '--json']);
        expect(code).to.equal(1);
        expect(JSON.parse(stdout)).to.include({ ok: false });
        expect((await command(other, ['status'])).stdout).to.match(/^last reload .* refused: /m);
      } finally {
        await remove();
      }
    });
  });

  describe('without a reader of its output', () => {
    /** Its exit code, as a line of stderr after its own. */
    const unread = async (words: string): Promise<string> =>
      (await commandLine(program, `{ true && peter-sslers-proxy ${words}; echo "code $?" >&2; } | :`)).stderr;

    it('ends without a word, and with the exit code that it would have had', async () => {
      expect(await unread('start --help')).to.equal('code 0\n');
      expect(await unread('why nobody.test')).to.equal('code 1\n');
      expect(await unread('expire all --json')).to.equal('code 0\n');
    });

    it('does not go on for ever in status --watch', async () => {
      expect(await unread('status --watch')).to.equal('code 0\n');
    });

    it('says in one sentence that its output cannot be written, on a full disk for example', async () => {
      const { stderr, code } = await commandLine(program, 'peter-sslers-proxy status > /dev/full');
      expect({ code, stderr }).to.deep.equal({
        code: 1,
        stderr:
          'peter-sslers-proxy: standard output cannot be written: ENOSPC: no space left on device, write\n',
      });
    });
  });

  describe('stop', () => {
    it('returns when the program has ended, and connections were drained', async () => {
      const other = await startProgram(['--drain-timeout', '1']);
      try {
        const open = await connectTls({ port: other.port });
        const { code, stdout } = await command(other, ['stop']);
        expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'stopped\n' });
        expect(await other.exited).to.deep.equal({ code: 0, signal: null });
        open.destroy();
        const after = await command(other, ['status']);
        expect(after.code).to.equal(1);
        expect(after.stderr).to.match(
          /^peter-sslers-proxy: no program listens on .*control\.sock: start one/,
        );
      } finally {
        await other[Symbol.asyncDispose]();
      }
    });
  });

  it('runs on without a control socket where the path of the default one is too long', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const stateDir = join(dir, 'd'.repeat(100));
      await using other = await startProgram(['--state-dir', stateDir]);
      const line = await other.logged(/^control socket not opened: commands cannot reach this program/);
      expect(line.level).to.equal('notice');
      expect(line['error']).to.match(/longer than 107 bytes/);
      expect((await visit(other, 'a.test')).tier).to.match(/default|ca/);
    } finally {
      await remove();
    }
  });
});
