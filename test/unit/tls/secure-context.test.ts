import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { buildContext, setTicketKeys } from '../../../lib/tls/secure-context.js';
import { makeTestCa, type TestCa } from '../../support/certificates.js';
import { bundleOf, serveContexts, type ContextServer } from './context-server.js';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof VERSIONS)[number];

interface Visit {
  readonly session: Buffer | undefined;
  readonly reused: boolean;
  readonly cipher: string;
}

async function visit(port: number, version: Version, session?: Buffer): Promise<Visit> {
  const socket: TLSSocket = connect({
    ...{ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false },
    ...{ minVersion: version, maxVersion: version },
    ...(session === undefined ? {} : { session }),
  });
  let received: Buffer | undefined;
  socket.on('session', (next: Buffer) => (received = next));
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  const cipher = socket.getCipher().name;
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  return { session: received, reused, cipher };
}

describe('A secure context', () => {
  let ca: TestCa;
  let server: ContextServer;
  let one: CertificateBundle;
  let other: CertificateBundle;
  const keys = randomBytes(48);

  before(async () => {
    [ca, server] = await Promise.all([makeTestCa(), serveContexts()]);
    one = bundleOf(await ca.issue(['a.test']));
    other = bundleOf(await ca.issue(['a.test']));
  });
  after(() => server.close());

  for (const version of VERSIONS) {
    it(`resumes in a context built again from the same certificate and keys, with ${version}`, async () => {
      server.use(buildContext(one, keys));
      const { session, reused } = await visit(server.port, version);
      expect(reused).to.equal(false);
      server.use(buildContext(one, keys));
      expect((await visit(server.port, version, session)).reused).to.equal(true);
    });

    it(`does not resume in the context of another certificate, with ${version}`, async () => {
      server.use(buildContext(one, keys));
      const { session } = await visit(server.port, version);
      server.use(buildContext(other, keys));
      expect((await visit(server.port, version, session)).reused).to.equal(false);
    });

    it(`does not resume with other keys, with ${version}`, async () => {
      server.use(buildContext(one, keys));
      const { session } = await visit(server.port, version);
      server.use(buildContext(one, randomBytes(48)));
      expect((await visit(server.port, version, session)).reused).to.equal(false);
    });

    it(`takes new ticket keys while it is in use, with ${version}`, async () => {
      const context = buildContext(one, keys);
      server.use(context);
      const { session: old } = await visit(server.port, version);
      const next = randomBytes(48);
      setTicketKeys(context, next);
      const { reused, session } = await visit(server.port, version, old);
      expect(reused, 'with a ticket of the old keys').to.equal(false);
      expect((await visit(server.port, version, session)).reused, 'with a new ticket').to.equal(true);
      // The keys are really the ones that were given: another context that has them reads the ticket.
      server.use(buildContext(one, next));
      expect((await visit(server.port, version, session)).reused, 'elsewhere').to.equal(true);
    });
  }

  it('prefers AES-128-GCM, and ECDSA to RSA', async () => {
    server.use(
      buildContext(bundleOf(await ca.issue(['a.test'], { type: 'rsa' }), await ca.issue(['a.test'])), keys),
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
    expect(() => buildContext(wrong, keys)).to.throw(/mismatch/i);
  });
});
