import { expect } from 'chai';
import { performance } from 'node:perf_hooks';
import { parseHtpasswd, type Htpasswd } from '../../../lib/admin/htpasswd.js';
import { readHash, type PasswordCheck } from '../../../lib/admin/password-hash.js';
import { ProxyError } from '../../../lib/domain/errors.js';

const PASSWORD = 'péter:s $x';

/** Hashes of PASSWORD, made by the C library, OpenSSL and, for bcrypt, libxcrypt. */
const HASHES: readonly [kind: string, hash: string][] = [
  ['bcrypt 2a', '$2a$05$abcdefghijklmnopqrstuu9rMezTN0Ltydj4RJRzUUuBVzcOqO38O'],
  ['bcrypt 2b', '$2b$04$abcdefghijklmnopqrstuuJmYv7tPRA9p0EbSM4HtkG94rc5v1wT.'],
  ['bcrypt 2y', '$2y$10$abcdefghijklmnopqrstuugb1rz4bC1InUDYw6hHwXiulcDYfGBMG'],
  ['apr1', '$apr1$abcdefgh$EVwvJdI3p4F1FfKB3Du.h.'],
  ['MD5 crypt', '$1$abcdefgh$snuI5icfbZT10a0B058VL/'],
  ['SHA-256 crypt', '$5$saltsalt$kOQpt3gQXfeGIXvTQPTOEw05QDH4Q0hAU.M4qHSKvf5'],
  [
    'SHA-512 crypt',
    '$6$saltsalt$Z1xvn5aKuSvSw0pqUol1EZ/fIXVW119O9fHWlqO1c.vlOnO0qhi8PrMOEG5BZgtmh2w8VqWCsCCJZCI7K8u7./',
  ],
  [
    'SHA-512 crypt with rounds',
    '$6$rounds=2000$sixteencharsalt.$T8AT9jhwA0tO5wp5smxn7aGzeUv/LJaII7EPT0CpLCj/8wZ0Mj4yS/Gf1R4BH5UOpdsZhuLPee8JofPBCCgw0/',
  ],
  ['SHA', '{SHA}Z0ZMMoi/9oUnm6g7JFL2L7l+gN8='],
  ['SSHA', '{SSHA}RYz0p81fYRz1lJUC89GHIk+AhXJuYQ=='],
  ['DES crypt', 'ab/GN09gj.LFM'],
];

const checkOf = (hash: string): PasswordCheck => {
  const reading = readHash(hash);
  if ('problem' in reading) throw new Error(reading.problem);
  return reading.check;
};

/** Whether the file has the user, with this password. */
const knows = (file: Htpasswd, user: string, password: string): boolean => {
  const entry = file.entryOf(user);
  return entry?.isKnown === true && checkOf(entry.hash).now(password);
};

