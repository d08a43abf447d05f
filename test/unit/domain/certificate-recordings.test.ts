import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { examine } from '../../../lib/domain/examination.js';
import { splitChain } from '../../../lib/domain/pem.js';
import { normaliseDomain, type ServerName } from '../../../lib/domain/server-name.js';

const FOLDER = new URL('../../fixtures/manager/', import.meta.url);
/** After every recording, before any of its certificates expires. */
const NOW_MS = Date.UTC(2027, 0, 1);

interface Recorded {
  readonly name: ServerName;
  readonly leafPem: string;
  readonly abovePem: string;
  readonly chainPem: string;
  readonly keyPem: string;
}

type Part = { readonly pem: string };
type Answer = Readonly<Record<string, Readonly<Record<string, Part>> | null>>;

/** Every certificate that the manager was ever recorded to answer, once. */
function readRecorded(): Recorded[] {
  const found = new Map<string, Recorded>();
  for (const file of readdirSync(new URL('http/', FOLDER)).sort()) {
    const recording = JSON.parse(readFileSync(new URL(`http/${file}`, FOLDER), 'utf8')) as {
      response?: { body?: string };
    };
    if (recording.response?.body?.includes('PRIVATE KEY') !== true) continue;
    const { Domain, ...answer } = JSON.parse(recording.response.body) as Answer & {
      Domain: { domain_name: string };
    };
    const name = normaliseDomain(Domain.domain_name);
    if (name === undefined) throw new Error(`${file} is about no domain`);
    for (const [key, value] of Object.entries(answer)) {
      if (!key.includes('__latest_') || value === null) continue;
      const { certificate, chain, fullchain, private_key: privateKey } = value;
      found.set(`${name} ${certificate?.pem}`, {
        name,
        leafPem: certificate?.pem ?? '',
        abovePem: chain?.pem ?? '',
        chainPem: fullchain?.pem ?? '',
        keyPem: privateKey?.pem ?? '',
      });
    }
  }
  return [...found.values()];
}

describe('Certificates as a real manager answers them', () => {
  const recorded = readRecorded();
  const kindOf = new Map([
    ['expired.example.com', 'outdated'],
    ['future.example.com', 'outdated'],
  ]);

  it('come with every form of key, with and without a subject, for names, wildcards and punycode', () => {
    const keys = new Set(recorded.map(({ keyPem }) => keyPem.split('\n', 1)[0]));
    expect([...keys]).to.have.members([
      '-----BEGIN EC PRIVATE KEY-----',
      '-----BEGIN RSA PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY-----',
      '-----BEGIN EC PARAMETERS-----',
    ]);
    const subjects = recorded.map(
      ({ leafPem }) => new X509Certificate(leafPem).subject as string | undefined,
    );
    expect(subjects).to.include(undefined).and.to.include('CN=*.wild.example.com');
    const names = recorded.map(({ name }) => name as string);
    expect(names).to.include.members([
      '*.wild.example.com',
      'xn--bcher-kva.example.com',
      '12345.example.com',
    ]);
  });

  recorded.forEach(({ name, leafPem, abovePem, chainPem, keyPem }) => {
    const kind = kindOf.get(name) ?? 'usable';
    const { serialNumber } = new X509Certificate(leafPem);
    it(`${kind}: ${name}, serial ${serialNumber}`, () => {
      const verdict = examine([{ chainPem, keyPem }], name, NOW_MS);
      if (verdict.kind === 'unusable') throw new Error(verdict.reason);
      expect(verdict.kind).to.equal(kind);
      expect(verdict.bundle.pairs).to.have.length(1);
      expect(verdict.bundle.pairs[0]).to.include({ chainPem, keyPem });
      expect(splitChain(chainPem)).to.deep.equal([leafPem, abovePem]);
      // The parts are the fullchain.
      const parts = examine([{ chainPem: leafPem + abovePem, keyPem }], name, NOW_MS);
      expect('bundle' in parts ? parts.bundle.fingerprint : parts.reason).to.equal(
        verdict.bundle.fingerprint,
      );
      // What is let through can be served.
      createSecureContext({ cert: chainPem, key: keyPem });
    });
  });

  it('are each for their own names, and with their own keys', () => {
    for (const one of recorded) {
      const other = recorded.find(({ leafPem }) => leafPem !== one.leafPem);
      const swapped = examine([{ ...one, keyPem: other?.keyPem ?? '' }], one.name, NOW_MS);
      expect(swapped, one.name).to.include({ reason: 'the private key does not belong to the certificate' });
      expect(examine([one], 'nobody.example.net' as ServerName, NOW_MS).kind, one.name).to.equal('unusable');
    }
  });

  it('the wildcard is for the names below it too, one label deep', () => {
    const wild = recorded.filter(({ name }) => name === '*.wild.example.com');
    expect(wild).to.have.length(1);
    const kind = (name: string) => examine(wild, name as ServerName, NOW_MS).kind;
    expect(kind('www.wild.example.com')).to.equal('usable');
    expect(kind('wild.example.com')).to.equal('unusable');
    expect(kind('a.b.wild.example.com')).to.equal('unusable');
  });

  it('the two of one name make one bundle, ECDSA first', () => {
    const both = recorded.filter(({ name }) => name === 'both.example.com');
    expect(both).to.have.length(2);
    const fingerprints = [both, [...both].reverse()].map((pairs) => {
      const verdict = examine(pairs, 'both.example.com' as ServerName, NOW_MS);
      if (verdict.kind !== 'usable') throw new Error(verdict.reason);
      expect(verdict.bundle.pairs.map(({ keyPem }) => keyPem.split('\n', 1)[0])).to.deep.equal([
        '-----BEGIN EC PRIVATE KEY-----',
        '-----BEGIN RSA PRIVATE KEY-----',
      ]);
      return verdict.bundle.fingerprint;
    });
    expect(fingerprints[0]).to.equal(fingerprints[1]);
  });
});
