import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
import { splitChain } from '../../../lib/domain/pem.js';
import { normaliseServerName } from '../../../lib/domain/server-name.js';
import { generateKey, type KeyType } from '../../../lib/pki/keys.js';
import { mintIntermediate, mintLeaf, mintRoot, selfSigned } from '../../../lib/pki/mint.js';
import { makeTempDir } from '../../support/certificates.js';

const run = promisify(execFile);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const VALIDITY = { notBeforeMs: NOW_MS - HOUR_MS, notAfterMs: NOW_MS + 90 * DAY_MS };
const KEY_TYPES: readonly KeyType[] = ['ec', 'rsa'];

async function makeRoot(type: KeyType = 'ec', validityMs = 3650 * DAY_MS) {
  return mintRoot({
    commonName: 'Root of tests',
    key: await generateKey(type),
    nowMs: NOW_MS - DAY_MS,
    validityMs,
  });
}

function leafOf(pair: CertificatePair): X509Certificate {
  return new X509Certificate(pair.chainPem);
}

/** What a client sees that trusts a root: the handshake completes and the certificate is right for the name. */
async function handshake(pair: CertificatePair, rootPem: string, servername: string): Promise<string> {
  const server = createServer({ cert: pair.chainPem, key: pair.keyPem }, (socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername, ca: rootPem });
  try {
    await once(socket, 'secureConnect');
    expect(socket.authorized).to.equal(true);
    return String(socket.getPeerCertificate().subjectaltname);
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('minting certificates', () => {
  let dir: string;
  let remove: () => Promise<void>;
  before(async () => ({ dir, remove } = await makeTempDir()));
  after(() => remove());

  /** `openssl verify` in its strict mode; rejects with what it says. */
  async function opensslVerify(pair: CertificatePair, rootPem: string, name: string): Promise<string> {
    const [chainPath, rootPath] = [join(dir, 'chain.pem'), join(dir, 'root.pem')];
    await writeFile(chainPath, pair.chainPem);
    await writeFile(rootPath, rootPem);
    const { stdout } = await run('openssl', [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', name],
      ...['-CAfile', rootPath, '-untrusted', chainPath, chainPath],
    ]);
    return stdout.trim();
  }

  for (const rootType of KEY_TYPES) {
    for (const leafType of KEY_TYPES) {
      it(`makes ${leafType} leaves under ${rootType} roots that OpenSSL and a TLS client accept`, async () => {
        const root = await makeRoot(rootType);
        const key = await generateKey(leafType);
        const pair = mintLeaf({ names: ['a.test', '*.b.test'], key, issuer: root, ...VALIDITY });

        expect(await opensslVerify(pair, root.certPem, 'x.b.test')).to.match(/: OK$/);
        expect(await handshake(pair, root.certPem, 'a.test')).to.equal('DNS:a.test, DNS:*.b.test');
        const rootCert = new X509Certificate(root.certPem);
        expect(leafOf(pair).checkIssued(rootCert)).to.equal(true);
        expect(leafOf(pair).verify(rootCert.publicKey)).to.equal(true);
        expect(leafOf(pair).publicKey.asymmetricKeyType).to.equal(leafType);
        expect(examine([pair], normaliseServerName('a.test'), NOW_MS).kind).to.equal('usable');
      });
    }
  }

  it('sends an intermediate along with the leaf, and no root', async () => {
    const root = await makeRoot();
    const issuer = mintIntermediate({
      commonName: 'Between',
      key: await generateKey(),
      issuer: root,
      ...VALIDITY,
    });
    const under = (above: typeof root, key: Awaited<ReturnType<typeof generateKey>>) =>
      mintLeaf({ names: ['a.test'], key, issuer: above, ...VALIDITY });
    const pair = under(issuer, await generateKey());

    expect(splitChain(pair.chainPem)).to.have.length(2);
    expect(splitChain(pair.chainPem)[1]).to.equal(issuer.certPem);
    expect(await opensslVerify(pair, root.certPem, 'a.test')).to.match(/: OK$/);
    expect(await handshake(pair, root.certPem, 'a.test')).to.equal('DNS:a.test');
    expect(splitChain(under(root, await generateKey()).chainPem)).to.have.length(1);
  });

  it('works under a root that OpenSSL made, whose key identifier is computed in another way', async () => {
    const [certPath, keyPath] = [join(dir, 'foreign.pem'), join(dir, 'foreign-key.pem')];
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/C=DE/O=Söme/CN=Foreign'],
      ...['-addext', 'keyUsage=critical,keyCertSign', '-utf8', '-out', certPath, '-keyout', keyPath],
    ]);
    const issuer = { certPem: await readFile(certPath, 'utf8'), keyPem: await readFile(keyPath, 'utf8') };
    const pair = mintLeaf({ names: ['a.test'], key: await generateKey(), issuer, ...VALIDITY });

    expect(await opensslVerify(pair, issuer.certPem, 'a.test')).to.match(/: OK$/);
    expect(leafOf(pair).issuer).to.equal(new X509Certificate(issuer.certPem).subject);
  });

  it('signs its own certificate where there is no authority', async () => {
    for (const type of KEY_TYPES) {
      const pair = selfSigned({
        names: ['localhost', '127.0.0.1'],
        key: await generateKey(type),
        ...VALIDITY,
      });
      expect(await opensslVerify(pair, pair.chainPem, 'localhost')).to.match(/: OK$/);
      expect(await handshake(pair, pair.chainPem, 'localhost')).to.include('DNS:localhost');
      expect(leafOf(pair).ca).to.equal(false);
    }
  });

  it('puts host names and addresses of both kinds into the alternative names', async () => {
    const names = ['a.test', '192.0.2.1', '2001:db8::1'];
    const leaf = leafOf(selfSigned({ names, key: await generateKey(), ...VALIDITY }));
    expect(leaf.checkHost('a.test')).to.equal('a.test');
    expect(leaf.checkIP('192.0.2.1')).to.equal('192.0.2.1');
    expect(leaf.checkIP('2001:db8::1')).to.equal('2001:db8::1');
    expect(leaf.subject).to.equal('CN=a.test');
  });

  it('leaves the subject empty for a name that is too long for one, and clients still accept it', async () => {
    const name = `${'x'.repeat(63)}.example.test`;
    const root = await makeRoot();
    const pair = mintLeaf({ names: [name], key: await generateKey(), issuer: root, ...VALIDITY });
    expect(leafOf(pair).subject).to.equal(undefined);
    expect(await opensslVerify(pair, root.certPem, name)).to.match(/: OK$/);
  });

  it('numbers certificates with sixteen random octets that are positive', async () => {
    const key = await generateKey();
    const serials = Array.from(
      { length: 200 },
      () => leafOf(selfSigned({ names: ['a.test'], key, ...VALIDITY })).serialNumber,
    );
    expect(new Set(serials).size).to.equal(200);
    for (const serial of serials) expect(serial).to.match(/^[4-7][0-9A-F]{31}$/);
  });

  it('writes dates through 2049 as UTCTime and later ones as GeneralizedTime', async () => {
    const key = await generateKey();
    const cases = [
      { atMs: Date.UTC(2049, 11, 31, 23, 59, 59), der: '\x17\x0d491231235959Z' },
      { atMs: Date.UTC(2050, 0, 1), der: '\x18\x0f20500101000000Z' },
    ];
    for (const { atMs, der } of cases) {
      const leaf = leafOf(selfSigned({ names: ['a.test'], key, notBeforeMs: NOW_MS, notAfterMs: atMs }));
      expect(Date.parse(leaf.validTo)).to.equal(atMs);
      expect(leaf.raw.includes(Buffer.from(der, 'latin1'))).to.equal(true);
    }
  });

  it('keeps the validity of a leaf within that of its root', async () => {
    const root = await makeRoot('ec', 10 * DAY_MS);
    const key = await generateKey();
    const mint = (notBeforeMs: number, notAfterMs: number) =>
      mintLeaf({ names: ['a.test'], key, issuer: root, notBeforeMs, notAfterMs });
    const leaf = leafOf(mint(0, NOW_MS + 90 * DAY_MS));

    expect(Date.parse(leaf.validFrom)).to.equal(NOW_MS - DAY_MS);
    expect(Date.parse(leaf.validTo)).to.equal(NOW_MS + 9 * DAY_MS);
    expect(() => mint(NOW_MS + 9 * DAY_MS, NOW_MS + 20 * DAY_MS)).to.throw(RangeError, 'valid at no time');
  });

  it('refuses to mint for no name at all', async () => {
    const [key, issuer] = [await generateKey(), await makeRoot()];
    expect(() => mintLeaf({ names: [], key, issuer, ...VALIDITY })).to.throw(RangeError, 'at least one name');
    expect(() => selfSigned({ names: [], key, ...VALIDITY })).to.throw(RangeError, 'at least one name');
  });

  it('refuses a signing key that is neither RSA nor EC', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = { publicKey, privateKey, privateKeyPem: '' };
    expect(() => selfSigned({ names: ['a.test'], key, ...VALIDITY })).to.throw(TypeError, 'ed25519');
    const root = await makeRoot();
    expect(leafOf(mintLeaf({ names: ['a.test'], key, issuer: root, ...VALIDITY })).ca).to.equal(false);
  });

  it('gives keys as PKCS#8 that belong to the certificate', async () => {
    for (const type of KEY_TYPES) {
      const key = await generateKey(type);
      expect(key.privateKeyPem).to.match(/^-----BEGIN PRIVATE KEY-----\n/);
      expect(createPrivateKey(key.privateKeyPem).equals(key.privateKey)).to.equal(true);
    }
  });
});