describe('an htpasswd file', () => {
  for (const [kind, hash] of HASHES) {
    it(`knows the right password and the wrong ones of a ${kind} hash`, async () => {
      const file = parseHtpasswd(`peter:${hash}`);
      const check = checkOf(hash);
      expect(knows(file, 'peter', PASSWORD)).to.equal(true);
      expect(await check.inTurns(PASSWORD)).to.equal(true);
      expect(await check.inTurns('x')).to.equal(false);
      for (const wrong of ['', 'x', 'peter:s $x', 'Péter:s $x', hash]) {
        expect(knows(file, 'peter', wrong), wrong).to.equal(false);
      }
      expect(knows(file, 'paul', PASSWORD)).to.equal(false);
    });
  }

  for (const [kind, entry, password] of [
    ['marked', '{PLAIN}s3cret', 's3cret'],
    ['bare', 's3cret', 's3cret'],
    ['bare, of 13 characters with one that no hash has', 'twelve-chars!', 'twelve-chars!'],
  ] as const) {
    it(`takes a ${kind} plain text for the password`, () => {
      const file = parseHtpasswd(`peter:${entry}`);
      expect(knows(file, 'peter', password)).to.equal(true);
      expect(knows(file, 'peter', `${password}x`)).to.equal(false);
      expect(knows(file, 'peter', password.slice(1))).to.equal(false);
    });
  }

  it('takes 13 characters that could be DES crypt for a hash, not for the password', () => {
    expect(knows(parseHtpasswd('peter:ab/GN09gj.LFM'), 'peter', 'ab/GN09gj.LFM')).to.equal(false);
  });

  it('computes crypt hashes of passwords exactly as long as the digest', () => {
    const password = '0123456789abcdef0123456789abcdef';
    const file = parseHtpasswd(
      [
        'a:$5$rounds=1000$salt$m/nDRAXbmnB9h9g5x6Ar3yycEE54KDj9a3m.aOw.kvC',
        'b:$6$rounds=1000$salt$Qmw8LF1Adjnkt6s1cV909ucCjttweOFkJkKqlK76gou59/yfTXK7HXw.vMWArg0HNdMOVCzA9LCRsqKdDGOnk1',
      ].join('\n'),
    );
    expect(knows(file, 'a', password)).to.equal(true);
    expect(knows(file, 'b', password + password)).to.equal(true);
  });

  it('skips comments, blank lines, a byte order mark and what follows a second colon', () => {
    const file = parseHtpasswd(
      '\uFEFF# users\r\n\r\n  \r\npeter:{PLAIN}one:the first\r\n#paul:x\r\nmary:two\r\n',
    );
    expect(file.size).to.equal(2);
    expect(knows(file, 'peter', 'one')).to.equal(true);
    expect(knows(file, 'mary', 'two')).to.equal(true);
    expect(knows(file, '#paul', 'x')).to.equal(false);
  });

  it('goes by the first of two lines for one user', () => {
    const file = parseHtpasswd('peter:one\npeter:two\n');
    expect(knows(file, 'peter', 'one')).to.equal(true);
    expect(knows(file, 'peter', 'two')).to.equal(false);
  });

  it('lets nobody in when it is empty', () => {
    expect(parseHtpasswd('').entryOf('')).to.equal(undefined);
  });

  const faults: [title: string, line: string, problem: string][] = [
    ['a line without a colon', 'peter', 'no colon between user and password hash'],
    ['a line without a user', ':x', 'no user before the colon'],
    ['an empty password', 'peter:', 'the password is empty'],
    ['an empty plain password', 'peter:{PLAIN}', 'the password is empty'],
    ['an unknown scheme', 'peter:$argon2id$v=19$m=1$c2FsdA$aGFzaA', 'unknown hash format'],
    ['an unknown LDAP scheme', 'peter:{MD5}abcdef==', 'unknown hash format'],
    ['half a bcrypt hash', 'peter:$2y$10$abcdef', 'unknown hash format'],
    ['a bcrypt hash that would take minutes', `peter:$2y$20$${'a'.repeat(53)}`, 'a bcrypt cost above 16'],
    [
      'a crypt hash that would take hours',
      `peter:$5$rounds=99999999$x$${'a'.repeat(43)}`,
      'more than 1000000 rounds',
    ],
    ['a crypt hash of another length', `peter:$6$salt$${'a'.repeat(43)}`, 'unknown hash format'],
    ['half an apr1 hash', 'peter:$apr1$abcdefgh$short', 'unknown hash format'],
    ['a SHA digest of another length', 'peter:{SHA}aGFsZg==', 'unknown hash format'],
    ['an SSHA digest without a salt', 'peter:{SSHA}Z0ZMMoi/9oUnm6g7JFL2L7l+gN8=', 'unknown hash format'],
  ];
  for (const [title, line, problem] of faults) {
    it(`refuses ${title}, naming the line and not the hash`, () => {
      expect(() => parseHtpasswd(`# users\nmary:ok\n${line}\n`))
        .to.throw(ProxyError, new RegExp(`^line 3: ${problem}$`))
        .with.property('code', 'ERR_USAGE');
    });
  }

  it('has one of its hashes for an unknown user, always the same one, and any of them for some', () => {
    const lines = HASHES.map(([, hash], index) => `user-${index}:${hash}`).join('\n');
    const [file, again] = [parseHtpasswd(lines), parseHtpasswd(lines)];
    const seen = new Set<string>();
    for (let i = 0; i < 1_000; i++) {
      const entry = file.entryOf(`nobody-${i}`)!;
      expect(entry.isKnown).to.equal(false);
      expect(again.entryOf(`nobody-${i}`)).to.deep.equal(entry);
      seen.add(entry.hash);
    }
    expect([...seen]).to.have.members(HASHES.map(([, hash]) => hash));
  });

  it('knows which hashes are fast', () => {
    const fast = HASHES.filter(([, hash]) => checkOf(hash).isFast).map(([kind]) => kind);
    expect(fast).to.deep.equal(['SHA', 'SSHA']);
    expect(checkOf('plain').isFast).to.equal(true);
  });

  it('of ten thousand lines is read without computing a hash', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `user-${i}:${HASHES[i % HASHES.length]![1]}`);
    const before = performance.now();
    expect(parseHtpasswd(lines.join('\n')).size).to.equal(10_000);
    // Some 20 ms; the bcrypt hashes alone would take minutes.
    expect(performance.now() - before).to.be.below(2_000);
  });

  it('lets the event loop turn while it computes many rounds in turns', async () => {
    let turns = 0;
    const count = (): void => {
      turns++;
      ticking = setImmediate(count);
    };
    let ticking = setImmediate(count);
    await checkOf(`$5$rounds=50000$salt$${'a'.repeat(43)}`).inTurns('x');
    clearImmediate(ticking);
    expect(turns).to.be.above(20);
  });
});
