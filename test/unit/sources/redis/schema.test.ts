import { expect } from 'chai';
import { examine } from '../../../../lib/domain/examination.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import {
  entryQuestion,
  readErrorReply,
  readParts,
  readPointers,
  readWhole,
  type PrimeStyle,
  type RedisValue,
} from '../../../../lib/sources/redis/schema.js';
import { redisFixture, type RedisFixture } from '../../../support/redis-server.js';

const NOW_MS = Date.UTC(2026, 10, 25);
const name = (text: string): ServerName => text as ServerName;

/** Answers the schema's questions from a recording, as Redis would. */
function lookup(style: PrimeStyle, fixture: RedisFixture, text: string): Lookup {
  const { key, fields } = entryQuestion(style, name(text));
  const entry = fixture[key];
  const hash = entry?.type === 'hash' ? entry.value : {};
  const values = fields.map((field): RedisValue => hash[field] ?? null);
  if (style === 2) return readWhole(key, values);
  const pointers = readPointers(key, values);
  if (pointers.kind !== 'pointers') return pointers;
  const get = (part: string): RedisValue => {
    const value = fixture[part];
    return value?.type === 'string' ? value.value : null;
  };
  return readParts(pointers, pointers.keys.map(get));
}

/** The names of a recording, and what is right for each. */
function namesOf(fixture: RedisFixture): string[] {
  return Object.keys(fixture).flatMap((key) => /^d[12]:(.*)$/.exec(key)?.[1] ?? []);
}

