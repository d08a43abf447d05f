import { expect } from 'chai';
import { silentLogger, LOG_LEVELS, type LogFields, type LogLevel } from '../../../lib/log/logger.js';
import type { FailedHandshake } from '../../../lib/tls/failed-handshake.js';
import { FailedHandshakes } from '../../../lib/worker/failed-handshakes.js';
import { clientHello12 } from '../../support/raw-tls.js';
import { ManualTime } from '../../support/manual-time.js';

const REFUSED: FailedHandshake = {
  ...{ reason: 'tls-error', detail: 'no shared cipher', code: 'ERR_SSL_NO_SHARED_CIPHER' },
  ...{
    handshake: '1-2s',
    startedAtMs: 0,
    client: '192.0.2.7',
    hello: clientHello12({ serverName: 'a.test' }),
    isSilent: false,
  },
};
const SILENT: FailedHandshake = {
  handshake: '1-2t',
  startedAtMs: 0,
  reason: 'closed',
  detail: 'x',
  client: '192.0.2.7',
  isSilent: true,
};

describe('Failed handshakes', () => {
  let time: ManualTime;
  let lines: { level: LogLevel; message: string; fields: LogFields | undefined }[];

  function open(level: LogLevel): FailedHandshakes {
    const line = (of: LogLevel) => (message: string, fields?: LogFields) =>
      void lines.push({ level: of, message, fields });
    const log = {
      ...silentLogger,
      ...{ info: line('info'), debug: line('debug') },
      enabled: (asked: LogLevel) => LOG_LEVELS.indexOf(asked) <= LOG_LEVELS.indexOf(level),
    };
    return new FailedHandshakes({ log, now: time.now, startTimer: time.startTimer });
  }
  const note = (failed: FailedHandshakes, count: number, failure = REFUSED): void => {
    for (let index = 0; index < count; index++) failed.note(failure);
  };

  beforeEach(() => {
    time = new ManualTime();
    lines = [];
  });

  it('are said at info with the id of the handshake, client, name, offer and reason', () => {
    open('info').note(REFUSED);
    const [{ level, message, fields } = expect.fail('no line')] = lines;
    expect([level, message]).to.deep.equal(['info', 'handshake failed']);
    expect(fields).to.include({
      ...{ reason: 'tls-error', detail: 'no shared cipher', code: 'ERR_SSL_NO_SHARED_CIPHER' },
      ...{ handshake: '1-2s', client: '192.0.2.7', name: 'a.test', versions: 'up to TLSv1.2' },
    });
  });

  it('are said at debug only where the program itself has made them', () => {
    open('info').note(REFUSED, true);
    expect(lines).to.deep.equal([]);
    open('debug').note(REFUSED, true);
    expect(lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['debug', 'handshake failed'],
    ]);
  });

  it('are not said at notice, and nothing waits then', () => {
    note(open('notice'), 50);
    expect(lines).to.deep.equal([]);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('are ten lines a second at most, and the number of the others when the second ends', async () => {
    const failed = open('info');
    note(failed, 4);
    await time.advance(600);
    note(failed, 30);
    expect(lines).to.have.length(10);
    await time.advance(399);
    expect(lines).to.have.length(10);
    await time.advance(1);
    expect(lines.slice(10)).to.deep.equal([
      { level: 'info', message: 'more handshakes failed than are logged', fields: { leftOut: 24 } },
    ]);
    note(failed, 3);
    expect(lines).to.have.length(14);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('are counted to the end of the worker', () => {
    const failed = open('info');
    note(failed, 12);
    failed.flush();
    failed.flush();
    expect(lines.slice(10).map(({ fields }) => fields)).to.deep.equal([{ leftOut: 2 }]);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('are not clients that go without a byte, nor those over the limits: these are said at debug only', () => {
    const refused: FailedHandshake = { ...SILENT, reason: 'too-many-connections', isSilent: false };
    const atInfo = open('info');
    note(atInfo, 5, SILENT);
    note(atInfo, 5, refused);
    expect(lines).to.deep.equal([]);
    const atDebug = open('debug');
    note(atDebug, 1, SILENT);
    note(atDebug, 1, refused);
    expect(lines.map(({ level }) => level)).to.deep.equal(['debug', 'debug']);
  });

  it('are all said at debug', () => {
    note(open('debug'), 50);
    expect(lines).to.have.length(50);
  });
});
