import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LOG_LEVELS, type LogFields, type LogLevel } from '../../../lib/log/logger.js';
import {
  createLogger,
  type LoggerOptions,
  type LogSettings,
  type ReopenableLogger,
} from '../../../lib/log/pino-logger.js';

const TIME = '2026-01-01T00:00:00.000Z';

function collect(
  settings: Partial<LogSettings> = {},
  options: Partial<LoggerOptions> = {},
): { log: ReopenableLogger; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    settings: { level: 'debug', format: 'text', ...settings },
    role: 'primary',
    pid: 1234,
    now: () => Date.parse(TIME),
    stream: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines };
}

/** The one line that a message makes. */
function lineOf(format: 'text' | 'json', message: string, fields?: LogFields): string {
  const { log, lines } = collect({ format });
  log.notice(message, fields);
  expect(lines).to.have.length(1);
  return lines[0] ?? '';
}

const KEY = '-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n';

describe('the log as text', () => {
  const cases: [title: string, message: string, fields: LogFields, rest: string][] = [
    ['the message alone', 'reloaded', {}, 'reloaded'],
    ['fields in their order', 'a', { b: 1, a: true, c: 'x' }, 'a b=1 a=true c=x'],
    ['a value with spaces in quotes', 'a', { b: 'x y' }, 'a b="x y"'],
    ['an empty value in quotes', 'a', { b: '' }, 'a b=""'],
    ['quotes and backslashes escaped', 'a', { b: 'x"y\\z' }, String.raw`a b="x\"y\\z"`],
    ['a value that looks like a field in quotes', 'a', { b: 'c=d' }, 'a b="c=d"'],
    [
      'addresses and URLs plain',
      'a',
      { at: '[::1]:8443', url: 'http://h/?a' },
      'a at=[::1]:8443 url=http://h/?a',
    ],
    ['no field that is undefined', 'a', { b: undefined, c: 1 }, 'a c=1'],
    ['per cent signs as they are', '100%s %d', { a: '%j' }, '100%s %d a=%j'],
  ];
  for (const [title, message, fields, rest] of cases) {
    it(`writes ${title}`, () => {
      expect(lineOf('text', message, fields)).to.equal(`${TIME} notice [primary 1234] ${rest}\n`);
    });
  }

  it('names the worker', () => {
    const { log, lines } = collect({}, { role: 'worker', workerId: 2 });
    log.err('gone');
    expect(lines).to.deep.equal([`${TIME} err [worker 2 1234] gone\n`]);
  });
});

describe('the log as JSON', () => {
  it('writes one object a line, with the fields beside what every line has', () => {
    const { log, lines } = collect({ format: 'json' }, { role: 'worker', workerId: 2 });
    log.info('filled', { name: 'a.example', ms: 3, isStale: false, none: undefined });
    expect(lines).to.have.length(1);
    expect(JSON.parse(lines[0] ?? '')).to.deep.equal({
      time: TIME,
      level: 'info',
      role: 'worker',
      worker: 2,
      pid: 1234,
      msg: 'filled',
      name: 'a.example',
      ms: 3,
      isStale: false,
    });
  });

  it('keeps what every line has when a field has such a name', () => {
    const line = lineOf('json', 'real', { msg: 'false', level: 'err', time: 'never' });
    expect(line.match(/"(?:msg|level|time)":/g)).to.have.length(3);
    expect(JSON.parse(line)).to.include({ msg: 'real', level: 'notice', time: TIME, field_msg: 'false' });
  });

  it('writes per cent signs as they are', () => {
    expect(JSON.parse(lineOf('json', '100%s %d %%'))).to.have.property('msg', '100%s %d %%');
  });
});

