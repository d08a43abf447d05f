import { expect } from 'chai';
import { join } from 'node:path';
import type { CertificatePair } from '../../../../lib/domain/certificate.js';
import { splitChain } from '../../../../lib/domain/pem.js';
import { generateKey } from '../../../../lib/pki/keys.js';
import { mintIntermediate, mintLeaf } from '../../../../lib/pki/mint.js';
import type { Authority } from '../../../../lib/pki/signer.js';
import { writePair } from '../../../support/certificates.js';
import { ManualTime } from '../../../support/manual-time.js';
import { opensslIssue } from '../../../support/openssl-issue.js';
import { DAY_MS, DirectoryStage } from './stage.js';

/** A certificate whose chain has an earlier certificate of its issuer, which has expired. */
async function belowLapsed(root: Authority, name: string, lapsedAt: Date): Promise<CertificatePair> {
  const key = await generateKey('ec');
  const notBeforeMs = Date.UTC(1990, 0, 1);
  const at = { commonName: 'Lapsed CA', key, issuer: root, notBeforeMs };
  const issuer = mintIntermediate({ ...at, notAfterMs: Date.now() + 90 * DAY_MS });
  const leaf = mintLeaf({
    ...{ names: [name], key: await generateKey('ec'), issuer },
    ...{ notBeforeMs, notAfterMs: Date.now() + 30 * DAY_MS },
  });
  const { certPem } = mintIntermediate({ ...at, notAfterMs: lapsedAt.getTime() });
  return { ...leaf, chainPem: (splitChain(leaf.chainPem)[0] ?? '') + certPem };
}

describe('DirectorySource says what its certificates lack', () => {
  const stage = new DirectoryStage();
  /** The lines so far, with the names. */
  const said = (): string[] =>
    stage.notices
      .filter(({ message }) => message.startsWith('a certificate needs attention: '))
      .map(({ message, fields }) => `${String(fields?.['names'])}: ${message.replace(/^.*attention: /, '')}`);
  const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

  it('at the start, with its file: expired, expiring, without its intermediate, with one that has expired, must-staple', async () => {
    const aia = 'authorityInfoAccess=caIssuers;URI:http://ca.test/ca.der';
    const { authority } = stage.ca;
    const pairs = {
      'alone.test': await opensslIssue(authority, { names: ['alone.test'], extensions: [aia] }),
      'staple.test': await opensslIssue(authority, {
        names: ['staple.test'],
        extensions: ['tlsfeature=status_request'],
      }),
    };
    for (const [name, pair] of Object.entries(pairs)) await writePair(join(stage.dir, name), pair);
    await stage.place('old.test', ['old.test'], { notBefore: inDays(-90), notAfter: inDays(-1) });
    await stage.place('soon.test', ['soon.test', 'b.soon.test', 'c.test', 'd.test', 'e.test'], {
      notAfter: inDays(13.9),
    });
    await stage.place('good.test', ['good.test'], { notAfter: inDays(14.1) });
    await writePair(join(stage.dir, 'lapsed.test'), await belowLapsed(authority, 'lapsed.test', inDays(-2)));
    await writePair(
      join(stage.dir, 'whole.test'),
      await (await stage.ca.intermediate()).issue(['whole.test']),
    );
    // Those of OpenSSL are valid from the second in which they were made.
    stage.time = new ManualTime(Date.now());
    await stage.open();
    expect(said()).to.have.length(5);
    const [alone, late, old, soon, staple] = said();
    expect(alone).to.equal('alone.test: the intermediate certificate is missing from its chain');
    expect(late).to.match(/^lapsed\.test: the certificate of its chain for Lapsed CA expired on \d{4}-/);
    expect(old).to.match(/^old\.test: it expired on \d{4}-/);
    expect(soon).to.match(/^soon\.test, b\.soon\.test, c\.test and 2 more: it expires on \d{4}-/);
    expect(staple).to.match(/^staple\.test: it demands a stapled OCSP answer \(must-staple\)/);
    const [line] = stage.notices.filter(({ fields }) => fields?.['names'] === 'alone.test');
    expect(line?.fields?.['file']).to.equal(join(stage.dir, 'alone.test', 'fullchain.pem'));
  });

  it('and says nothing of it again, at a reload neither, until it has changed', async () => {
    await stage.place('a.test', ['a.test'], { notAfter: inDays(20) });
    await stage.place('b.test', ['b.test'], { notAfter: inDays(10) });
    const source = await stage.open();
    expect(said()).to.have.length(1);
    await source.reload();
    await stage.place('c.test', ['c.test']);
    await stage.poll();
    await source.reload();
    expect(said()).to.have.length(1);
    stage.time.nowMs += 7 * DAY_MS;
    await source.reload();
    expect(said().slice(1)).to.have.length(1);
    expect(said()[1]).to.match(/^a\.test: it expires on/);
    await stage.place('b.test', ['b.test'], { notAfter: inDays(60) });
    await stage.poll();
    stage.time.nowMs += 60 * DAY_MS;
    await source.reload();
    expect(said().filter((line) => line.startsWith('b.test'))).to.have.length(2);
  });

  it('of a renewal that has lost its intermediate, when it is seen', async () => {
    const ca = await stage.ca.intermediate();
    const other = await stage.ca.intermediate('Other CA');
    await writePair(join(stage.dir, 'a.test'), await ca.issue(['a.test']));
    await stage.open();
    expect(said()).to.deep.equal([]);
    const pair = await ca.issue(['a.test']);
    const [leaf = ''] = splitChain(pair.chainPem);
    const [, wrong = ''] = splitChain((await other.issue(['x.test'])).chainPem);
    await writePair(join(stage.dir, 'a.test'), { ...pair, chainPem: leaf + wrong });
    await stage.poll();
    expect(said()).to.deep.equal(['a.test: the intermediate certificate is missing from its chain']);
  });

  it('but not of one that another is served for', async () => {
    await stage.place('a.test', ['a.test'], { notBefore: inDays(-90), notAfter: inDays(-1) });
    await stage.place('a.test-0001', ['a.test'], { notBefore: inDays(-80), notAfter: inDays(5) });
    await stage.place('a.test-0002', ['a.test', 'b.test']);
    await stage.place('rsa', ['a.test'], { type: 'rsa', notAfter: inDays(3) });
    await stage.open();
    expect(said()).to.have.length(1);
    expect(
      stage.notices.some(({ fields }) => fields?.['file'] === join(stage.dir, 'rsa', 'fullchain.pem')),
    ).to.equal(true);
  });

  it('of twenty at most, and how many more there are', async () => {
    for (let index = 0; index < 25; index++) {
      await stage.place(`n${index}.test`, [`n${index}.test`], { notAfter: inDays(1) });
    }
    await stage.open();
    expect(said()).to.have.length(20);
    expect(stage.notices.at(-1)).to.deep.equal({
      message: 'more certificates need attention',
      fields: { more: 5 },
    });
  });
});
