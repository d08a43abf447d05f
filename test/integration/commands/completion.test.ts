/**
 * What the shells make of `completion`: each reads its script, and says what may follow.
 */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/certificates.js';
import { runCommand } from '../../support/run-program.js';

/** What is asked of every shell: the words so far, the last one unfinished, and what is to be among the answers. */
const CASES: [typed: string[], has: string[], hasNot: string[]][] = [
  [['st'], ['start', 'status', 'stop'], ['why', 'check']],
  [['start', '--redis-s'], ['--redis-strategy'], ['--redis-url']],
  [['start', '--no-wild'], ['--no-wildcards'], ['--wildcards']],
  [['check', '--cert-d'], ['--cert-dir', '--cert-dir-interval'], ['--listen']],
  [['why', '--j'], ['--json'], ['--watch']],
  [['start', '--redis-strategy', ''], ['1', '2', 'none'], ['start']],
  [['start', '--log-level', 'de'], ['debug'], ['err']],
  [['start', '--config', 'conf'], ['config.yaml'], ['start']],
  [['expire', ''], ['all', 'domain'], ['start']],
  [['completion', ''], ['bash', 'zsh', 'fish'], ['start']],
];

describe('completion', () => {
  let dir: string;
  let remove: () => Promise<void>;
  const scripts: Record<string, string> = {};

  before(async () => {
    ({ dir, remove } = await makeTempDir());
    await mkdir(join(dir, 'configs'));
    await writeFile(join(dir, 'config.yaml'), '');
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout, stderr } = await runCommand(['completion', shell], { cwd: dir });
      expect([code, stderr]).to.deep.equal([0, '']);
      scripts[shell] = stdout;
      await writeFile(join(dir, `${shell}.script`), stdout);
    }
  });
  after(() => remove());

  function run(shell: string, argv: readonly string[], program: string): string[] {
    const { stdout, stderr, error } = spawnSync(shell, [...argv, program], { cwd: dir, encoding: 'utf8' });
    expect([error, stderr], program).to.deep.equal([undefined, '']);
    return stdout.split('\n').map((line) => line.replace(/\t.*/, '').trim());
  }

  function inBash(typed: readonly string[]): string[] {
    const words = ['peter-sslers-proxy', ...typed].map((word) => `'${word}'`).join(' ');
    const program = `source ./bash.script; COMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _peter_sslers_proxy; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run('bash', ['--norc', '-c'], program);
  }

  function inFish(typed: readonly string[]): string[] {
    return run(
      'fish',
      ['--no-config', '-c'],
      `source ./fish.script; complete -C 'peter-sslers-proxy ${typed.join(' ')}'`,
    );
  }

  for (const [shell, complete] of [
    ['bash', inBash],
    ['fish', inFish],
  ] as const) {
    for (const [typed, has, hasNot] of CASES) {
      it(`in ${shell} of \`${typed.join(' ')}\` offers ${has.join(', ')}`, () => {
        const offered = complete(typed);
        expect(offered).to.include.members(has);
        for (const word of hasNot) expect(offered).not.to.include(word);
      });
    }
  }

  it('in fish offers files for values that are files alone', () => {
    const values = (flag: string): string[] => inFish(['start', flag, '']).filter((line) => line !== '');
    expect(values('--redis-strategy')).to.have.members(['1', '2', 'none']);
    expect(values('--workers')).to.deep.equal([]);
    expect(values('--cert-dir')).to.deep.equal(['configs/']);
    expect(values('--config')).to.include.members(['config.yaml', 'configs/']);
  });

  it('in bash knows a value behind "="', () => {
    expect(inBash(['start', '--redis-strategy', '=', 'no'])).to.deep.equal(['none', '']);
    expect(inBash(['start', '--redis-strategy', '='])).to.deep.equal(['1', '2', 'none', '']);
  });

  it('in zsh is taken, and describes every command and flag', () => {
    // What `_describe` and `_arguments` are given is written down in their place: a real menu needs a terminal.
    const program = [
      'autoload -U compinit; compinit -D -u',
      'source ./zsh.script',
      '_describe() { print -l -- $commands }',
      '_arguments() { print -l -- "$@" }',
      'words=(peter-sslers-proxy "") CURRENT=2; _peter-sslers-proxy',
      'words=(peter-sslers-proxy start --redis) CURRENT=3; _peter-sslers-proxy',
    ].join('\n');
    const offered = run('zsh', ['-f', '-c'], program);
    expect(offered.some((line) => line.startsWith('status:say how'))).to.equal(true);
    expect(offered.some((line) => /^\*--redis-strategy=\[.*\]:value:\(1 2 none\)$/.test(line))).to.equal(
      true,
    );
  });

  it('says which shells there are to whoever names another', async () => {
    expect(await runCommand(['completion', 'tcsh'], { cwd: dir })).to.deep.equal({
      code: 2,
      stdout: '',
      stderr: 'peter-sslers-proxy: completion: name bash, zsh or fish, not "tcsh"\n',
    });
  });
});
