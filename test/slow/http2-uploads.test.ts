/**
 * Uploads over HTTP/2 on lines where every round trip counts, from clients that are not of our making.
 */
import { expect } from 'chai';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startBackend } from '../support/backend.js';
import { makeTempDir } from '../support/certificates.js';
import { H2Client, responseOf } from '../support/h2-client.js';
import { startProgram } from '../support/program.js';
import { startSlowLine } from '../support/slow-line.js';

const run = promisify(execFile);
const NAME = 'a.localhost';
/** `PUSHES=100` for more of them. */
const PUSHES = Number(process.env['PUSHES'] ?? 20);
const PACK_BYTES = 7_000_000;
/** A push takes a second; one that stalls takes as long as a time-out of ours. */
const STALL_MS = 20_000;

const ENV = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
const git = (cwd: string, ...args: readonly string[]): Promise<unknown> =>
  run('git', ['-c', 'user.name=a', '-c', 'user.email=a@a.test', ...args], {
    cwd,
    env: ENV,
    timeout: STALL_MS,
  });

/** What the CGI program of git says to a request. */
function answerAsGit(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '/', query = ''] = (request.url ?? '/').split('?');
  const { 'content-type': type = '', 'content-length': length, 'content-encoding': coding } = request.headers;
  const child = spawn('git', ['http-backend'], {
    env: {
      ...ENV,
      ...{ GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: 'a' },
      ...{ REQUEST_METHOD: request.method, PATH_INFO: path, QUERY_STRING: query, CONTENT_TYPE: type },
      ...(length !== undefined && { CONTENT_LENGTH: length }),
      ...(coding !== undefined && { HTTP_CONTENT_ENCODING: coding }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf('\r\n\r\n');
    for (const line of whole.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(whole.subarray(end + 4));
  });
}

describe('An upload over HTTP/2', () => {
  it('of 8 MB takes a few round trips', async () => {
    const delayMs = 150;
    await using backend = await startBackend((request, response) => {
      request.resume().on('end', () => response.end('taken'));
    });
    await using program = await startProgram(['--backend', backend.url]);
    await using line = await startSlowLine(program.port, delayMs);
    await using other = await startSlowLine(program.port, delayMs);
    using client = await H2Client.connect(line.port, NAME);
    using counter = await H2Client.connect(other.port, NAME);
    const stream = client.open({ ':method': 'POST' }, { isOpen: true });
    stream.end(Buffer.alloc(8_000_000));
    const taking = responseOf(stream);
    // On a busy machine a round trip takes longer than the line: so they are counted, by small requests beside it.
    let roundTrips = 0;
    for (let isTaken = false; !isTaken; roundTrips += 1) {
      isTaken = await Promise.race([counter.request().then(() => false), taking.then(() => true)]);
    }
    expect(await taking).to.include({ body: 'taken' });
    // 64 KiB, 1 MiB, 4 MiB, the rest and the answer; with windows that do not grow it is 9.
    expect(roundTrips).to.be.within(2, 7);
  });

  it(`by git push of 7 MB comes through ${PUSHES} times`, async function () {
    this.timeout(PUSHES * STALL_MS);
    const { dir, remove } = await makeTempDir();
    try {
      await git(dir, 'init', '-q', 'work');
      const work = join(dir, 'work');
      await writeFile(join(work, 'random'), randomBytes(PACK_BYTES));
      await git(work, 'add', '.');
      await git(work, 'commit', '-qm', 'random');
      await using backend = await startBackend((request, response) => answerAsGit(dir, request, response));
      await using program = await startProgram(['--backend', backend.url]);
      await using line = await startSlowLine(program.port, 10);
      for (let i = 0; i < PUSHES; i++) {
        await git(dir, 'init', '-q', '--bare', `${i}.git`);
        const url = `https://${NAME}:${line.port}/${i}.git`;
        const flags = ['-c', 'http.sslVerify=false', '-c', 'http.version=HTTP/2'];
        await git(work, ...flags, 'push', '-q', url, 'HEAD:refs/heads/main');
      }
      const posts = backend.requests.filter(({ method }) => method === 'POST');
      expect(posts.length).to.be.at.least(PUSHES);
    } finally {
      await remove();
    }
  });
});
