import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { examine } from '../../../lib/domain/examination.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { mintDefaultCertificate } from '../../../lib/pki/default-certificate.js';
import { buildContext } from '../../../lib/tls/secure-context.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

describe('The default certificate that is minted', () => {
  it('can be served at once and for years, to clients whose clocks are a little behind, too', async () => {
    const pair = await mintDefaultCertificate(NOW_MS);
    for (const atMs of [NOW_MS - DAY_MS / 2, NOW_MS, NOW_MS + 9 * 365 * DAY_MS]) {
      expect(examine([pair], undefined, atMs).kind).to.equal('usable');
    }
    const verdict = examine([pair], undefined, NOW_MS);
    if (verdict.kind !== 'usable') throw new Error(verdict.kind);
    buildContext(verdict.bundle);
  });

  it("is signed by itself, says what it is, and is for nobody's name", async () => {
    const pair = await mintDefaultCertificate(NOW_MS);
    const leaf = new X509Certificate(pair.chainPem);
    expect(leaf.subject).to.equal('CN=peter-sslers-proxy default certificate');
    expect(leaf.verify(leaf.publicKey)).to.equal(true);
    expect(leaf.subjectAltName).to.equal('DNS:default.invalid');
    expect(leaf.ca).to.equal(false);
    expect(examine([pair], 'localhost' as ServerName, NOW_MS).kind).to.equal('unusable');
  });

  it('is another one, with another key, each time', async () => {
    const [one, other] = await Promise.all([mintDefaultCertificate(NOW_MS), mintDefaultCertificate(NOW_MS)]);
    expect(one.keyPem).to.not.equal(other.keyPem);
    expect(new X509Certificate(one.chainPem).serialNumber).to.not.equal(
      new X509Certificate(other.chainPem).serialNumber,
    );
  });
});
