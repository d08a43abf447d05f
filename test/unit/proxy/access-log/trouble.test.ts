import { expect } from 'chai';
import { silentLogger, type LogFields } from '../../../../lib/log/logger.js';
import { AccessLogTrouble } from '../../../../lib/proxy/access-log/trouble.js';

const CANNOT = 'the access log cannot be written: lines wait, and are lost in the end';
const AGAIN = 'the access log is written again';

describe('Trouble of the access log', () => {
  let nowMs: number;
  let lines: (readonly [string, LogFields | undefined])[];
  let trouble: AccessLogTrouble;
  beforeEach(() => {
    nowMs = 0;
    lines = [];
    const note = (message: string, fields?: LogFields): void => void lines.push([message, fields]);
    trouble = new AccessLogTrouble({ ...silentLogger, err: note, notice: note }, () => nowMs);
  });

  it('is said once, and its end with how many lines are lost', () => {
    trouble.onWritten();
    for (const code of ['ENOSPC', 'ENOSPC', 'EAGAIN']) trouble.onFailed(code);
    trouble.onLost(2);
    trouble.onLost(1);
    trouble.onWritten();
    trouble.onWritten();
    expect(lines).to.deep.equal([
      [CANNOT, { error: 'ENOSPC' }],
      [AGAIN, { lost: 3 }],
    ]);
  });

  it('is said once a minute at most, however often it comes and goes', () => {
    for (; nowMs < 61_000; nowMs += 100) {
      trouble.onFailed('EAGAIN');
      trouble.onLost(1);
      trouble.onWritten();
    }
    expect(lines).to.deep.equal([
      [CANNOT, { error: 'its reader is too slow' }],
      [AGAIN, { lost: 1 }],
      [CANNOT, { error: 'its reader is too slow' }],
      [AGAIN, { lost: 600 }],
    ]);
  });
});
