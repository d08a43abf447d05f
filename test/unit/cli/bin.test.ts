import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const BIN = fileURLToPath(new URL('../../../bin/peter-sslers-proxy', import.meta.url));

describe('bin/peter-sslers-proxy', () => {
  let dir: string;
  beforeEach(() => {
    // A package of its own around a copy, so that what is built here does not matter.
    dir = mkdtempSync(join(tmpdir(), 'bin-test-'));
    mkdirSync(join(dir, 'bin'));
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    copyFileSync(BIN, join(dir, 'bin', 'peter-sslers-proxy'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function run(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((settle) => {
      const child = execFile(join(dir, 'bin', 'peter-sslers-proxy'), args, (_error, stdout, stderr) =>
        settle({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  }

  it('is executable', () => {
    expect(statSync(BIN).mode & 0o111).to.equal(0o111);
  });

  it('says what to do when nothing is built', async () => {
    expect(await run(['start'])).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'peter-sslers-proxy: dist/ is missing: run `npm run build` first\n',
    });
  });

  it('hands its arguments to the built program and takes over its exit code', async () => {
    mkdirSync(join(dir, 'dist', 'cli'), { recursive: true });
    writeFileSync(
      join(dir, 'dist', 'cli', 'main.js'),
      'export const run = async (argv) => { console.log(JSON.stringify(argv)); return 7; };',
    );
    expect(await run(['start', '--x', 'a b'])).to.deep.equal({
      code: 7,
      stdout: '["start","--x","a b"]\n',
      stderr: '',
    });
  });

  /** A built program that a signal comes to while it is loaded. */
  function build(loading: string, running: string): void {
    mkdirSync(join(dir, 'dist', 'cli'), { recursive: true });
    writeFileSync(
      join(dir, 'dist', 'cli', 'main.js'),
      `${loading}\nexport const run = async (argv, takeSignals) => { ${running} };`,
    );
  }

  it('keeps SIGHUP and SIGUSR1 that come before the program is loaded, for the program to obey them', async () => {
    build(
      `const last = new Promise((resolve) => process.once('SIGUSR1', resolve));
       for (const signal of ['SIGHUP', 'SIGHUP', 'SIGUSR1']) process.kill(process.pid, signal);
       const alive = setInterval(() => {}, 1000);
       await last;
       clearInterval(alive);`,
      `console.log(JSON.stringify([[...takeSignals()], process.listenerCount('SIGHUP')])); return 7;`,
    );
    expect(await run(['start'])).to.deep.equal({
      code: 7,
      stdout: '[["SIGHUP","SIGUSR1"],0]\n',
      stderr: '',
    });
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) {
    it(`ends with 0 by a ${signal} that comes before the program is loaded`, async () => {
      build(
        `setInterval(() => {}, 1000);
         process.kill(process.pid, '${signal}');
         await new Promise(() => undefined);`,
        '',
      );
      expect(await run(['start'])).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    });
  }
});
