import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { buildContext } from '../../../lib/tls/secure-context.js';
import { SessionTickets, TICKET_KEY_BYTES } from '../../../lib/tls/session-tickets.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';
import { bundleOf, serveContexts, VERSIONS, visit, type ContextServer } from './context-server.js';

describe('A secure context', () => {
  let ca: TestCa;
  let server: ContextServer;
  let one: CertificateBundle;
  let other: CertificateBundle;
  const newTickets = (): SessionTickets => new SessionTickets([randomBytes(TICKET_KEY_BYTES)]);
  const tickets = newTickets();

  before(async () => {
    [ca, server] = await Promise.all([makeTestCa(), serveContexts()]);
    one = bundleOf(await ca.issue(['a.test']));
    other = bundleOf(await ca.issue(['a.test']));
  });
  after(() => server.close());

  for (const version of VERSIONS) {
    it(`resumes in a context built again from the same certificate and keys, with ${version}`, async () => {
      server.use(buildContext(one, tickets));
      const { sessions, reused } = await visit(server.port, version);
      expect(reused).to.equal(false);
      server.use(buildContext(one, tickets));
      expect((await visit(server.port, version, sessions[0])).reused).to.equal(true);
    });

    it(`does not resume in the context of another certificate, with ${version}`, async () => {
      server.use(buildContext(one, tickets));
      const { sessions } = await visit(server.port, version);
      server.use(buildContext(other, tickets));
      expect((await visit(server.port, version, sessions[0])).reused).to.equal(false);
    });

    it(`does not resume with a ticket of another key, with ${version}`, async () => {
      server.use(buildContext(one, tickets));
      const { sessions } = await visit(server.port, version);
      server.use(buildContext(one, newTickets()));
      expect((await visit(server.port, version, sessions[0])).reused).to.equal(false);
    });
  }

  it('prefers AES-128-GCM, and ECDSA to RSA', async () => {
    server.use(
      buildContext(
        bundleOf(await ca.issue(['a.test'], { type: 'rsa' }), await ca.issue(['a.test'])),
        tickets,
      ),
    );
    expect((await visit(server.port, 'TLSv1.3')).cipher).to.equal('TLS_AES_128_GCM_SHA256');
    expect((await visit(server.port, 'TLSv1.2')).cipher).to.equal('ECDHE-ECDSA-AES128-GCM-SHA256');
  });

  it('refuses a key that is not that of the certificate', async () => {
    const [mine, theirs] = [bundleOf(await ca.issue(['a.test'])), bundleOf(await ca.issue(['a.test']))];
    const [half] = mine.pairs;
    const [other] = theirs.pairs;
    if (half === undefined || other === undefined) throw new Error('there is no pair');
    const wrong = { ...one, pairs: [{ ...half, keyPem: other.keyPem }] };
    expect(() => buildContext(wrong, tickets)).to.throw(/mismatch/i);
  });
});
