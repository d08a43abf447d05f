/**
 * `htpasswd`, with the real program: on a terminal, from standard input, and with what the program makes of the file.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHtpasswd } from '../../../lib/admin/htpasswd.js';
import { makeTempDir } from '../../support/certificates.js';
import { BIN } from '../../support/process-stage.js';
import { runCommand, type Ended } from '../../support/run-program.js';

const OTHER = '# ours\nother:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n';

describe('htpasswd', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let file: string;

  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    file = join(dir, 'users');
  });
  afterEach(() => remove());

  const run = (argv: readonly string[], input = ''): Promise<Ended> =>
    runCommand(['htpasswd', ...argv], { cwd: dir, input });
  const hashOf = async (user: string): Promise<string | undefined> =>
    parseHtpasswd(await readFile(file, 'utf8')).entryOf(user)?.hash;

  it('makes a file for its owner alone, with a bcrypt hash that is the password', async () => {
    expect(await run(['users', 'peter', '--stdin'], 'sslers\n')).to.deep.equal({
      code: 0,
      stdout: 'added peter\n',
      stderr: '',
    });
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    const hash = await hashOf('peter');
    expect(hash).to.match(/^\$2[ab]\$1[0-2]\$/);
    const { compare } = await import('bcryptjs');
    expect([await compare('sslers', hash!), await compare('sslers\n', hash!)]).to.deep.equal([true, false]);
  });

  it('keeps all other lines, the mode and a link, and leaves no draft', async () => {
    await writeFile(join(dir, 'real'), `${OTHER}peter:old\n`);
    await chmod(join(dir, 'real'), 0o640);
    await symlink('real', file);
    expect((await run(['users', 'peter', '--stdin', '--json'], 'new')).stdout).to.equal(
      `${JSON.stringify({ file, user: 'peter', result: 'changed' })}\n`,
    );
    const text = await readFile(join(dir, 'real'), 'utf8');
    expect(text).to.match(/^# ours\nother:.*\npeter:\$2.*\n$/);
    expect((await stat(join(dir, 'real'))).mode & 0o777).to.equal(0o640);
    expect((await readdir(dir)).sort()).to.deep.equal(['real', 'users']);
    expect((await run(['users', 'peter', '--delete'])).stdout).to.equal('deleted peter\n');
    expect(await readFile(file, 'utf8')).to.equal(OTHER);
  });

  it('changes nothing where something is wrong', async () => {
    await writeFile(file, OTHER);
    const wrong: [argv: string[], input: string, code: number, says: RegExp][] = [
      [['users', 'a:b', '--stdin'], 'x', 2, /the user must not have a colon/],
      [['users', 'peter', '--stdin'], '\n', 2, /must not be empty/],
      [['users', 'peter', '--stdin'], 'x'.repeat(73), 2, /must have 72 bytes at most/],
      [['users', 'peter'], 'x', 2, /is no terminal to ask on: use --stdin/],
      [['users', 'peter', '--delete'], '', 1, /has no user peter/],
      [['none', 'peter', '--delete'], '', 1, /there is no none/],
      [['no/such', 'peter', '--stdin'], 'x', 1, /cannot be written \(ENOENT\)/],
      [['users'], '', 2, /htpasswd needs <FILE> <USER>/],
    ];
    for (const [argv, input, code, says] of wrong) {
      const ended = await run(argv, input);
      expect([ended.code, ended.stdout], argv.join(' ')).to.deep.equal([code, '']);
      expect(ended.stderr).to.match(says);
    }
    expect(await readFile(file, 'utf8')).to.equal(OTHER);
    expect(await readdir(dir)).to.deep.equal(['users']);
  });

  /** Types on a terminal of its own, an answer for each question. */
  async function type(answers: readonly string[]): Promise<{ code: number | null; output: string }> {
    const command = `exec ${process.execPath} ${BIN} htpasswd users peter`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd: dir });
    let output = '';
    const questions = /password: |the same again: /g;
    let asked = 0;
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (; asked < (output.match(questions)?.length ?? 0); asked += 1) {
        terminal.stdin.write(answers[asked] ?? '');
      }
    });
    const [code] = (await once(terminal, 'close')) as [number | null];
    return { code, output };
  }

  it('asks on a terminal, twice, and shows nothing of what is typed', async () => {
    const { code, output } = await type(['sslerx\x7fs\r', 'sslers\r']);
    expect([code, output.replaceAll('\r', '')]).to.deep.equal([
      0,
      'password: \nthe same again: \nadded peter\n',
    ]);
    const { compare } = await import('bcryptjs');
    expect(await compare('sslers', (await hashOf('peter'))!)).to.equal(true);
  });

  it('takes what is typed ahead for the next answer', async () => {
    expect(await type(['sslers\rsslers\r', ''])).to.include({ code: 0 });
  });

  it('changes nothing after two different passwords, or Ctrl-C', async () => {
    expect(await type(['one\r', 'two\r'])).to.include({ code: 1 });
    const { code, output } = await type(['on\x03']);
    expect(code).to.equal(1);
    expect(output).to.contain('no password was given, and nothing was changed');
    expect(await readdir(dir)).to.deep.equal([]);
  });
});
