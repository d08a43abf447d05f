import { expect } from 'chai';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CertificatePair } from '../../../../lib/domain/certificate.js';
import { recognise } from '../../../../lib/sources/directory/layouts.js';
import { chains, DirectoryStage, look } from './stage.js';

describe('recognise', () => {
  const cases: { title: string; files: string[]; pairs: string[] }[] = [
    {
      title: "certbot's files, and cert.pem not a second time",
      files: ['README', 'cert.pem', 'chain.pem', 'fullchain.pem', 'privkey.pem'],
      pairs: ['fullchain.pem privkey.pem'],
    },
    {
      title: "dehydrated's, beside those of earlier renewals",
      files: ['cert-1700000000.pem', 'fullchain-1700000000.pem', 'fullchain.pem', 'privkey.pem'],
      pairs: ['fullchain.pem privkey.pem'],
    },
    {
      title: 'a certificate and its chain in files of their own',
      files: ['cert.pem', 'chain.pem', 'privkey.pem'],
      pairs: ['cert.pem+chain.pem privkey.pem'],
    },
    { title: 'cert.pem with key.pem', files: ['cert.pem', 'key.pem'], pairs: ['cert.pem key.pem'] },
    {
      title: "lego's, a wildcard among them, without the issuers",
      files: ['_.b.test.crt', '_.b.test.key', 'a.test.crt', 'a.test.issuer.crt', 'a.test.json', 'a.test.key'],
      pairs: ['_.b.test.crt _.b.test.key', 'a.test.crt a.test.key'],
    },
    {
      title: "lego's with a file of both beside, once",
      files: ['a.test.crt', 'a.test.key', 'a.test.pem'],
      pairs: ['a.test.crt a.test.key'],
    },
    {
      title: "acme.sh's, and not the leaf alone",
      files: ['a.test.cer', 'a.test.conf', 'a.test.csr', 'a.test.key', 'ca.cer', 'fullchain.cer'],
      pairs: ['fullchain.cer a.test.key'],
    },
    { title: 'tls.crt with tls.key', files: ['ca.crt', 'tls.crt', 'tls.key'], pairs: ['tls.crt tls.key'] },
    { title: 'NAME.pem with NAME.key', files: ['a.pem', 'a.key'], pairs: ['a.pem a.key'] },
    {
      title: "HAProxy's: both in one file, by the kind of key, or the key beside",
      files: ['a.pem', 'b.pem.rsa', 'b.pem.ecdsa', 'b.pem.ocsp', 'c.pem', 'c.pem.key'],
      pairs: ['c.pem c.pem.key', 'a.pem a.pem', 'b.pem.ecdsa b.pem.ecdsa', 'b.pem.rsa b.pem.rsa'],
    },
    { title: 'half an entry', files: ['privkey.pem'], pairs: ['fullchain.pem privkey.pem'] },
    {
      title: 'nothing in keys without a certificate, authorities and hidden files',
      files: ['a.test.key', 'ca.crt', '.fullchain.pem.swp', '.a.pem', 'notes.txt', 'fullchain2.pem'],
      pairs: [],
    },
  ];
  for (const { title, files, pairs } of cases) {
    it(`finds ${title}`, () => {
      const found = recognise(files).map(({ chain, key }) => `${chain.join('+')} ${key}`);
      expect(found).to.deep.equal(pairs);
    });
  }

  it('goes on with half of what was whole', () => {
    const earlier = recognise(['a.crt', 'a.key', 'b.crt', 'b.key']);
    expect(recognise(['a.key', 'b.crt'], earlier)).to.deep.equal(earlier);
    expect(recognise([], earlier)).to.deep.equal([]);
  });
});

