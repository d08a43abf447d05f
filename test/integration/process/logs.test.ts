/**
 * The log of the real program: what each level says, in both formats, and that nobody outside can write into it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { LOG_LEVELS, type LogLevel } from '../../../lib/log/logger.js';
import { makeTempDir, makeTestCa, type TestCa } from '../../support/certificates.js';
import { connectTls, request } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { startProgram, type LogLine, type Program } from '../../support/program.js';

/** A port where nobody listens: a backend that fails. */
const NOBODY = 'http://127.0.0.1:9';
/** The name that the manager is checked with. */
const CHECKED = 'check.peter-sslers-proxy.invalid';
const DOWN = /^source manager is unavailable/;

describe('The log', () => {
  let ca: TestCa;
  let manager: FakeManager;
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    ca = await makeTestCa();
    ({ dir, remove } = await makeTempDir());
    await writeFile(join(dir, 'users'), 'ann:{PLAIN}one\n');
  });

  beforeEach(async () => {
    manager = await startFakeManager();
    manager.setCertificate('a.test', await ca.issue(['a.test']));
  });

  afterEach(() => manager.close());

  after(() => remove());

  const flags = (): string[] => [
    ...['--fallback-server', manager.root, '--backend', NOBODY, '--admin-user-file', join(dir, 'users')],
    ...['--error-cache-duration', '0.01'],
  ];

  /** Something of everything: two handshakes, a failing backend, expires, a source that goes down, a reload. */
  async function play(program: Program): Promise<void> {
    const { port } = program;
    expect((await request({ port, name: 'a.test' })).status).to.equal(502);
    await request({ port, name: 'a.test' });
    for (const path of ['expire/domain/a.test', 'expire/all']) {
      const answer = await request({
        port,
        path: `/.peter_sslers/nginx/shared_cache/${path}`,
        auth: 'ann:one',
      });
      expect(answer.status).to.equal(200);
    }
    // It fails for no name: for all, and for its check.
    manager.answer('GET', CHECKED, { status: 503 });
    for (let count = 0; count < 12; count++) {
      manager.answer('GET', `down${count}.test`, { closeWithoutAnswer: true });
      await request({ port, name: `down${count}.test` });
    }
    program.kill('SIGHUP');
    program.kill('SIGTERM');
    await program.exited;
  }

  /** What is to be seen from which level on. */
  const MILESTONES: Record<LogLevel, (string | RegExp)[]> = {
    err: ['backend failed'],
    notice: ['started', 'expired domain', 'expired all', DOWN, 'stopping', 'stopped'],
    info: ['certificate found', 'no source could tell'],
    debug: ['handshake'],
  };

  for (const level of LOG_LEVELS) {
    it(`at ${level} says what belongs there, and nothing below it`, async () => {
      await using program = await startProgram([...flags(), '--log-level', level]);
      await play(program);
      const shown = LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1);
      const has = (line: LogLine, message: string | RegExp): boolean =>
        typeof message === 'string' ? line.msg === message : message.test(line.msg);
      for (const each of LOG_LEVELS) {
        for (const message of MILESTONES[each]) {
          const lines = program.log.filter((line) => has(line, message));
          if (shown.includes(each)) {
            expect(new Set(lines.map((line) => line.level)), String(message)).to.deep.equal(new Set([each]));
          } else {
            expect(lines, String(message)).to.deep.equal([]);
          }
        }
      }
      const levels = new Set(program.log.map((line) => line.level));
      expect([...levels].filter((each) => !shown.includes(each as LogLevel))).to.deep.equal([]);
    });
  }

  it('says the durations and sizes of each start, and a changed state of a source once, not for each request', async () => {
    await using program = await startProgram([...flags(), '--log-level', 'notice', '--lru-maxitems', '77']);
    await play(program);
    const [started] = program.log.filter(({ msg }) => msg === 'started');
    expect(started).to.include({
      workers: 1,
      sources: 'manager',
      certCacheDuration: 600,
      lruCacheDuration: 60,
      errorCacheDuration: 0.01,
      lruMaxitems: 77,
      certCacheSize: 268_435_456,
      negativeMaxitems: 100_000,
    });
    expect(program.log.filter(({ msg }) => DOWN.test(msg))).to.have.length(1);
  });

  it('at debug says of every handshake its name, the tier that answered and how long that took', async () => {
    await using program = await startProgram(flags());
    await request({ port: program.port, name: 'A.Test' });
    await request({ port: program.port, name: 'a.test' });
    await request({ port: program.port, name: 'none.test' });
    await request({ port: program.port });
    await program.logged('handshake', {}, 4);
    const seen = program.log.filter(({ msg }) => msg === 'handshake');
    expect(seen.map(({ name, tier }) => [name, tier])).to.deep.equal([
      ['a.test', 'manager'],
      ['a.test', 'lru'],
      ['none.test', 'default'],
      [undefined, 'default'],
    ]);
    for (const { ms, role } of seen) {
      expect(ms).to.be.a('number').that.is.at.least(0);
      expect(role).to.equal('worker');
    }
    const found = await program.logged('certificate found');
    expect(found).to.include({ level: 'info', role: 'primary', name: 'a.test', tier: 'manager' });
  });

  it('is one line an event in the text format: time, level, process, message, fields', async () => {
    await using program = await startProgram([...flags(), '--log-format', 'text']);
    await play(program);
    const lines = program.stderr.trimEnd().split('\n');
    for (const line of lines) {
      expect(line).to.match(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (err|notice|info|debug) \[(primary|worker \d+) \d+\] \S.*$/,
      );
    }
    const started = lines.find((line) => line.includes('] started '));
    expect(started).to.contain(' certCacheDuration=600 ').and.to.contain(' lruCacheDuration=60 ');
    const seen = lines.find((line) => line.includes('] handshake '));
    expect(seen).to.match(/ name=a\.test tier=manager ms=[\d.]+$/);
    expect(
      lines.some((line) => / err \[worker 1 \d+\] backend failed id=[0-9a-f]{16} host=a\.test /.test(line)),
    ).to.equal(true);
  });

  for (const format of ['text', 'json']) {
    it(`(${format}) cannot be written into by a server name, a Host or a path`, async () => {
      await using program = await startProgram([...flags(), '--log-format', format]);
      const forged = `\n2030-01-01T00:00:00.000Z err [primary 1] forged\n{"level":"err","msg":"forged"}\r\n`;
      const count = 3;
      for (const servername of [`a.test${forged}`, '\u001b[2Ja.test', 'a.test\u202e"x"=1']) {
        const socket = await connectTls({ port: program.port, servername });
        // No name that is one, and so the request is answered, by nobody: 502.
        socket.write(
          Buffer.from(
            `GET /\x85\x9b2J"forged"=1 HTTP/1.1\r\nHost: x\xad\x85"forged"\r\nConnection: close\r\n\r\n`,
            'latin1',
          ),
        );
        socket.on('error', () => undefined).resume();
        await new Promise((resolve) => socket.once('close', resolve));
      }
      const seen = (): string[] => program.stderr.split('\n').filter((line) => /\bhandshake\b/.test(line));
      await program.until('every handshake is in the log', () => seen().length >= count);
      for (const line of seen()) expect(line).not.to.match(/a\.test|forged/);
      const controls = program.stderr.replaceAll('\n', '').match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu);
      expect(controls).to.equal(null);
      const lines = program.stderr.trimEnd().split('\n');
      const isOurs =
        format === 'json'
          ? (line: string) => (JSON.parse(line) as LogLine).msg !== 'forged'
          : (line: string) => /^\S+Z \w+ \[(primary|worker 1) \d{2,}\] /.test(line);
      expect(lines.filter((line) => !isOurs(line))).to.deep.equal([]);
    });
  }

  it('of accesses goes to a pipe with a path, whose reader ends with the last who writes', async () => {
    const pipe = join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe]);
    try {
      const line = once(reader.stdout, 'data');
      await using program = await startProgram([...flags(), '--access-log', pipe]);
      await request({ port: program.port, name: 'a.test' });
      expect(String(await line)).to.contain('"GET / HTTP/1.1" 502');
    } finally {
      reader.kill();
    }
  });
});
