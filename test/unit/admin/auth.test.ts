import { expect } from 'chai';
import { parseBasicCredentials } from '../../../lib/admin/auth.js';

const basic = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  `Basic ${Buffer.from(text, encoding).toString('base64')}`;

describe('basic authentication', () => {
  const cases: [title: string, header: string | undefined, expected: [string, string] | undefined][] = [
    ['user and password', basic('peter:sslers'), ['peter', 'sslers']],
    ['a scheme in any case', basic('peter:sslers').replace('Basic', 'bAsIc'), ['peter', 'sslers']],
    ['several spaces', basic('peter:sslers').replace(' ', '   '), ['peter', 'sslers']],
    ['colons in the password', basic('peter:a:b:c'), ['peter', 'a:b:c']],
    ['UTF-8', basic('péter:sslérs€'), ['péter', 'sslérs€']],
    ['latin1, from a client that does not read the challenge', basic('péter:x', 'latin1'), ['péter', 'x']],
    ['an empty password', basic('peter:'), ['peter', '']],
    ['base64 without its padding', basic('peter:x').replace(/=+$/, ''), ['peter', 'x']],
    ['no header', undefined, undefined],
    ['an empty header', '', undefined],
    ['no colon', basic('peter'), undefined],
    ['another scheme', basic('peter:x').replace('Basic', 'Bearer'), undefined],
    ['no credentials', 'Basic', undefined],
    ['what is not base64', 'Basic pe*er', undefined],
    ['two credentials', `${basic('peter:x')}, ${basic('paul:x')}`, undefined],
  ];
  for (const [title, header, expected] of cases) {
    it(`${expected === undefined ? 'rejects' : 'reads'} ${title}`, () => {
      const read = parseBasicCredentials(header);
      expect(read && [read.user, read.password]).to.deep.equal(expected);
    });
  }
});
