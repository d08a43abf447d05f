import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { leafFacts, leafFactsOf } from '../../../lib/domain/leaf-facts.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';
import { opensslIssue } from '../../support/openssl-issue.js';

describe('facts of a leaf', () => {
  let ca: TestCa;
  before(async () => (ca = await (await makeTestCa()).intermediate('Facts CA')));

  it('are those of the first certificate, and nothing of the key', async () => {
    const notAfterMs = Date.UTC(2030, 0, 1);
    const notBeforeMs = Date.UTC(2020, 0, 1);
    const pair = await ca.issue(['www.a.test', '*.b.test'], { notBefore: notBeforeMs, notAfter: notAfterMs });
    expect(leafFactsOf(pair.chainPem)).to.deep.equal({
      fingerprint: new X509Certificate(pair.chainPem).fingerprint256.replaceAll(':', '').toLowerCase(),
      names: ['www.a.test', '*.b.test'],
      issuer: 'Facts CA',
      key: 'EC P-256',
      notBeforeMs,
      notAfterMs,
    });
  });

  it('name each kind of key as people do', async () => {
    const keyOf = async (...key: [string, ...string[]]): Promise<string | undefined> =>
      leafFactsOf((await opensslIssue(ca.authority, { names: ['a.test'], key })).chainPem)?.key;
    expect(await keyOf('RSA', 'rsa_keygen_bits:2048')).to.equal('RSA 2048');
    expect(await keyOf('EC', 'ec_paramgen_curve:P-384')).to.equal('EC P-384');
    expect(await keyOf('ED25519')).to.equal('ED25519');
  });

  it('have addresses as they are written, and a common name where there is no other', async () => {
    const { chainPem } = await opensslIssue(ca.authority, { names: ['192.0.2.1', 'a.test'] });
    expect(leafFactsOf(chainPem)?.names).to.deep.equal(['192.0.2.1', 'a.test']);
    const facts = leafFacts(new X509Certificate(ca.authority.certPem));
    expect(facts.names).to.deep.equal(['Facts CA']);
    expect(facts.issuer).to.equal('Test Root');
  });

  it('are none where nothing can be parsed, and skip what cannot', async () => {
    const { chainPem } = await ca.issue(['a.test']);
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(leafFactsOf('')).to.equal(undefined);
    expect(leafFactsOf(damaged)).to.equal(undefined);
    expect(leafFactsOf(damaged + chainPem)?.names).to.deep.equal(['a.test']);
  });
});