describe('the Redis schema', () => {
  const whole: { fixture: string; style: PrimeStyle; count: number }[] = [
    { fixture: 'style1', style: 1, count: 21 },
    { fixture: 'style1-after-autocert', style: 1, count: 3 },
    { fixture: 'style1-after-openresty-get', style: 1, count: 1 },
    { fixture: 'style2', style: 2, count: 21 },
    { fixture: 'style2-after-openresty-get', style: 2, count: 3 },
  ];
  for (const { fixture, style, count } of whole) {
    it(`puts every name of the recording ${fixture} together`, () => {
      const recording = redisFixture(fixture);
      const names = namesOf(recording);
      expect(names).to.have.length(count);
      for (const text of names) {
        const result = lookup(style, recording, text);
        if (result.kind !== 'found') throw new Error(`${text}: ${JSON.stringify(result)}`);
        expect(result.candidates).to.have.length(1);
        const [pairs = []] = result.candidates;
        const verdict = examine(pairs, name(text), NOW_MS);
        const expected = /^(expired|future)\./.test(text) ? 'outdated' : 'usable';
        expect(verdict.kind, `${text} ${'reason' in verdict ? verdict.reason : ''}`).to.equal(expected);
        expect(pairs[0]?.chainPem.match(/BEGIN CERTIFICATE/g), text).to.have.length(2);
      }
    });
  }

  it('puts a chain of style 1 together that equals the one of style 2', () => {
    const [one, two] = [redisFixture('style1'), redisFixture('style2')];
    for (const text of namesOf(one)) expect(lookup(1, one, text)).to.deep.equal(lookup(2, two, text));
  });

  it('takes no name of a full prime in style 1 for absent: keys and chains are still to come', () => {
    const recording = redisFixture('style1-prime-only');
    const names = namesOf(recording);
    expect(names).to.have.length(21);
    for (const text of names) {
      expect(lookup(1, recording, text), text).to.include({ kind: 'unavailable', scope: 'name' });
    }
    expect(lookup(1, recording, 'plain.example.com')).to.have.property(
      'reason',
      'd1:plain.example.com points at p:4 and i:1, which Redis does not hold',
    );
  });

  describe('with a value of more than 1 MiB', () => {
    const long = 'A'.repeat(1_048_577);
    const refused = (key: string): Lookup => ({
      kind: 'unavailable',
      scope: 'name',
      reason: `${key} holds a value that is longer than 1 MiB`,
    });

    it('refuses the entry unexamined in prime style 2, whichever value it is', () => {
      for (const values of [
        [long, 'key'],
        ['chain', long],
        [long, null],
      ]) {
        expect(readWhole('d2:a.test', values)).to.deep.equal(refused('d2:a.test'));
      }
      expect(readWhole('d2:a.test', [long.slice(1), 'key']).kind).to.equal('found');
    });

    it('refuses the entry unexamined in prime style 1, and does not ask Redis for a part with such an id', () => {
      for (const values of [
        [long, '1', '1'],
        ['1', long, '1'],
        ['1', '1', long],
      ]) {
        expect(readPointers('d1:a.test', values)).to.deep.equal(refused('d1:a.test'));
      }
      const pointers = { kind: 'pointers', entry: 'd1:a.test', keys: ['c:1', 'p:2', 'i:3'] } as const;
      expect(readParts(pointers, [long, 'key', 'chain'])).to.deep.equal(refused('c:1'));
      expect(readParts(pointers, ['leaf', long, 'chain'])).to.deep.equal(refused('p:2'));
      expect(readParts(pointers, ['leaf', 'key', long])).to.deep.equal(refused('i:3'));
    });
  });

  it('says absent of a name without a hash, in both styles', () => {
    for (const style of [1, 2] as const) {
      expect(lookup(style, redisFixture(`style${style}`), 'nobody.example.com')).to.deep.equal({
        kind: 'absent',
      });
    }
  });

  const pointers: { title: string; values: RedisValue[]; expected: object }[] = [
    { title: 'all three ids', values: ['1', '2', '3'], expected: { keys: ['c:1', 'p:2', 'i:3'] } },
    { title: 'an intermediate of None', values: ['1', '2', 'None'], expected: { keys: ['c:1', 'p:2'] } },
    { title: 'no field i', values: ['1', '2', null], expected: { keys: ['c:1', 'p:2'] } },
    { title: 'an empty i', values: ['1', '2', ''], expected: { keys: ['c:1', 'p:2'] } },
    { title: 'no hash', values: [null, null, null], expected: { kind: 'absent' } },
    {
      title: 'a certificate of None',
      values: ['None', '2', '3'],
      expected: half('d1:a.test names no certificate'),
    },
    { title: 'no field c', values: [null, '2', '3'], expected: half('d1:a.test names no certificate') },
    { title: 'a key of None', values: ['1', 'None', '3'], expected: half('d1:a.test names no private key') },
    { title: 'no field p', values: ['1', null, null], expected: half('d1:a.test names no private key') },
    { title: 'only an i', values: [null, null, '3'], expected: half('d1:a.test names no certificate') },
    {
      title: 'nothing but None',
      values: ['None', 'None', 'None'],
      expected: half('d1:a.test names no certificate'),
    },
  ];
  for (const { title, values, expected } of pointers) {
    it(`reads a style 1 hash with ${title}`, () => {
      expect(readPointers('d1:a.test', values)).to.deep.include(expected);
    });
  }

  const [CERT, KEY, CHAIN] = ['CERT', 'KEY', 'CHAIN'];
  const parts: { title: string; keys: string[]; values: RedisValue[]; expected: object }[] = [
    {
      title: 'all parts',
      keys: ['c:1', 'p:2', 'i:3'],
      values: [`${CERT}\n`, `${KEY}\n`, `${CHAIN}\n`],
      expected: { kind: 'found', candidates: [[{ chainPem: 'CERT\nCHAIN\n', keyPem: 'KEY\n' }]] },
    },
    {
      title: 'blocks without a newline at their end',
      keys: ['c:1', 'p:2', 'i:3'],
      values: [CERT, KEY, CHAIN],
      expected: { kind: 'found', candidates: [[{ chainPem: 'CERT\nCHAIN\n', keyPem: 'KEY\n' }]] },
    },
    {
      title: 'no intermediate',
      keys: ['c:1', 'p:2'],
      values: [CERT, KEY],
      expected: { kind: 'found', candidates: [[{ chainPem: 'CERT\n', keyPem: 'KEY\n' }]] },
    },
    ...[
      { missing: 'c:1', values: [null, KEY, CHAIN] },
      { missing: 'p:2', values: [CERT, null, CHAIN] },
      { missing: 'i:3', values: [CERT, KEY, null] },
      { missing: 'p:2', values: [CERT, '', CHAIN] },
      { missing: 'c:1 and p:2 and i:3', values: [null, null, null] },
    ].map(({ missing, values }) => ({
      title: `${missing} missing`,
      keys: ['c:1', 'p:2', 'i:3'],
      values,
      expected: half(`d1:a.test points at ${missing}, which Redis does not hold`),
    })),
  ];
  for (const { title, keys, values, expected } of parts) {
    it(`reads the parts of style 1 with ${title}: ${values.map((value) => (value === null ? 'nil' : 'text')).join(', ')}`, () => {
      expect(readParts({ kind: 'pointers', entry: 'd1:a.test', keys }, values)).to.deep.equal(expected);
    });
  }

  const wholes: { title: string; values: RedisValue[]; expected: object }[] = [
    {
      title: 'both',
      values: ['CHAIN', 'KEY'],
      expected: { candidates: [[{ chainPem: 'CHAIN\n', keyPem: 'KEY\n' }]] },
    },
    { title: 'no hash', values: [null, null], expected: { kind: 'absent' } },
    { title: 'no chain', values: [null, 'KEY'], expected: half('d2:a.test holds no certificate') },
    { title: 'no key', values: ['CHAIN', null], expected: half('d2:a.test holds no private key') },
    { title: 'a key of None', values: ['CHAIN', 'None'], expected: half('d2:a.test holds no private key') },
  ];
  for (const { title, values, expected } of wholes) {
    it(`reads a style 2 hash with ${title}`, () => {
      expect(readWhole('d2:a.test', values)).to.deep.include(expected);
    });
  }

  const refusals: { reply: string; key?: string; scope: string; reason: RegExp }[] = [
    {
      reply: 'WRONGTYPE Operation against a key holding the wrong kind of value',
      key: 'c:17',
      scope: 'name',
      reason: /^c:17 holds a value of another type$/,
    },
    { reply: 'NOAUTH Authentication required.', scope: 'source', reason: /asks for a password/ },
    {
      reply: 'WRONGPASS invalid username-password pair or user is disabled.',
      scope: 'source',
      reason: /refuses the password/,
    },
    { reply: 'ERR invalid password', scope: 'source', reason: /refuses the password/ },
    { reply: 'LOADING Redis is loading the dataset in memory', scope: 'source', reason: /LOADING/ },
    { reply: "READONLY You can't write against a read only replica.", scope: 'source', reason: /READONLY/ },
    {
      reply: "NOPERM this user has no permissions to run the 'hmget' command",
      scope: 'source',
      reason: /NOPERM/,
    },
  ];
  for (const { reply, key, scope, reason } of refusals) {
    it(`takes the error reply ${reply.split(' ')[0] ?? ''} (${reply.length} octets) for a matter of the ${scope}`, () => {
      const result = readErrorReply(reply, key);
      expect(result).to.include({ kind: 'unavailable', scope });
      expect(result.reason).to.match(reason);
    });
  }
});

function half(reason: string): object {
  return { kind: 'unavailable', scope: 'name', reason };
}
