import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { splitChain } from '../../../lib/domain/pem.js';
import { makeTempDir, makeTestCa, type TestCa } from '../../support/certificates.js';
import { openssl } from '../../support/openssl.js';
import { at, bundleOf, DATES, issueAll, NAME, reasonOf } from './examination-stage.js';
import { oddCertificate } from './odd-certificate.js';

describe('examine, of PEM as it comes,', () => {
  let ca: TestCa;
  let ec: CertificatePair;
  let rsa: CertificatePair;
  let other: CertificatePair;

  before(async () => {
    ({ ca, ec, rsa, other } = await issueAll());
  });

  describe('reads PEM', () => {
    it('with the line ends of Windows, with text around the blocks, and without a last newline', () => {
      const dressed = (text: string) => `Bag Attributes\n  friendlyName: a-test\n${text}# the end - really`;
      for (const variant of [
        { chainPem: ec.chainPem.replaceAll('\n', '\r\n'), keyPem: ec.keyPem.replaceAll('\n', '\r\n') },
        {
          chainPem: dressed(ec.chainPem.replaceAll('-----BEGIN', 'subject=x\n-----BEGIN')),
          keyPem: dressed(ec.keyPem),
        },
        { chainPem: ec.chainPem.trimEnd(), keyPem: ec.keyPem.trimEnd() },
      ]) {
        const { fingerprint } = bundleOf(variant);
        expect(fingerprint).to.equal(bundleOf(ec).fingerprint);
      }
    });

    it('and hands on the chain alone: what stood around it is dropped', () => {
      const secret = 'a password that somebody left here';
      const { pairs } = bundleOf({ ...ec, chainPem: `${secret}\n${ec.chainPem}${secret}` });
      expect(pairs[0]?.chainPem).to.equal(ec.chainPem);
    });

    it('of keys in every form that managers write', () => {
      for (const [pair, type, label] of [
        [ec, 'pkcs8', 'PRIVATE KEY'],
        [ec, 'sec1', 'EC PRIVATE KEY'],
        [rsa, 'pkcs8', 'PRIVATE KEY'],
        [rsa, 'pkcs1', 'RSA PRIVATE KEY'],
      ] as const) {
        const keyPem = createPrivateKey(pair.keyPem).export({ type: type, format: 'pem' }).toString();
        expect(keyPem).to.match(new RegExp(`^-----BEGIN ${label}-----`));
        expect(bundleOf({ ...pair, keyPem }).fingerprint).to.equal(bundleOf(pair).fingerprint);
      }
    });
  });

  describe('refuses', () => {
    const cases: readonly (readonly [what: string, make: () => CertificatePair, reason: string])[] = [
      ['no certificate', () => ({ ...ec, chainPem: '' }), 'the chain holds no PEM certificate'],
      ['the string None', () => ({ ...ec, chainPem: 'None' }), 'the chain holds no PEM certificate'],
      [
        'a key as the chain',
        () => ({ ...ec, chainPem: ec.keyPem }),
        'the chain holds no PEM certificate but a private key',
      ],
      [
        'an empty block',
        () => ({ ...ec, chainPem: '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----' }),
        'a certificate of the chain cannot be parsed',
      ],
      [
        'a block of rubbish',
        () => ({ ...ec, chainPem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
        'a certificate of the chain cannot be parsed',
      ],
      [
        'a leaf that is cut off',
        () => ({ ...ec, chainPem: ec.chainPem.slice(0, 200) }),
        'the chain is cut off: its certificate does not end',
      ],
      [
        'an intermediate that is cut off',
        () => ({ ...ec, chainPem: ec.chainPem.slice(0, -100) }),
        'a certificate of the chain is cut off',
      ],
      [
        'a leaf that is cut off before a whole intermediate',
        () => ({ ...ec, chainPem: ec.chainPem.slice(0, 200) + ec.chainPem }),
        'a certificate of the chain is cut off',
      ],
      [
        'an intermediate of rubbish',
        () => ({
          ...ec,
          chainPem: `${splitChain(ec.chainPem)[0]}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
        }),
        'a certificate of the chain cannot be parsed',
      ],
      ['no key', () => ({ ...ec, keyPem: '' }), 'the private key cannot be parsed'],
      [
        'a certificate as the key',
        () => ({ ...ec, keyPem: ec.chainPem }),
        'the private key cannot be parsed: it is a certificate',
      ],
      [
        'a key that is cut off',
        () => ({ ...ec, keyPem: ec.keyPem.slice(0, 100) }),
        'the private key is cut off',
      ],
      [
        'a key that is encrypted',
        () => ({
          ...ec,
          keyPem: createPrivateKey(ec.keyPem)
            .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
            .toString(),
        }),
        'the private key is encrypted: store it without a passphrase',
      ],
      [
        'a key that is encrypted as OpenSSL once did',
        () => ({
          ...ec,
          keyPem: createPrivateKey(ec.keyPem)
            .export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
            .toString(),
        }),
        'the private key is encrypted: store it without a passphrase',
      ],
      [
        'another certificate’s key',
        () => ({ ...ec, keyPem: other.keyPem }),
        'the private key does not belong to the certificate',
      ],
      [
        'a key of another kind',
        () => ({ ...ec, keyPem: rsa.keyPem }),
        'the private key does not belong to the certificate',
      ],
      ['another name’s certificate', () => other, 'the certificate is not for this name but for other.test'],
      [
        'a certificate of nobody',
        () => oddCertificate({}),
        'the certificate is not for this name but for none at all',
      ],
    ];
    for (const [what, make, reason] of cases) {
      it(`${what}, and says so without a word of the key`, () => {
        const pair = make();
        expect(reasonOf(pair)).to.equal(reason);
        const verdict = JSON.stringify(at([pair]));
        for (const line of ec.keyPem.split('\n').filter(Boolean)) expect(verdict).to.not.include(line);
      });
    }

    it('a megabyte of beginnings without an end, in no time', () => {
      const chainPem = '-----BEGIN CERTIFICATE-----\n'.repeat(40_000);
      expect(reasonOf({ ...ec, chainPem })).to.equal('the chain is cut off: its certificate does not end');
      expect(reasonOf({ ...ec, chainPem: ec.chainPem + chainPem })).to.equal(
        'a certificate of the chain is cut off',
      );
    });

    it('with the names that the certificate has, but not a hundred of them', async () => {
      const names = Array.from({ length: 100 }, (_, index) => `n${index}.test`);
      const many = await ca.issue(names, DATES);
      expect(reasonOf(many)).to.equal(
        'the certificate is not for this name but for n0.test, n1.test, n2.test, n3.test, n4.test and 95 more',
      );
      expect(reasonOf(oddCertificate({ commonName: 'mail.test' }))).to.equal(
        'the certificate is not for this name but for CN=mail.test',
      );
    });
  });

  it('puts the leaf first, where OpenSSL wants it', () => {
    const reversed = splitChain(ec.chainPem).reverse().join('');
    expect(bundleOf({ ...ec, chainPem: reversed }).fingerprint).to.equal(bundleOf(ec).fingerprint);
    const [strangerPem = ''] = splitChain(other.chainPem);
    const { pairs } = bundleOf({ ...ec, chainPem: strangerPem + ec.chainPem });
    expect(pairs[0]?.chainPem).to.equal(
      [splitChain(ec.chainPem)[0], strangerPem, splitChain(ec.chainPem)[1]].join(''),
    );
  });

  it('passes over keys and parameters in the chain file, as nginx does', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const chainPem = `${parameters}${ec.keyPem}${ec.chainPem}`;
    expect(bundleOf({ ...ec, chainPem }).pairs[0]?.chainPem).to.equal(ec.chainPem);
  });

  it('takes what OpenSSL itself writes: TRUSTED CERTIFICATE, without its trust settings, and X509 CERTIFICATE', async () => {
    const trusted = await openssl(
      ['x509', '-trustout', '-addtrust', 'serverAuth', '-setalias', 'a'],
      ec.chainPem,
    );
    expect(trusted).to.include('BEGIN TRUSTED CERTIFICATE');
    expect(splitChain(trusted)).to.deep.equal(splitChain(ec.chainPem).slice(0, 1));
    const old = ec.chainPem.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE');
    expect(bundleOf({ ...ec, chainPem: old }).pairs[0]?.chainPem).to.equal(ec.chainPem);
  });

  it('takes files that a cat has run together without a newline in between', () => {
    const chainPem = splitChain(ec.chainPem)
      .map((block) => block.trimEnd())
      .join('');
    expect(bundleOf({ ...ec, chainPem }).fingerprint).to.equal(bundleOf(ec).fingerprint);
  });

  it('serves a chain with a certificate too many behind the leaf as it is: clients pass over it', () => {
    const chainPem = ec.chainPem + (splitChain(other.chainPem)[0] ?? '');
    expect(bundleOf({ ...ec, chainPem }).pairs[0]?.chainPem).to.equal(chainPem);
  });
});

describe('what stands in place of a certificate or a key', () => {
  let ec: CertificatePair;
  let dir: string;
  let remove: () => Promise<void>;
  /** @throws Error where the command is not installed (test/setup.sh does that), or fails. */
  const make = (command: string, ...flags: string[]) =>
    execFileSync(command, flags, { cwd: dir, stdio: 'pipe' });

  before(async () => {
    ({ ec } = await issueAll());
    ({ dir, remove } = await makeTempDir());
    writeFileSync(join(dir, 'chain.pem'), ec.chainPem);
    writeFileSync(join(dir, 'key.pem'), ec.keyPem);
  });
  after(() => remove());

  const files: readonly (readonly [name: string, command: string, what: RegExp])[] = [
    [
      'leaf.der',
      'openssl x509 -in chain.pem -outform der -out leaf.der',
      /DER \(to convert it: openssl x509/,
    ],
    ['key.der', 'openssl pkey -in key.pem -outform der -out key.der', /DER \(to convert it: .* openssl pkey/],
    ['sec1.der', 'openssl ec -in key.pem -outform der -out sec1.der', /DER /],
    [
      'both.p12',
      'openssl pkcs12 -export -in chain.pem -inkey key.pem -passout pass:x -out both.p12',
      /PKCS#12 \(to convert it: openssl pkcs12/,
    ],
    ['public.pem', 'openssl pkey -in key.pem -pubout -out public.pem', /a public key/],
    ['csr.pem', 'openssl req -new -key key.pem -subj /CN=a -out csr.pem', /a certificate request \(CSR\)/],
    ['ssh', 'ssh-keygen -q -t ed25519 -N  -f ssh', /an OpenSSH private key \(to convert it: ssh-keygen/],
    ['p7b.pem', 'openssl crl2pkcs7 -nocrl -certfile chain.pem -out p7b.pem', /PKCS#7 /],
    ['utf16.pem', 'iconv -f utf-8 -t utf-16 chain.pem -o utf16.pem', /UTF-16 text/],
  ];
  for (const [name, command, what] of files) {
    // The program reads every file as UTF-8, and so does the test.
    it(`is named: ${name}`, () => {
      const [program = '', ...flags] = command.split(' ');
      make(program, ...flags);
      const text = readFileSync(join(dir, name), 'utf8');
      expect(reasonOf({ ...ec, chainPem: text })).to.match(
        new RegExp(`^the chain holds no PEM certificate but ${what.source}`),
      );
      expect(reasonOf({ ...ec, keyPem: text })).to.match(
        new RegExp(`^the private key cannot be parsed: it is ${what.source}`),
      );
    });
  }

  it('is nothing where a mark of byte order stands before it: OpenSSL and nginx pass over that', () => {
    const marked = { chainPem: `\uFEFF${ec.chainPem}`, keyPem: `\uFEFF${ec.keyPem}` };
    expect(bundleOf(marked).fingerprint).to.equal(bundleOf(ec).fingerprint);
    expect(() =>
      createSecureContext({ cert: bundleOf(marked).pairs[0]?.chainPem, key: marked.keyPem }),
    ).to.not.throw();
  });

  it('is said to be lines that end in carriage returns alone, which OpenSSL does not read either', () => {
    const returns = (text: string) => text.replaceAll('\n', '\r');
    expect(reasonOf({ ...ec, chainPem: returns(ec.chainPem) })).to.equal(
      'a certificate of the chain cannot be parsed: its lines end in carriage returns alone',
    );
    expect(reasonOf({ ...ec, keyPem: returns(ec.keyPem) })).to.equal(
      'the private key cannot be parsed: its lines end in carriage returns alone',
    );
  });

  it('is no certificate on the last line of a key: the key is served without it', () => {
    const [pair] = bundleOf({ ...ec, keyPem: ec.keyPem.trimEnd() + ec.chainPem }).pairs;
    expect(pair?.keyPem).to.equal(ec.keyPem);
    expect(() => createSecureContext({ cert: pair?.chainPem, key: pair?.keyPem })).to.not.throw();
  });
});

describe('splitChain', () => {
  it('splits a chain into its certificates, which together are the chain', async () => {
    const { chainPem } = await (await (await makeTestCa()).intermediate()).issue([NAME]);
    expect(splitChain(chainPem)).to.have.length(2);
    expect(splitChain(chainPem).join('')).to.equal(chainPem);
    expect(splitChain(chainPem.trimEnd()).join('')).to.equal(chainPem);
  });

  it('finds none where there is none', () => {
    for (const text of [
      '',
      'None',
      '-----BEGIN CERTIFICATE-----',
      '-----END CERTIFICATE-----',
      'x'.repeat(60_000),
    ]) {
      expect(splitChain(text)).to.deep.equal([]);
    }
  });
});
