import { expect } from 'chai';
import {
  addressName,
  isAddress,
  isWildcard,
  matchesPattern,
  normaliseDomain,
  normaliseServerName,
  wildcardOf,
  type ServerName,
} from '../../../lib/domain/server-name.js';

const name = (text: string): ServerName => text as ServerName;
/** A name of so many characters, its labels as long as they may be. */
const nameOfLength = (length: number): string => {
  const labels: string[] = [];
  for (let left = length; left > 0; left -= 64) labels.push('a'.repeat(Math.min(63, left)));
  return labels.join('.');
};

const NAMES: readonly (readonly [why: string, raw: string, normalised: string])[] = [
  ['a name as it is', 'www.example.com', 'www.example.com'],
  ['upper case', 'WWW.Example.COM', 'www.example.com'],
  ['a trailing dot', 'www.example.com.', 'www.example.com'],
  ['upper case and a trailing dot', 'WWW.EXAMPLE.COM.', 'www.example.com'],
  ['one label', 'localhost', 'localhost'],
  ['one letter', 'a', 'a'],
  ['digits in the first label', '12345.example.com', '12345.example.com'],
  ['digits in every label but the last', '1.2.3.com', '1.2.3.com'],
  ['a last label that begins with digits', 'a.1x', 'a.1x'],
  ['a last label that begins as a hexadecimal number', 'a.0xag', 'a.0xag'],
  ['punycode', 'xn--bcher-kva.example.com', 'xn--bcher-kva.example.com'],
  ['punycode in upper case', 'XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['hyphens inside a label', 'a--b-c.example', 'a--b-c.example'],
  ['underscores', '_dmarc.a_b.example.com', '_dmarc.a_b.example.com'],
  ['a label of 63', `${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ['a name of 253', nameOfLength(253), nameOfLength(253)],
  ['a name of 253 with a trailing dot', `${nameOfLength(253)}.`, nameOfLength(253)],
];

const NO_NAMES: readonly (readonly [why: string, raw: string])[] = [
  ['nothing', ''],
  ['a dot', '.'],
  ['two dots', '..'],
  ['two trailing dots', 'www.example.com..'],
  ['a leading dot', '.example.com'],
  ['an empty label', 'www..example.com'],
  ['a label of 64', `${'a'.repeat(64)}.example`],
  ['a name of 254', nameOfLength(254)],
  ['a name of 254 with a trailing dot', `${nameOfLength(254)}.`],
  ['a leading hyphen', '-a.example.com'],
  ['a trailing hyphen', 'a-.example.com'],
  ['a hyphen alone', '-'],
  ['a hyphen at the end of the last label', 'example.com-'],
  ['digits alone', '3'],
  ['digits with leading zeros', '0003'],
  ['digits with a trailing dot', '3.'],
  ['a last label of digits', 'www.example.7'],
  ['a last label in hexadecimal', 'www.example.0x7F'],
  ['a number in hexadecimal', '0x7f000001'],
  ['0x alone', '0x'],
  ['an IPv4 address', '127.0.0.1'],
  ['an IPv4 address with a trailing dot', '127.0.0.1.'],
  ['an IPv6 address', '::1'],
  ['an IPv6 address in brackets', '[2001:db8::1]'],
  ['a port behind it', 'example.com:443'],
  ['a path', '../../etc/passwd'],
  ['a slash', 'a/b'],
  ['a percent escape', 'a%2fb.example'],
  ['a space', 'a b.example'],
  ['spaces around it', ' example.com '],
  ['a newline at the end', 'example.com\n'],
  ['a carriage return and a newline inside', 'a\r\nb.example'],
  ['a NUL inside', 'example.com\0.evil.example'],
  ['a NUL at the end', 'example.com\0'],
  ['a tab', 'a\tb.example'],
  ['a raw non-ASCII letter', 'bücher.example.com'],
  ['a letter that is ASCII only in lower case (the Kelvin sign)', 'boo\u212As.example.com'],
  ['a long s, which is ASCII only in upper case', 'e\u017Fs.example'],
  ['a full-width letter', '\uff41.example'],
  ['a full-width dot', 'www\u3002example'],
  ['half a surrogate pair', '\ud800.example'],
  ['a star', '*'],
  ['a wildcard', '*.example.com'],
  ['60 KB of a letter', 'a'.repeat(60_000)],
  ['60 KB of labels', 'a.'.repeat(30_000)],
  ['60 KB of dots', '.'.repeat(60_000)],
];

describe('normaliseServerName', () => {
  for (const [why, raw, normalised] of NAMES) {
    it(`takes ${why}`, () => {
      expect(normaliseServerName(raw)).to.equal(normalised);
      expect(normaliseServerName(normalised), 'normalised again').to.equal(normalised);
    });
  }

  for (const [why, raw] of NO_NAMES) {
    it(`refuses ${why}`, () => {
      expect(normaliseServerName(raw)).to.equal(undefined);
    });
  }
});

describe('normaliseDomain', () => {
  for (const [raw, normalised] of [
    ['*.example.com', '*.example.com'],
    ['*.EXAMPLE.com.', '*.example.com'],
    ['*.test', '*.test'],
    ['*.a_b.example', '*.a_b.example'],
    ['www.example.com', 'www.example.com'],
    [`*.${nameOfLength(251)}`, `*.${nameOfLength(251)}`],
  ] as const) {
    it(`takes ${raw.slice(0, 40)}`, () => expect(normaliseDomain(raw)).to.equal(normalised));
  }

  for (const raw of [
    '*',
    '*.',
    '*..example.com',
    '*.*.example.com',
    'w*.example.com',
    '*w.example.com',
    'www.*.example.com',
    '**.example.com',
    '*.127.0.0.1',
    '*.3',
    `*.${nameOfLength(252)}`,
    `*.${nameOfLength(253)}`,
    '',
  ]) {
    it(`refuses ${raw.slice(0, 40) || 'nothing'} (${raw.length} characters)`, () =>
      expect(normaliseDomain(raw)).to.equal(undefined));
  }

  it('agrees with normaliseServerName on all that is no wildcard', () => {
    for (const [why, raw] of [...NAMES, ...NO_NAMES]) {
      if (!raw.startsWith('*.')) expect(normaliseDomain(raw), why).to.equal(normaliseServerName(raw));
    }
  });
});

describe('wildcardOf', () => {
  for (const [given, wildcard] of [
    ['www.example.com', '*.example.com'],
    ['a.b.example.com', '*.b.example.com'],
    ['a.b.c', '*.b.c'],
    // Nobody issues `*.com`.
    ['example.com', undefined],
    ['localhost', undefined],
    // A wildcard is covered by none.
    ['*.example.com', undefined],
    ['192.0.2.1', undefined],
  ] as const) {
    it(`of ${given} is ${wildcard ?? 'none'}`, () => {
      expect(wildcardOf(name(given))).to.equal(wildcard);
      expect(wildcard === undefined || isWildcard(name(wildcard))).to.equal(true);
    });
  }
});

describe('addressName', () => {
  for (const [given, expected] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
    ['', undefined],
    ['www.example.com', undefined],
    ['192.0.2', undefined],
    ['::ffff:192.0.2', undefined],
    ['192.0.2.1.', undefined],
  ] as const) {
    it(`of ${given || 'nothing'} is ${expected ?? 'none'}`, () => {
      expect(addressName(given)).to.equal(expected);
      expect(isAddress(name(expected ?? given))).to.equal(expected !== undefined);
    });
  }
});

describe('matchesPattern', () => {
  for (const [pattern, given, matches] of [
    ['*', 'anything.example', true],
    ['*', '*.example.com', true],
    ['example.com', 'example.com', true],
    ['example.com', 'www.example.com', false],
    ['example.com', 'anexample.com', false],
    ['*.example.com', 'www.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', '*.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'anexample.com', false],
    ['*.example.com', 'www.example.com.evil.test', false],
    ['*.localhost', 'localhost', false],
    ['', 'example.com', false],
  ] as const) {
    it(`${given} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(pattern)}`, () =>
      expect(matchesPattern(name(given), pattern)).to.equal(matches));
  }
});
