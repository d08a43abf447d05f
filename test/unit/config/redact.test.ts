import { expect } from 'chai';
import { hasCredentials, redacted } from '../../../lib/config/redact.js';

describe('redacted', () => {
  const cases: [text: string, shown: string][] = [
    ['redis://:secret@127.0.0.1:6379/9', 'redis://***@127.0.0.1:6379/9'],
    ['rediss://user:s@cret@redis.test/1', 'rediss://***@redis.test/1'],
    ['unix:///run/redis.sock?db=9&password=secret', 'unix:///run/redis.sock?db=9&password=***'],
    ['https://peter:secret@manager.test/.well-known/admin', 'https://***@manager.test/.well-known/admin'],
    ['https://ask.test/?token=secret&a=b', 'https://ask.test/?token=***&a=b'],
    ['a.test=http://h:1', 'a.test=http://h:1'],
    ['http://h/a@b', 'http://h/a@b'],
    ['127.0.0.1:8443', '127.0.0.1:8443'],
  ];
  for (const [text, shown] of cases) {
    it(`shows ${text} as ${shown}`, () => {
      expect([redacted(text), hasCredentials(text)]).to.deep.equal([shown, text !== shown]);
    });
  }
});
