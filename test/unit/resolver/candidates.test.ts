import { expect } from 'chai';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { splitChain } from '../../../lib/domain/pem.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { Candidates } from '../../../lib/resolver/candidates.js';
import { ServableCertificates } from '../../../lib/resolver/servable.js';
import { generateKey } from '../../../lib/pki/keys.js';
import { mintIntermediate } from '../../../lib/pki/mint.js';
import type { Authority } from '../../../lib/pki/signer.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';
import { opensslIssue } from '../../support/openssl-issue.js';

const NAME = 'www.a.test' as ServerName;
const DAY_MS = 86_400_000;
const AIA = 'authorityInfoAccess=caIssuers;URI:http://authority.test/issuer.der';

describe('Candidates', () => {
  let root: TestCa;
  let ca: TestCa;
  /** By what each of them is. */
  let pairs: Record<
    | 'full'
    | 'fullRsa'
    | 'older'
    | 'expired'
    | 'future'
    | 'clientOnly'
    | 'anyUsage'
    | 'selfSigned'
    | 'selfSignedLeaf'
    | 'chainless'
    | 'chainExpired'
    | 'chainRenewed'
    | 'chainBoth'
    | 'alone'
    | 'aloneRsa'
    | 'p521'
    | 'ed25519'
    | 'rsaPss'
    | 'sha1'
    | 'rsa512'
    | 'p224',
    CertificatePair
  >;

  before(async () => {
    root = await makeTestCa();
    ca = await root.intermediate();
    const names = [NAME];
    const odd = async (
      options: Omit<Parameters<typeof opensslIssue>[1], 'names'>,
    ): Promise<CertificatePair> => {
      const { chainPem, keyPem } = await opensslIssue(ca.authority, { names, ...options });
      return { chainPem: chainPem + ca.authority.certPem, keyPem };
    };
    const nowMs = Date.now();
    // An issuer whose certificate has expired, and been renewed for the same key.
    const issuer = { commonName: 'Renewed', key: await generateKey('ec'), issuer: root.authority };
    const [before, after] = [
      mintIntermediate({ ...issuer, notBeforeMs: nowMs - 90 * DAY_MS, notAfterMs: nowMs - DAY_MS }),
      mintIntermediate({ ...issuer, notBeforeMs: nowMs - 2 * DAY_MS, notAfterMs: nowMs + 90 * DAY_MS }),
    ];
    const { chainPem, keyPem } = await opensslIssue(after, { names });
    const below = (...issuers: readonly Authority[]): CertificatePair => ({
      chainPem: chainPem + issuers.map(({ certPem }) => certPem).join(''),
      keyPem,
    });
    pairs = {
      chainExpired: below(before),
      chainRenewed: below(after),
      chainBoth: below(before, after),
      full: await ca.issue(names),
      fullRsa: await ca.issue(names, { type: 'rsa' }),
      older: await ca.issue(names, { notBefore: nowMs - 60 * DAY_MS }),
      expired: await ca.issue(names, { notAfter: nowMs - DAY_MS }),
      future: await ca.issue(names, { notBefore: nowMs + DAY_MS }),
      clientOnly: await odd({ extensions: ['extendedKeyUsage=clientAuth'] }),
      anyUsage: await odd({ extensions: ['extendedKeyUsage=anyExtendedKeyUsage'] }),
      selfSigned: await opensslIssue(undefined, { names }),
      // As most programs sign for themselves: it may sign no certificates, not even its own.
      selfSignedLeaf: await opensslIssue(undefined, {
        names,
        extensions: ['keyUsage=critical,digitalSignature'],
      }),
      chainless: await opensslIssue(ca.authority, { names, extensions: [AIA] }),
      alone: await root.issue(names),
      aloneRsa: await root.issue(names, { type: 'rsa' }),
      p521: await odd({ key: ['EC', 'ec_paramgen_curve:P-521'] }),
      ed25519: await odd({ key: ['ED25519'] }),
      rsaPss: await odd({ key: ['RSA-PSS', 'rsa_keygen_bits:2048'] }),
      sha1: await odd({ key: ['RSA', 'rsa_keygen_bits:2048'], digest: 'sha1' }),
      rsa512: await odd({ key: ['RSA', 'rsa_keygen_bits:512'] }),
      p224: await odd({ key: ['EC', 'ec_paramgen_curve:P-224'] }),
    };
  });

  type Kind = keyof typeof pairs;

  /** Which of them are served when sources have these, in this order. */
  function best(...kinds: readonly Kind[]): Kind[] {
    const candidates = new Candidates(NAME, Date.now(), new ServableCertificates());
    for (const kind of kinds) candidates.add(pairs[kind], kind);
    const served = candidates.best()?.bundle.pairs.map(({ keyPem }) => keyPem) ?? [];
    return served.map((keyPem) => kinds.find((kind) => pairs[kind].keyPem === keyPem) as Kind);
  }

  const isGood = (kind: Kind): boolean => {
    const candidates = new Candidates(NAME, Date.now(), new ServableCertificates());
    candidates.add(pairs[kind], 'redis');
    return candidates.isGood;
  };

  describe('puts', () => {
    const rows: readonly (readonly [better: Kind, worse: Kind])[] = [
      ['full', 'expired'],
      ['full', 'future'],
      ['full', 'clientOnly'],
      ['full', 'selfSigned'],
      ['full', 'selfSignedLeaf'],
      ['full', 'chainless'],
      ['full', 'chainExpired'],
      ['alone', 'chainExpired'],
      ['full', 'alone'],
      ['full', 'p521'],
      ['full', 'ed25519'],
      ['full', 'rsaPss'],
      ['fullRsa', 'ed25519'],
      ['fullRsa', 'p521'],
      ['alone', 'chainless'],
      ['alone', 'selfSigned'],
      ['alone', 'selfSignedLeaf'],
      ['chainless', 'clientOnly'],
      ['chainless', 'expired'],
      ['clientOnly', 'expired'],
      ['p521', 'chainless'],
    ];
    for (const [better, worse] of rows) {
      it(`${better} before ${worse}, whichever source comes first`, () => {
        expect(best(better, worse)[0]).to.equal(better);
        expect(best(worse, better)[0]).to.equal(better);
      });
    }

    it('the source that comes first before the other, of two that are as good', () => {
      expect(best('full', 'older')).to.deep.equal(['full']);
      expect(best('older', 'full')).to.deep.equal(['older']);
      expect(best('anyUsage', 'full')).to.deep.equal(['anyUsage']);
    });
  });

  it('takes a chain whose issuer has expired for a broken one, unless the renewed issuer is in it too', () => {
    expect(isGood('chainExpired')).to.equal(false);
    expect(isGood('chainRenewed')).to.equal(true);
    expect(isGood('chainBoth')).to.equal(true);
    const candidates = new Candidates(NAME, Date.now(), new ServableCertificates());
    for (const kind of ['chainExpired', 'chainRenewed'] as const) candidates.add(pairs[kind], kind);
    expect(candidates.best()?.tier).to.equal('chainRenewed');
  });

  describe('completes', () => {
    it('an ECDSA certificate with an RSA one of another source, the ECDSA one first', () => {
      expect(best('full', 'fullRsa')).to.deep.equal(['full', 'fullRsa']);
      expect(best('fullRsa', 'full')).to.deep.equal(['full', 'fullRsa']);
      expect(best('full', 'aloneRsa')).to.deep.equal(['full', 'aloneRsa']);
      expect(best('clientOnly', 'fullRsa', 'full')).to.deep.equal(['full', 'fullRsa']);
    });

    it('no RSA certificate with an ECDSA one of a worse chain, which clients would prefer', () => {
      for (const worse of ['chainless', 'alone', 'selfSigned'] as const) {
        expect(best('fullRsa', worse), worse).to.deep.equal(['fullRsa']);
        expect(best(worse, 'fullRsa'), worse).to.deep.equal(['fullRsa']);
      }
      expect(best('aloneRsa', 'alone')).to.deep.equal(['alone', 'aloneRsa']);
    });

    it('nothing with what is out of date, for clients only, or of a key that many do not take', () => {
      expect(best('fullRsa', 'expired')).to.deep.equal(['fullRsa']);
      expect(best('fullRsa', 'clientOnly')).to.deep.equal(['fullRsa']);
      expect(best('fullRsa', 'p521', 'ed25519')).to.deep.equal(['fullRsa']);
      expect(best('ed25519')).to.deep.equal(['ed25519']);
      expect(best('p521', 'ed25519')).to.deep.equal(['p521']);
    });
  });

  it('asks no further once there is a good one, and further as long as another one may be better', () => {
    for (const kind of ['full', 'fullRsa', 'older', 'alone', 'anyUsage'] as const)
      expect(isGood(kind), kind).to.equal(true);
    for (const kind of [
      'expired',
      'future',
      'clientOnly',
      'selfSigned',
      'selfSignedLeaf',
      'chainless',
      'p521',
      'ed25519',
    ] as const) {
      expect(isGood(kind), kind).to.equal(false);
    }
  });

  describe('refuses what OpenSSL does', () => {
    it('an RSA key of 512 bits, with its reason, and the leaf as other tools name it', () => {
      const candidates = new Candidates(NAME, Date.now(), new ServableCertificates());
      const remark = candidates.add(pairs.rsa512, 'redis');
      expect(remark?.kind).to.equal('unusable');
      expect(remark?.reason).to.match(/^OpenSSL refuses it: .*(key too small|too weak)/i);
      expect(remark?.fingerprint).to.match(/^[0-9a-f]{64}$/);
      expect(candidates.best()).to.equal(undefined);
    });

    it('and takes the next one: half a pair may fall by itself', () => {
      expect(best('rsa512', 'full')).to.deep.equal(['full']);
      expect(best('rsa512', 'full', 'fullRsa')).to.deep.equal(['full', 'fullRsa']);
    });

    it('or what it serves and no client takes comes last: a signature with SHA-1, P-224', () => {
      // Which of them OpenSSL refuses depends on its version.
      expect(best('p224', 'full')).to.deep.equal(['full']);
      expect(best('sha1', 'full')).to.deep.equal(['full']);
    });

    it('once a certificate, not with each look-up', () => {
      let tried = 0;
      const servable = new ServableCertificates(() => {
        tried += 1;
        throw new Error('no such curve');
      });
      for (let i = 0; i < 3; i++) {
        const remark = new Candidates(NAME, Date.now(), servable).add(pairs.full, 'redis');
        expect(remark?.reason).to.equal('OpenSSL refuses it: no such curve');
      }
      expect(tried).to.equal(1);
    });

    it('and what a worker could not build', () => {
      const servable = new ServableCertificates();
      const first = new Candidates(NAME, Date.now(), servable);
      first.add(pairs.full, 'redis');
      servable.refuse(first.best()?.bundle.fingerprint ?? '', 'not here');
      expect(new Candidates(NAME, Date.now(), servable).add(pairs.full, 'redis')?.reason).to.equal(
        'OpenSSL refuses it: not here',
      );
    });
  });

  it('serves the better half alone where both together are refused', () => {
    const servable = new ServableCertificates();
    const both = new Candidates(NAME, Date.now(), servable);
    both.add(pairs.full, 'redis');
    both.add(pairs.fullRsa, 'directory');
    servable.refuse(both.best()?.bundle.fingerprint ?? '', 'not together');
    expect(both.best()?.bundle.pairs).to.have.length(1);
  });

  it('leaves the chain as it is: what leads on is sent', () => {
    expect(splitChain(pairs.full.chainPem)).to.have.length(2);
  });
});
