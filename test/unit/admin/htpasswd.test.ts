import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { parseHtpasswd } from '../../../lib/admin/htpasswd.js';
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

const MANY = 20;

describe('an htpasswd file', () => {
  for (const [kind, hash] of HASHES) {
    it(`knows the right password and the wrong ones of a ${kind} hash`, async () => {
      const file = parseHtpasswd(`peter:${hash}`);
      expect(await file.verify('peter', PASSWORD)).to.equal(true);
      for (const wrong of ['', 'x', 'peter:s $x', 'Péter:s $x', hash]) {
        expect(await file.verify('peter', wrong), wrong).to.equal(false);
      }
      expect(await file.verify('paul', PASSWORD)).to.equal(false);
    });
  }

  for (const [kind, entry, password] of [
    ['marked', '{PLAIN}s3cret', 's3cret'],
    ['bare', 's3cret', 's3cret'],
    ['bare, of 13 characters with one that no hash has', 'twelve-chars!', 'twelve-chars!'],
  ] as const) {
    it(`takes a ${kind} plain text for the password`, async () => {
      const file = parseHtpasswd(`peter:${entry}`);
      expect(await file.verify('peter', password)).to.equal(true);
      expect(await file.verify('peter', `${password}x`)).to.equal(false);
      expect(await file.verify('peter', password.slice(1))).to.equal(false);
    });
  }

  it('takes 13 characters that could be DES crypt for a hash, not for the password', async () => {
    expect(await parseHtpasswd('peter:ab/GN09gj.LFM').verify('peter', 'ab/GN09gj.LFM')).to.equal(false);
  });

  it('computes crypt hashes of passwords exactly as long as the digest', async () => {
    const password = '0123456789abcdef0123456789abcdef';
    const file = parseHtpasswd(
      [
        'a:$5$rounds=1000$salt$m/nDRAXbmnB9h9g5x6Ar3yycEE54KDj9a3m.aOw.kvC',
        'b:$6$rounds=1000$salt$Qmw8LF1Adjnkt6s1cV909ucCjttweOFkJkKqlK76gou59/yfTXK7HXw.vMWArg0HNdMOVCzA9LCRsqKdDGOnk1',
      ].join('\n'),
    );
    expect(await file.verify('a', password)).to.equal(true);
    expect(await file.verify('b', password + password)).to.equal(true);
  });

  it('skips comments, blank lines, a byte order mark and what follows a second colon', async () => {
    const file = parseHtpasswd(
      '\uFEFF# users\r\n\r\n  \r\npeter:{PLAIN}one:the first\r\n#paul:x\r\nmary:two\r\n',
    );
    expect(file.size).to.equal(2);
    expect(await file.verify('peter', 'one')).to.equal(true);
    expect(await file.verify('mary', 'two')).to.equal(true);
    expect(await file.verify('#paul', 'x')).to.equal(false);
  });

  it('goes by the first of two lines for one user', async () => {
    const file = parseHtpasswd('peter:one\npeter:two\n');
    expect(await file.verify('peter', 'one')).to.equal(true);
    expect(await file.verify('peter', 'two')).to.equal(false);
  });

  it('lets nobody in when it is empty', async () => {
    expect(await parseHtpasswd('').verify('', '')).to.equal(false);
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

  it('pays the cost of a hash once for a password that was right', async () => {
    const file = parseHtpasswd(`peter:${HASHES[2]![1]}`);
    await file.verify('peter', PASSWORD);
    const start = process.cpuUsage().user;
    for (let i = 0; i < MANY; i++) expect(await file.verify('peter', PASSWORD)).to.equal(true);
    // Twenty bcrypt hashes of cost 10 take more than a second.
    expect(process.cpuUsage().user - start).to.be.below(500_000);
    expect(await file.verify('peter', 'wrong')).to.equal(false);
    expect(await file.verify('paul', PASSWORD)).to.equal(false);
  });

  it('makes an unknown user as expensive as a known one', async () => {
    const file = parseHtpasswd('peter:$2b$08$abcdefghijklmnopqrstuuJmYv7tPRA9p0EbSM4HtkG94rc5v1wT.');
    const costOf = async (user: string): Promise<number> => {
      const start = process.cpuUsage().user;
      for (let i = 0; i < 5; i++) await file.verify(user, `wrong ${i}`);
      return process.cpuUsage().user - start;
    };
    await costOf('peter');
    expect(await costOf('nobody')).to.be.above((await costOf('peter')) / 4);
  });

  it('refuses a password longer than anybody types without computing anything', async () => {
    const long = 'x'.repeat(1_025);
    const file = parseHtpasswd(`peter:{SHA}${createHash('sha1').update(long).digest('base64')}`);
    expect(await file.verify('peter', long)).to.equal(false);
  });

  it('turns checks away when too many wait, but never a password that it remembers', async () => {
    const file = parseHtpasswd(`peter:${HASHES[1]![1]}`);
    await file.verify('peter', PASSWORD);
    const checks = Array.from({ length: 60 }, (_, i) => file.verify('peter', `wrong ${i}`));
    expect(await file.verify('peter', PASSWORD)).to.equal(true);
    const results = await Promise.allSettled(checks);
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).to.have.length(60 - 34);
    expect(refused[0])
      .to.have.nested.property('reason.message')
      .that.matches(/too many passwords/);
    expect(await file.verify('peter', 'wrong again'), 'the queue is empty again').to.equal(false);
  });

  it('lets the event loop turn while it computes many rounds', async () => {
    const file = parseHtpasswd(`peter:$5$rounds=50000$salt$${'a'.repeat(43)}`);
    let turns = 0;
    const count = (): void => {
      turns++;
      ticking = setImmediate(count);
    };
    let ticking = setImmediate(count);
    await file.verify('peter', 'x');
    clearImmediate(ticking);
    expect(turns).to.be.above(20);
  });
});
