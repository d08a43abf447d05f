import { expect } from 'chai';
import { createPrivateKey } from 'node:crypto';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
import { splitChain } from '../../../lib/domain/pem.js';
import type { TestCa } from '../../support/certificates.js';
import { at, bundleOf, DATES, issueAll, NAME, NOW_MS, reasonOf } from './examination-stage.js';
import { oddCertificate } from './odd-certificate.js';

describe('examine', () => {
  let ca: TestCa;
  let ec: CertificatePair;
  let rsa: CertificatePair;
  let other: CertificatePair;

  before(async () => {
    ({ ca, ec, rsa, other } = await issueAll());
  });

  describe('judges the dates', () => {
    for (const [when, nowMs, kind, reason] of [
      [
        'a millisecond before notBefore',
        DATES.notBefore - 1,
        'outdated',
        'it is not valid before 2026-01-01T00:00:00.000Z',
      ],
      ['at notBefore', DATES.notBefore, 'usable', undefined],
      ['in between', NOW_MS, 'usable', undefined],
      ['a millisecond before notAfter', DATES.notAfter - 1, 'usable', undefined],
      ['at notAfter', DATES.notAfter, 'outdated', 'it expired on 2027-01-01T00:00:00.000Z'],
      ['long after', DATES.notAfter * 2, 'outdated', 'it expired on 2027-01-01T00:00:00.000Z'],
    ] as const) {
      it(`${when}: ${kind}`, () => {
        const verdict = at([ec], nowMs);
        expect(verdict.kind).to.equal(kind);
        expect('reason' in verdict ? verdict.reason : undefined).to.equal(reason);
        if (verdict.kind === 'unusable') throw new Error(verdict.reason);
        expect(verdict.bundle).to.include({ notBeforeMs: DATES.notBefore, notAfterMs: DATES.notAfter });
      });
    }

    it('of two pairs by the later start and the earlier end', async () => {
      const short = await ca.issue([NAME], {
        type: 'rsa',
        notBefore: Date.UTC(2026, 2, 1),
        notAfter: Date.UTC(2026, 8, 1),
      });
      expect(bundleOf(ec, short)).to.include({
        notBeforeMs: Date.UTC(2026, 2, 1),
        notAfterMs: Date.UTC(2026, 8, 1),
      });
      expect(at([ec, short], Date.UTC(2026, 9, 1)).kind).to.equal('outdated');
      expect(at([ec, short], Date.UTC(2026, 1, 1)).kind).to.equal('outdated');
    });

    it('and refuses those that cannot be read, which would otherwise last for ever', () => {
      const month13 = oddCertificate({ names: [NAME], notAfter: '301301000000Z' });
      expect(reasonOf(month13)).to.equal('the dates of the certificate cannot be read');
    });
  });

  describe('orders the pairs', () => {
    it('with the ECDSA one first, whatever order they come in', () => {
      for (const pairs of [
        [ec, rsa],
        [rsa, ec],
      ]) {
        const { pairs: ordered } = bundleOf(...pairs);
        expect(ordered.map(({ keyPem }) => createPrivateKey(keyPem).asymmetricKeyType)).to.deep.equal([
          'ec',
          'rsa',
        ]);
        expect(ordered.map(({ chainPem }) => chainPem)).to.deep.equal([ec.chainPem, rsa.chainPem]);
      }
    });

    it('and refuses both where one of them is not for the name, or no pair', () => {
      expect(reasonOf(ec, other)).to.equal('the certificate is not for this name but for other.test');
      expect(reasonOf(ec, { ...rsa, keyPem: ec.keyPem })).to.equal(
        'the private key does not belong to the certificate',
      );
      expect(reasonOf()).to.equal('it holds no certificate');
    });
  });

  it('refuses what is no pair of texts, whoever has handed it over without a type', () => {
    const buffers = { chainPem: Buffer.from(ec.chainPem), keyPem: Buffer.from(ec.keyPem) };
    for (const pair of [null, undefined, 'pem', {}, { ...ec, keyPem: undefined }, buffers]) {
      expect(reasonOf(pair as CertificatePair)).to.equal('it is no pair of texts, `chainPem` and `keyPem`');
    }
  });

  it('asks for no name when the certificate is to serve any', () => {
    expect(examine([other], undefined, NOW_MS).kind).to.equal('usable');
    expect(examine([oddCertificate({})], undefined, NOW_MS).kind).to.equal('usable');
  });

  describe('gives a fingerprint', () => {
    it('of 64 hex digits, the same each time and in whatever order the pairs come', () => {
      expect(bundleOf(ec).fingerprint).to.match(/^[0-9a-f]{64}$/);
      expect(bundleOf(ec).fingerprint).to.equal(bundleOf({ ...ec }).fingerprint);
      expect(bundleOf(ec, rsa).fingerprint).to.equal(bundleOf(rsa, ec).fingerprint);
    });

    it('that differs when the certificate, its chain or the number of pairs does', async () => {
      const [leafPem = ''] = splitChain(ec.chainPem);
      const renewed = await ca.issue([NAME], DATES);
      const prints = [
        bundleOf(ec),
        bundleOf(rsa),
        bundleOf(ec, rsa),
        bundleOf({ ...ec, chainPem: leafPem }),
        bundleOf({ ...ec, chainPem: ec.chainPem + leafPem }),
        bundleOf(renewed),
      ].map(({ fingerprint }) => fingerprint);
      expect(new Set(prints).size).to.equal(prints.length);
    });
  });
});
