import { expect } from 'chai';
import { certificateName, typedName } from '../../../lib/domain/typed-name.js';

describe('The name of a certificate', () => {
  for (const [raw, name] of [
    ['WWW.a.test.', 'www.a.test'],
    ['*.A.test', '*.a.test'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0::1', '2001:db8::1'],
  ] as const) {
    it(`may be ${raw}`, () => expect(certificateName(raw)).to.equal(name));
  }

  for (const raw of ['bücher.example', 'a.test:443', 'https://a.test/', '[::1]', ' a.test', '127.1']) {
    it(`is not ${raw}, which only a person may type`, () => expect(certificateName(raw)).to.equal(undefined));
  }
});

describe('A name that a person types', () => {
  const taken: readonly (readonly [why: string, typed: string, name: string])[] = [
    ['as it is', 'www.a.test', 'www.a.test'],
    ['with blanks around it', ' www.a.test\t', 'www.a.test'],
    ['in letters of its own script', 'Bücher.example', 'xn--bcher-kva.example'],
    ['a wildcard in them', '*.bücher.example', '*.xn--bcher-kva.example'],
    ['with an ideographic full stop', '例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['with a port', 'a.test:443', 'a.test'],
    ['with a port, in letters of its own script', 'bücher.example:8443', 'xn--bcher-kva.example'],
    ['as a URL', 'https://a.test/', 'a.test'],
    ['as a URL with everything', 'HTTPS://A.test:8443/x/y?z=1#q', 'a.test'],
    ['as a URL that ends with the name', 'http://a.test', 'a.test'],
    ['an IPv4 address with a port', '192.0.2.1:443', '192.0.2.1'],
    ['an IPv6 address, whose last group is no port', '2001:db8::443', '2001:db8::443'],
    ['an IPv6 address in brackets', '[2001:db8::1]', '2001:db8::1'],
    ['an IPv6 address in brackets with a port', '[2001:db8::1]:443', '2001:db8::1'],
    ['an IPv6 address as a URL', 'https://[::1]:443/', '::1'],
  ];
  for (const [why, typed, name] of taken) {
    it(`is taken ${why}: ${JSON.stringify(typed)}`, () => expect(typedName(typed)).to.equal(name));
  }

  for (const typed of [
    '',
    'a b',
    'bü cher.example',
    'bücher.example/x',
    'bücher%2eexample',
    'bücher@a.test',
    'a.test:',
    'a.test:x',
    'a.test:443:1',
    'a.test/x',
    'https://',
    'https://user@a.test/',
    'ftp://a.test/',
    '[a.test]',
    '[::1',
    '1:2',
    '127.1',
    '１２７.１',
    'ü'.repeat(100_000),
  ]) {
    it(`is not ${JSON.stringify(typed.slice(0, 40))}`, () => expect(typedName(typed)).to.equal(undefined));
  }
});
