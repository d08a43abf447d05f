/**
 * What a context negotiates with OpenSSL's own client: groups, suites, and nothing anew once the handshake is done.
 */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type EphemeralKeyInfo, type SecureContext } from 'node:tls';
import { buildContext, CIPHER_SUITES } from '../../../lib/tls/secure-context.js';
import { makeTestCa } from '../../support/certificates.js';
import { sClient, sClientRenegotiation } from '../../support/openssl.js';
import { bundleOf, serveContexts, type ContextServer } from './context-server.js';

const HYBRID = 'X25519MLKEM768';

/**
 * Whether this Node's OpenSSL knows the hybrid group. Tried in another process: on Node 20 a refusal leaves an error behind
 * that the next connection to read has for its own.
 */
const hasHybrid =
  spawnSync(process.execPath, ['-e', `require('node:tls').createSecureContext({ ecdhCurve: '${HYBRID}' })`])
    .status === 0;

describe('What a secure context negotiates', () => {
  let server: ContextServer;
  const contexts: Partial<Record<'ec' | 'rsa' | 'both', SecureContext>> = {};
  const use = (kind: 'ec' | 'rsa' | 'both'): void => server.use(contexts[kind]!);

  before(async () => {
    const ca = await makeTestCa();
    const [ec, rsa] = await Promise.all([ca.issue(['a.test']), ca.issue(['a.test'], { type: 'rsa' })]);
    server = await serveContexts((socket) => void socket.resume());
    contexts.ec = buildContext(bundleOf(ec));
    contexts.rsa = buildContext(bundleOf(rsa));
    contexts.both = buildContext(bundleOf(ec, rsa));
  });
  after(() => server.close());

  describe('key exchange', () => {
    const taken: [string, RegExp][] = [
      ['X25519', /Server Temp Key: X25519,/],
      ['P-256', /Server Temp Key: ECDH, prime256v1,/],
      ['P-384', /Server Temp Key: ECDH, secp384r1,/],
      ['P-521', /Server Temp Key: ECDH, secp521r1,/],
      // An offer of finite fields takes nothing from a client that has better ones as well.
      ['ffdhe8192:P-256', /Server Temp Key: ECDH, prime256v1,/],
    ];
    for (const [group, key] of taken) {
      it(`takes ${group}`, async () => {
        use('both');
        const { output, exitCode } = await sClient(server.port, '-tls1_3', '-groups', group);
        expect(output).to.match(key);
        expect(exitCode).to.equal(0);
      });
    }
    for (const group of ['ffdhe2048', 'ffdhe8192', 'ffdhe2048:ffdhe8192']) {
      it(`refuses a client that offers ${group} alone`, async () => {
        use('both');
        const { output, exitCode } = await sClient(server.port, '-tls1_3', '-groups', group);
        expect(output).to.match(/alert handshake failure/);
        expect(exitCode).to.equal(1);
      });
    }
    it('takes the hybrid group first where this OpenSSL has it, even from a client that guesses X25519', async () => {
      use('both');
      // With the star in front, OpenSSL sends a key share for that group.
      for (const offered of hasHybrid ? [HYBRID, `${HYBRID}:X25519`, `*X25519:${HYBRID}`] : ['X25519']) {
        const options = { host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve: offered };
        const socket = connect({ ...options, port: server.port });
        await once(socket, 'secureConnect');
        // Node 22 names the curves, and has no name for the hybrid.
        const { name = HYBRID } = socket.getEphemeralKeyInfo() as EphemeralKeyInfo;
        expect(name).to.equal(hasHybrid ? HYBRID : 'X25519');
        socket.destroy();
      }
    });
  });

  describe('suites', () => {
    for (const suite of CIPHER_SUITES) {
      it(`${suite} can be negotiated`, async () => {
        const isTls13 = suite.startsWith('TLS_');
        const kinds = isTls13
          ? (['ec', 'rsa'] as const)
          : suite.includes('ECDSA')
            ? ['ec' as const]
            : ['rsa' as const];
        const flags = isTls13 ? ['-tls1_3', '-ciphersuites', suite] : ['-tls1_2', '-cipher', suite];
        for (const kind of [...kinds, 'both' as const]) {
          use(kind);
          const { output, exitCode } = await sClient(server.port, ...flags);
          expect(output, kind).to.match(new RegExp(`Cipher is ${suite}$`, 'm'));
          expect(exitCode, kind).to.equal(0);
        }
      });
    }
    for (const suite of [
      'DHE-RSA-AES128-GCM-SHA256',
      'DHE-RSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES128-SHA',
      'AES128-SHA',
    ]) {
      it(`${suite} is refused`, async () => {
        use('rsa');
        const { output, exitCode } = await sClient(server.port, '-tls1_2', '-cipher', suite);
        expect(output).to.match(/alert handshake failure/);
        expect(exitCode).to.equal(1);
      });
    }
  });

  it('refuses a client that wants to negotiate anew', async () => {
    use('both');
    const { output, exitCode } = await sClientRenegotiation(server.port, '-tls1_2');
    expect(output).to.match(/^RENEGOTIATING$[^]*no renegotiation/m);
    expect(exitCode).to.equal(1);
  });
});
