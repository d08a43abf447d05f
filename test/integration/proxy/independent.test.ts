/**
 * With parts that are not ours at both ends: Debian's nginx as the backend, curl and h2load as clients.
 */
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.js';
import { startNginx, type Nginx } from '../../support/nginx.js';
import { startProgram, type Program } from '../../support/program.js';

const execute = promisify(execFile);
const NAME = 'www.localhost';
const LARGE = randomBytes(3 * 1024 ** 2 + 17);
const TEXT = 'a line of text\n'.repeat(5_000);
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe('In front of nginx', () => {
  let nginx: Nginx;
  let program: Program;

  before(async () => {
    nginx = await startNginx();
    await nginx.write('file.txt', TEXT);
    await nginx.write('large.bin', LARGE);
    await nginx.write('small.html', '<p>small</p>');
    program = await startProgram(['--backend', nginx.url, '--backend', `unix.localhost=${nginx.unixUrl}`]);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await nginx[Symbol.asyncDispose]();
  });

  const urlOf = (path: string, name = NAME): string => `https://${name}:${program.port}${path}`;

  /** Runs curl in silence; an error of its own fails the test. */
  async function curl(...args: string[]): Promise<Buffer> {
    const resolve = ['--resolve', `*:${program.port}:127.0.0.1`];
    const { stdout } = await execute('curl', ['-sSk', '--max-time', '40', ...resolve, ...args], {
      encoding: 'buffer',
      maxBuffer: 64 * 1024 ** 2,
    });
    return stdout;
  }

  for (const [flag, version] of [
    ['--http1.1', '1.1'],
    ['--http2', '2'],
  ] as const) {
    describe(`curl ${flag}`, () => {
      it('gets files byte for byte, sized and chunked', async () => {
        expect(sha256(await curl(flag, urlOf('/large.bin')))).to.equal(sha256(LARGE));
        expect(sha256(await curl(flag, '--compressed', urlOf('/chunked/file.txt')))).to.equal(sha256(TEXT));
        const head = String(
          await curl(flag, '-D', '-', '-o', '/dev/null', '--compressed', urlOf('/chunked/file.txt')),
        );
        expect(head).to.match(new RegExp(`^HTTP/${version.replace('.', '\\.')} 200`));
        expect(head)
          .to.match(/^content-encoding: gzip\r$/im)
          .and.not.to.match(/^content-length:/im);
        if (version === '1.1') expect(head).to.match(/^transfer-encoding: chunked\r$/im);
      });

      it('gets statuses, ranges and heads as nginx sends them', async () => {
        const format = '%{http_version} %{http_code} %{size_download}\n';
        const ask = async (...args: string[]): Promise<string> =>
          String(await curl(flag, '-o', '/dev/null', '-w', format, ...args)).trim();
        expect(await ask(urlOf('/empty'))).to.equal(`${version} 204 0`);
        expect(await ask(urlOf('/moved'))).to.match(/ 302 /);
        expect(await ask('-L', urlOf('/moved'))).to.equal(`${version} 200 ${TEXT.length}`);
        expect(await ask(urlOf('/none'))).to.match(/ 404 /);
        expect(await ask('-r', '10-19', urlOf('/large.bin'))).to.equal(`${version} 206 10`);
        expect(await ask('-I', urlOf('/large.bin'))).to.match(/ 200 /);
        expect(await ask('-X', 'POST', '-d', 'x', urlOf('/file.txt'))).to.match(/ 405 /);
      });

      it('is answered 413 by nginx for an upload that is too large, and goes on', async () => {
        const upload = join(program.cwd, 'upload.bin');
        await writeFile(upload, Buffer.alloc(8 * 1024 ** 2));
        const codes = String(
          await curl(
            ...[
              flag,
              '-o',
              '/dev/null',
              '-w',
              '%{http_code} ',
              '--data-binary',
              `@${upload}`,
              urlOf('/file.txt'),
            ],
            ...['--next', '-k', flag, '-s', '-o', '/dev/null', '-w', '%{http_code}', urlOf('/file.txt')],
          ),
        );
        expect(codes).to.equal('413 200');
      });

      it('asks twenty times on one connection, which few connections to nginx carry', async () => {
        const before = (await nginx.log()).length;
        const counts = String(
          await curl(flag, '-o', '/dev/null', '-w', '%{num_connects} ', urlOf(`/small.html?[1-20]`)),
        );
        expect(counts.trim().split(' ')).to.deep.equal(['1', ...Array<string>(19).fill('0')]);
        // nginx writes its log after the response.
        await eventually('nginx has logged them', async () => (await nginx.log()).length >= before + 20);
        const lines = (await nginx.log()).slice(before);
        expect(lines).to.have.length(20);
        for (const line of lines) {
          expect(line).to.match(/^GET \/small\.html\?\d+ HTTP\/1\.1 200 /);
          expect(line).to.include(` host=${NAME}:${program.port} for=127.0.0.1 proto=https `);
        }
        expect(new Set(lines.map((line) => /connection=\d+/.exec(line)?.[0])).size).to.be.below(5);
      });
    });
  }

  it('its unix socket serves as well', async () => {
    expect(String(await curl(urlOf('/small.html', 'unix.localhost')))).to.equal('<p>small</p>');
  });

  const loads: [what: string, count: number, path: string, args: string[]][] = [
    [
      '600 requests in 300 streams of 3 connections',
      600,
      '/small.html',
      ['-n', '600', '-c', '3', '-m', '100'],
    ],
    ['60 large bodies in 30 streams of 1 connection', 60, '/large.bin', ['-n', '60', '-c', '1', '-m', '30']],
    ['400 requests over HTTP/1.1', 400, '/small.html', ['-n', '400', '-c', '8', '--h1']],
  ];
  for (const [what, count, path, args] of loads) {
    it(`h2load has all of ${what} answered`, async () => {
      const { stdout: summary } = await execute(
        'h2load',
        [...args, `--connect-to=127.0.0.1:${program.port}`, urlOf(path)],
        { timeout: 50_000 },
      );
      expect(summary).to.include(`${count} succeeded, 0 failed, 0 errored, 0 timeout`);
      expect(summary).to.include(`status codes: ${count} 2xx, 0 3xx, 0 4xx, 0 5xx`);
    });
  }
});