for (const format of ['text', 'json'] as const) {
  describe(`any log line (${format})`, () => {
    const injected: [what: string, text: string][] = [
      ['a line feed', `x\n${TIME} err [primary 1] forged`],
      ['a carriage return', 'x\rforged'],
      ['a terminal escape', 'x\u001b[2Jforged'],
      ['a C1 control character', 'x\u009b2Jforged'],
      ['a null and a delete', 'x\u0000\u007fforged'],
      ['a line and a paragraph separator', 'x\u2028\u2029forged'],
      ['a direction override', 'x\u202eforged'],
      ['a lone surrogate', 'x\ud800forged'],
      ['an invisible tag beyond U+FFFF', 'x\u{e0041}forged'],
    ];
    for (const [what, text] of injected) {
      it(`is one line of harmless characters when its message, field or key holds ${what}`, () => {
        const line = lineOf(format, text, { field: text, [text]: 1 });
        expect(line.endsWith('\n')).to.equal(true);
        expect(line.slice(0, -1)).to.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(line).to.include('forged');
        if (format === 'json') expect(JSON.parse(line)).to.include({ msg: text, field: text });
      });
    }

    it('has no private key, neither in the message nor in a field', () => {
      const line = lineOf(format, `read ${KEY}`, { reason: `bad: ${KEY}`, other: 'kept' });
      expect(line).to.not.match(/BEGIN|c2VjcmV0|read/);
      expect(line.match(/\[redacted\]/g)).to.have.length(2);
      expect(line).to.include('kept');
    });

    it('may hold a certificate', () => {
      expect(lineOf(format, '-----BEGIN CERTIFICATE-----')).to.include('-----BEGIN CERTIFICATE-----');
    });
  });

  describe(`log levels (${format})`, () => {
    const writeAll = (log: ReopenableLogger): void => LOG_LEVELS.forEach((level) => log[level](level));
    const cases: [level: LogLevel, written: number][] = [
      ['err', 1],
      ['notice', 2],
      ['info', 3],
      ['debug', 4],
    ];
    for (const [level, written] of cases) {
      it(`writes ${written} of the four levels at ${level}`, () => {
        const { log, lines } = collect({ format, level });
        writeAll(log);
        expect(lines).to.have.length(written);
        expect(LOG_LEVELS.filter((each) => log.enabled(each))).to.deep.equal(LOG_LEVELS.slice(0, written));
      });
    }

    it('can be changed while running', () => {
      const { log, lines } = collect({ format, level: 'err' });
      log.setLevel('notice');
      writeAll(log);
      log.configure({ format, level: 'debug' });
      writeAll(log);
      expect(lines).to.have.length(6);
    });
  });
}

describe('the log file', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'log-test-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const inFile = (file: string): ReopenableLogger =>
    createLogger({ settings: { level: 'notice', format: 'text', file }, role: 'primary' });
  const messages = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.replace(/^.*\] /, ''));

  it('has each line as soon as the call returns, after what was there before', () => {
    const file = join(dir, 'p.log');
    inFile(file).notice('one');
    const log = inFile(file);
    log.notice('two');
    expect(messages(file)).to.deep.equal(['one', 'two']);
    expect(statSync(file).mode & 0o007).to.equal(0);
  });

  it('is opened again under its name after it was rotated, and no line is lost', () => {
    const file = join(dir, 'p.log');
    const log = inFile(file);
    log.notice('one');
    renameSync(file, `${file}.1`);
    log.notice('two');
    log.reopen();
    log.notice('three');
    expect(messages(`${file}.1`)).to.deep.equal(['one', 'two']);
    expect(messages(file)).to.deep.equal(['three']);
  });

  it('goes on with the old one when the new one cannot be opened', () => {
    const file = join(dir, 'p.log');
    const log = inFile(file);
    const elsewhere = join(dir, 'none', 'p.log');
    const configure = (): void => log.configure({ level: 'debug', format: 'json', file: elsewhere });
    expect(configure).to.throw(`--log-file names ${elsewhere}, which cannot be written: ENOENT`);
    log.notice('one');
    log.debug('two');
    expect(messages(file)).to.deep.equal(['one']);
  });

  it('may become another one at a reload', () => {
    const [file, next] = [join(dir, 'p.log'), join(dir, 'q.log')];
    const log = inFile(file);
    log.notice('one');
    log.configure({ level: 'notice', format: 'text', file: next });
    log.notice('two');
    expect([messages(file), messages(next)]).to.deep.equal([['one'], ['two']]);
  });

  it('stops the start with a usage error when it cannot be written', () => {
    expect(() => inFile(dir))
      .to.throw(`--log-file names ${dir}, which cannot be written: EISDIR`)
      .with.property('code', 'ERR_USAGE');
  });

  it('does not stop the program when the disk is full', () => {
    const log = inFile('/dev/full');
    log.notice('one');
    log.notice('two');
    log.flush();
    log.reopen();
    log.notice('three');
  });
});
