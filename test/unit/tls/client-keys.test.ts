/** What a ClientHello says of a client's keys, against what OpenSSL makes of it. */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { KeyKind } from '../../../lib/domain/key-class.js';
import {
  canUseKey,
  ECDSA_SUITES,
  RSA_KEY_EXCHANGE_SUITES,
  RSA_SIGNATURE_SUITES,
} from '../../../lib/tls/client-keys.js';
import { buildContext, CIPHER_SUITES } from '../../../lib/tls/secure-context.js';
import { makeTestCa } from '../../support/certificates.js';
import { openssl, sClient } from '../../support/openssl.js';
import { bundleOf } from './context-server.js';
import { craft, craftWith, extension, frame, u16, unframe, vector16 } from './client-hello-bytes.js';

const KINDS: readonly KeyKind[] = ['ecdsa', 'rsa'];
const BOTH = KINDS;
const NONE: readonly KeyKind[] = [];

/** The flags of OpenSSL's client, and the keys that it can then use. */
const CLIENTS: readonly (readonly [flags: string, keys: readonly KeyKind[]])[] = [
  ['', BOTH],
  ['-tls1_2', BOTH],
  ['-tls1_3', BOTH],
  ['-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 -sigalgs RSA+SHA256', ['rsa']],
  ['-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305', ['rsa']],
  ['-tls1_2 -cipher AES128-GCM-SHA256', ['rsa']],
  ['-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256', ['ecdsa']],
  ['-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA', ['ecdsa']],
  // A suite that takes ECDSA, but none of ours.
  ['-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256', ['rsa']],
  ['-tls1_2 -sigalgs RSA+SHA256', ['rsa']],
  ['-tls1_2 -sigalgs RSA-PSS+SHA256', ['rsa']],
  [
    '-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256 -sigalgs ECDSA+SHA256',
    ['ecdsa'],
  ],
  ['-tls1_2 -groups X25519', ['rsa']],
  ['-tls1_2 -groups X25519:P-256', BOTH],
  ['-tls1_3 -groups X25519', BOTH],
  ['-tls1_3 -sigalgs RSA-PSS+SHA256', ['rsa']],
  ['-tls1_3 -sigalgs RSA-PSS+SHA512:ECDSA+SHA512', ['rsa']],
  ['-tls1_3 -sigalgs ECDSA+SHA256', ['ecdsa']],
  ['-sigalgs RSA-PSS+SHA256:RSA+SHA256', ['rsa']],
  ['-sigalgs ECDSA+SHA256:RSA+SHA256', ['ecdsa']],
  ['-tls1_2 -cipher ECDHE-RSA-AES128-SHA', NONE],
];

describe('Which keys a client can use', () => {
  const contexts = new Map<KeyKind, SecureContext>();
  let server: Server;
  let context: SecureContext | undefined;
  let hello: Buffer | undefined;

  before(async () => {
    const ca = await makeTestCa();
    const build = async (type: 'ec' | 'rsa'): Promise<SecureContext> =>
      buildContext(bundleOf(await ca.issue(['a.test'], { type })));
    contexts.set('ecdsa', await build('ec')).set('rsa', await build('rsa'));
    server = createServer((raw) => {
      raw.on('error', () => undefined);
      raw.once('data', (bytes) => {
        hello = bytes;
        raw.pause();
        raw.unshift(bytes);
        const socket = new TLSSocket(raw, { isServer: true, ...(context && { secureContext: context }) });
        for (const event of ['error', '_tlsError']) socket.on(event, () => raw.destroy());
        socket.resume();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  /** Whether OpenSSL serves the client with a key of a kind. */
  const isServed = async (flags: string, kind: KeyKind): Promise<boolean> => {
    context = contexts.get(kind);
    const { port } = server.address() as AddressInfo;
    return (await sClient(port, ...flags.split(' ').filter(Boolean))).certificate !== undefined;
  };

  for (const [flags, keys] of CLIENTS) {
    it(`is ${keys.join(' and ') || 'none'} for openssl s_client ${flags}`, async () => {
      for (const kind of KINDS) {
        expect(await isServed(flags, kind), `OpenSSL serves ${kind}`).to.equal(keys.includes(kind));
        if (hello === undefined) throw new Error('there was no ClientHello');
        expect(canUseKey(hello, kind), `it can use ${kind}`).to.equal(keys.includes(kind));
        // However the hello was cut into records.
        for (const size of [1, 3, 4, 5, 100]) {
          expect(canUseKey(frame(unframe(hello), size), kind)).to.equal(keys.includes(kind));
        }
      }
    });
  }

  it('is told by suites that are those that are served', async () => {
    const listed = await openssl(['ciphers', '-V', CIPHER_SUITES.join(':')], '');
    const numbers = new Map<string, number[]>();
    for (const [, high = '', low = '', exchange = '', auth = ''] of listed.matchAll(
      /0x(..),0x(..) - \S+ +TLSv1\.2 Kx=(\S+) +Au=(\S+)/g,
    )) {
      const kind = `${exchange} ${auth}`;
      numbers.set(kind, [...(numbers.get(kind) ?? []), Number.parseInt(high + low, 16)].sort());
    }
    expect(Object.fromEntries(numbers)).to.deep.equal({
      'ECDH ECDSA': ECDSA_SUITES,
      'ECDH RSA': [...RSA_SIGNATURE_SUITES].sort(),
      'RSA RSA': RSA_KEY_EXCHANGE_SUITES,
    });
  });

  it('is any of the suites where the client says nothing of signatures, as TLS 1.2 allows', () => {
    // One suite, of TLS 1.3, and no extension that says so.
    expect(KINDS.map((kind) => canUseKey(frame(craft(undefined)), kind))).to.deep.equal([false, false]);
    const withVersions = craftWith(extension(43, Buffer.from([2, 3, 4])));
    expect(KINDS.map((kind) => canUseKey(withVersions, kind))).to.deep.equal([true, true]);
  });

  it('is taken to be any where the lists do not fit', () => {
    const versions = extension(43, Buffer.from([2, 3, 4]));
    const tooLong = extension(13, Buffer.concat([u16(9_999), u16(0x0403)]));
    expect(canUseKey(craftWith(versions, tooLong), 'rsa')).to.equal(true);
    const fitting = extension(13, vector16(u16(0x0403)));
    expect(canUseKey(craftWith(versions, fitting), 'rsa')).to.equal(false);
  });
});