describe('DirectorySource reading the layout of', () => {
  const on = new DirectoryStage();
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(on.dir, path)), { recursive: true });
    await writeFile(join(on.dir, path), text);
  };
  /** A leaf with its intermediate. */
  const issue = async (name: string): Promise<CertificatePair> => (await on.ca.intermediate()).issue([name]);
  const leafOf = ({ chainPem }: CertificatePair): string =>
    `${chainPem.split('-----END')[0] ?? ''}-----END CERTIFICATE-----\n`;
  const issuerOf = (pair: CertificatePair): string => pair.chainPem.slice(leafOf(pair).length);

  const layouts: Record<string, (name: string, pair: CertificatePair) => Promise<void>> = {
    certbot: async (name, pair) => {
      const files = {
        cert: leafOf(pair),
        chain: issuerOf(pair),
        fullchain: pair.chainPem,
        privkey: pair.keyPem,
      };
      await mkdir(join(on.dir, 'live', `${name}-0001`), { recursive: true });
      for (const [kind, text] of Object.entries(files)) {
        await put(`archive/${name}-0001/${kind}1.pem`, text);
        await symlink(
          `../../archive/${name}-0001/${kind}1.pem`,
          join(on.dir, 'live', `${name}-0001`, `${kind}.pem`),
        );
      }
      await put('live/README', 'This directory contains your keys and certificates.');
      await put('keys/0000_key-certbot.pem', pair.keyPem);
      await put('accounts/acme/private_key.json', '{}');
    },
    lego: async (name, pair) => {
      await put(`certificates/${name}.crt`, pair.chainPem);
      await put(`certificates/${name}.key`, pair.keyPem);
      await put(`certificates/${name}.issuer.crt`, issuerOf(pair));
      await put(`certificates/${name}.json`, '{}');
      await put(`archives/1700000000.${name}.crt`, (await issue(name)).chainPem);
      await put(`accounts/acme/me@a.test/keys/me@a.test.key`, pair.keyPem);
    },
    'acme.sh': async (name, pair) => {
      await put(`${name}_ecc/fullchain.cer`, pair.chainPem);
      await put(`${name}_ecc/${name}.cer`, leafOf(pair));
      await put(`${name}_ecc/ca.cer`, issuerOf(pair));
      await put(`${name}_ecc/${name}.key`, pair.keyPem);
      await put(`${name}_ecc/${name}.conf`, `Le_Domain='${name}'`);
      // An order that has failed leaves its key.
      await put(`failed.test/failed.test.key`, pair.keyPem);
      await put('ca/acme/account.key', pair.keyPem);
    },
    Caddy: async (name, pair) => {
      const folder = `certificates/acme-v02.api.letsencrypt.org-directory/${name}`;
      await put(`${folder}/${name}.crt`, pair.chainPem);
      await put(`${folder}/${name}.key`, pair.keyPem);
      await put(`${folder}/${name}.json`, '{}');
    },
    Kubernetes: async (_name, pair) => {
      await put(`secret/..2026_01_01/tls.crt`, pair.chainPem);
      await put(`secret/..2026_01_01/tls.key`, pair.keyPem);
      await symlink('..2026_01_01', join(on.dir, 'secret', '..data'));
      for (const file of ['tls.crt', 'tls.key']) {
        await symlink(`..data/${file}`, join(on.dir, 'secret', file));
      }
    },
    HAProxy: async (name, pair) => {
      await put(`${name}.pem`, `${pair.chainPem}${pair.keyPem}`);
      await put('dhparam.pem', '-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n');
      await put('authorities.pem', issuerOf(pair));
    },
    'nginx and Apache': async (name, pair) => {
      await put(`${name}/cert.pem`, leafOf(pair));
      await put(`${name}/chain.pem`, issuerOf(pair));
      await put(`${name}/privkey.pem`, pair.keyPem);
    },
    'files side by side': async (name, pair) => {
      await put(`${name}.pem`, pair.chainPem);
      await put(`${name}.key`, pair.keyPem);
    },
  };
  for (const [program, write] of Object.entries(layouts)) {
    it(program, async () => {
      const pair = await issue('a.test');
      await write('a.test', pair);
      const source = await on.open();
      expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
      expect(await look(source, 'unknown.test')).to.deep.equal({ kind: 'absent' });
      expect(on.errors).to.deep.equal([]);
    });
  }

  it('Kubernetes, and sees its link switched', async () => {
    await layouts['Kubernetes']!('a.test', await issue('a.test'));
    const source = await on.open();
    const renewed = await issue('a.test');
    await put('secret/..2026_02_02/tls.crt', renewed.chainPem);
    await put('secret/..2026_02_02/tls.key', renewed.keyPem);
    await symlink('..2026_02_02', join(on.dir, 'secret', '..data_tmp'));
    await rename(join(on.dir, 'secret', '..data_tmp'), join(on.dir, 'secret', '..data'));
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[renewed.chainPem]]);
    expect(on.told).to.deep.equal([['a.test']]);
  });

  it('hands over the key alone where a file holds the chain, too', async () => {
    const pair = await issue('a.test');
    await layouts['HAProxy']!('a.test', pair);
    const found = await look(await on.open(), 'a.test');
    expect(found.kind === 'found' && found.candidates[0]?.[0]?.keyPem.trim()).to.equal(pair.keyPem.trim());
  });

  it('links that lead in a circle, once, and folders too deep not at all', async () => {
    const pair = await on.place('a/b/c/d', ['deep.test']);
    await on.place('a/b/c/d/e', ['deeper.test']);
    await symlink('../..', join(on.dir, 'a', 'b', 'up'));
    const source = await on.open();
    expect(await chains(source, 'deep.test')).to.deep.equal([[pair.chainPem]]);
    expect((await look(source, 'deeper.test')).kind).to.equal('absent');
    expect(on.errors).to.deep.equal([]);
  });

  it('nothing that is known, and says once a reload what was looked for', async () => {
    await put('notes.txt', 'nothing');
    const source = await on.open();
    await on.poll();
    await on.poll();
    const said = (): unknown[] => on.notices.filter(({ message }) => message.includes('recognised'));
    expect(said()).to.have.length(1);
    expect(JSON.stringify(said())).to.include(on.dir).and.to.include('fullchain.pem');
    await Promise.all([source.reload(), source.reload()]);
    expect(said()).to.have.length(2);
  });
});
