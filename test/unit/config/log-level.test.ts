import { expect } from 'chai';
import { load } from './stage.js';

describe('--log-level', () => {
  const cases: Record<string, string[]> = {
    err: ['err', 'error', 'ERROR', 'crit', 'critical', 'alert', 'emerg', 'fatal'],
    notice: ['notice', 'Notice', 'warn', 'warning'],
    info: ['info'],
    debug: ['debug', 'trace', 'verbose'],
  };
  for (const [level, names] of Object.entries(cases)) {
    for (const name of names) {
      it(`takes ${name} for ${level}`, () => {
        expect(load({ flags: { 'log-level': name } }).settings.log.level).to.equal(level);
      });
    }
  }

  it('takes no name that every object has', () => {
    expect(() => load({ flags: { 'log-level': 'constructor' } })).to.throw(
      '--log-level must be one of err, notice, info, debug, not "constructor"',
    );
  });
});
