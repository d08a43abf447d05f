import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CertificatePair } from '../../../../lib/domain/certificate.js';
import { factsOf } from '../../../../lib/sources/directory/certificate.js';
import type { DirectorySource } from '../../../../lib/sources/directory/source.js';
import { makeTempDir, writePair } from '../../../support/certificates.js';
import { eventually } from '../../../support/eventually.js';
import { chains, DirectoryStage, look } from './stage.js';

const WRITE_DELAY_MS = 10_000;
/** Seconds since 1970: what files say of themselves, before and after a change. */
const WRITTEN = 1_700_000_000;

/** Of `openssl req -x509`, for a hundred years. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBujCCAWCgAwIBAgIUVYQSN+eIR6bjZhXlIrB11hJl5akwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGUGlubmVkMCAXDTI2MTEyNjAzNDcxM1oYDzIxMjYxMTAyMDM0
NzEzWjARMQ8wDQYDVQQDDAZQaW5uZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARFC0UyrKTDs8smsXkYI8xVDESpnDPyNPW4qvuR3zUeGEX1G3T1fG5FAfm/zcSL
z2f+24Noipzu2Gg7OI68y9LZo4GTMIGQMB0GA1UdDgQWBBQ2mxn9ZBW97lFR2t3H
33iGrIHn5jAfBgNVHSMEGDAWgBQ2mxn9ZBW97lFR2t3H33iGrIHn5jAPBgNVHRMB
Af8EBTADAQH/MD0GA1UdEQQ2MDSCC1Bpbm5lZC50ZXN0gg0qLnBpbm5lZC50ZXN0
hwTAAAIBhxAgAQ24AAAAAAAAAAAAAAABMAoGCCqGSM49BAMCA0gAMEUCIQDLjFX8
RmICCIs3FfpUbeupew4MqBfB9jWGJeU3JjvNfAIgIrwKZAFHFvq4ICYaElPBO3jN
nWxTUMtiQoMj9FEEAUc=
-----END CERTIFICATE-----
`;
const FACTS_OF_FORMAT_1 = {
  names: ['pinned.test', '*.pinned.test', '192.0.2.1', '2001:db8::1'],
  isRsa: false,
  notBeforeMs: 1_795_664_833_000,
  notAfterMs: 4_949_264_833_000,
  standing: { isIssuerMissing: false, mustStaple: false },
};

describe('DirectorySource remembering what it has read', () => {
  const on = new DirectoryStage();
  const at = (...path: string[]): string => join(on.dir, ...path);
  let memoryFile = '';
  let removeState: () => Promise<void>;

  beforeEach(async () => {
    const { dir, remove } = await makeTempDir();
    removeState = remove;
    memoryFile = join(dir, 'state', 'cert-dir.json');
  });
  afterEach(() => removeState());

  /** As a start of the program long after the files were written, and without the limit below which nothing is remembered. */
  function start(options: { maxKeysChecked?: number; memoryFile?: string } = {}): Promise<DirectorySource> {
    on.time.nowMs = Date.now() + 60_000;
    return on.open(on.dir, { maxKeysChecked: 0, memoryFile, ...options });
  }
  /** A run of the program. */
  async function run(
    during: (source: DirectorySource) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const source = await start();
    await during(source);
    await source.close();
  }
  /** How many certificates the last start did not have to read. */
  const remembered = (): unknown =>
    on.notices.findLast(({ fields }) => fields?.['tookMs'] !== undefined)?.fields?.['remembered'];
  const stored = (): Promise<string> => readFile(memoryFile, 'utf8');

  it('reads nothing again that is as it was', async () => {
    const a = await on.place('a', ['a.test']);
    await on.place('b', ['b.test']);
    await run();
    // What is said of these very files is believed, which shows that they are not read.
    await writeFile(memoryFile, (await stored()).replaceAll('b.test', 'c.test'));
    const source = await start();
    expect(remembered()).to.equal(2);
    expect(await chains(source, 'a.test')).to.deep.equal([[a.chainPem]]);
    expect((await look(source, 'c.test')).kind).to.equal('found');
    expect((await look(source, 'b.test')).kind).to.equal('absent');
  });

  it('lists no folder again that is as it was', async () => {
    await on.place('a', ['a.test']);
    await on.place('b', ['b.test']);
    await run();
    await writeFile(memoryFile, (await stored()).replace('"below":["a","b"]', '"below":["a"]'));
    const source = await start();
    expect((await look(source, 'a.test')).kind).to.equal('found');
    expect((await look(source, 'b.test')).kind).to.equal('absent');
  });

  describe('brings what a start without it would, after', () => {
    const files = ['fullchain.pem', 'privkey.pem'] as const;
    const half = 'a folder whose half has been removed while it was watched';
    const bad = 'a certificate that was bad in that run, beside a good one';
    const inherited = 'a pair that is one only by what was there before';
    const during: Record<string, (source: DirectorySource) => Promise<void>> = {
      [half]: async (source) => {
        await rm(at('old.key'));
        await source.reload();
      },
      [bad]: async (source) => {
        await writeFile(at('old.crt'), 'junk');
        await source.reload();
      },
      [inherited]: async (source) => {
        await rename(at('a', 'fullchain.pem'), at('a', 'cert.pem'));
        await rename(at('a', 'privkey.pem'), at('a', 'key.pem'));
        await source.reload();
        await writePair(at('a'), await on.ca.issue(['a2.test']));
        await source.reload();
      },
    };
    const between: Record<string, (second: CertificatePair) => Promise<unknown>> = {
      'no change': () => Promise.resolve(),
      'a renewal by renaming, with the size and the time of before': async ({ chainPem, keyPem }) => {
        for (const [file, text] of [
          [files[0], chainPem],
          [files[1], keyPem],
        ] as const) {
          const { size } = await stat(at('a', file));
          await writeFile(at('new'), text.padEnd(size, '\n'));
          await utimes(at('new'), WRITTEN, WRITTEN);
          await rename(at('new'), at('a', file));
        }
      },
      'a renewal in place, with the size and the time of before': async ({ chainPem, keyPem }) => {
        for (const [file, text] of [
          [files[0], chainPem],
          [files[1], keyPem],
        ] as const) {
          const { size } = await stat(at('a', file));
          await writeFile(at('a', file), text.padEnd(size, '\n'));
          await utimes(at('a', file), WRITTEN, WRITTEN);
        }
      },
      'a certificate is removed': () => rm(at('a'), { recursive: true }),
      'a chain is removed': () => rm(at('a', 'fullchain.pem')),
      'a key is removed': () => rm(at('a', 'privkey.pem')),
      'a key is removed from a layout that is recognised by it': () => rm(at('old.key')),
      'a chain has become junk': () => writeFile(at('a', 'fullchain.pem'), 'junk'),
      'a chain has become a link to another': async (second) => {
        await writePair(at('.second'), second);
        for (const file of files) {
          await rm(at('a', file));
          await symlink(join('..', '.second', file), at('a', file));
        }
      },
      'a certificate is added': (second) => writePair(at('new'), second),
      'the directory is made anew, and empty': async () => {
        await rm(on.dir, { recursive: true });
        await mkdir(on.dir);
      },
      [half]: () => Promise.resolve(),
      [bad]: () => Promise.resolve(),
      [inherited]: () => Promise.resolve(),
    };
    for (const [what, change] of Object.entries(between)) {
      it(what, async () => {
        const first = await on.ca.issue(['a.test']);
        // Room for another one of the same size.
        await writePair(at('a'), {
          chainPem: first.chainPem + '\n'.repeat(40),
          keyPem: first.keyPem + '\n'.repeat(40),
        });
        for (const file of files) await utimes(at('a', file), WRITTEN, WRITTEN);
        const old = await on.ca.issue(['old.test']);
        await writeFile(at('old.crt'), old.chainPem);
        await writeFile(at('old.key'), old.keyPem);
        await writeFile(at('authority.pem'), on.ca.rootPem);
        await on.place('same', ['same.test', '*.same.test']);
        await run(during[what]);
        await change(await on.ca.issue(['a.test', 'second.test']));
        const seen = async (options: object): Promise<unknown> => {
          on.errors = [];
          const source = await start(options);
          const names = [
            'a.test',
            'a2.test',
            'second.test',
            'same.test',
            'x.same.test',
            'old.test',
            'unknown.test',
          ];
          return { found: await Promise.all(names.map((name) => look(source, name))), errors: on.errors };
        };
        const withIt = await seen({});
        expect(withIt).to.deep.equal(await seen({ memoryFile: join(memoryFile, '..', 'none.json') }));
      });
    }
  });

  it('reads anew what has changed, and nothing else', async () => {
    for (const name of ['a', 'b', 'c']) await on.place(name, [`${name}.test`]);
    await run();
    await on.place('b', ['b.test']);
    await run();
    expect(remembered()).to.equal(2);
    await run();
    expect(remembered()).to.equal(3);
  });

  it('trusts no file that another change may have left as it is', async () => {
    await on.place('a', ['a.test']);
    const now = Date.now();
    const young = await on.open(on.dir, { maxKeysChecked: 0, memoryFile });
    expect(now - on.time.nowMs).to.be.lessThan(2_000);
    await young.close();
    await writeFile(memoryFile, (await stored()).replaceAll('a.test', 'b.test'));
    const source = await start();
    expect(remembered()).to.equal(0);
    expect((await look(source, 'a.test')).kind).to.equal('found');
  });

  it('keeps no private key, for nobody else, and leaves nothing beside', async () => {
    const { chainPem, keyPem } = await on.place('a', ['a.test']);
    await writeFile(at('both.pem'), chainPem + keyPem);
    await run((source) => look(source, 'a.test').then(() => undefined));
    const text = await stored();
    expect(text)
      .to.include('both.pem')
      .and.not.to.match(/PRIVATE|CERTIFICATE-/);
    for (const line of keyPem.split('\n').filter((one) => /^[^-]{20}/.test(one)))
      expect(text).not.to.include(line);
    expect((await stat(memoryFile)).mode & 0o777).to.equal(0o600);
    expect(await readdir(join(memoryFile, '..'))).to.deep.equal(['cert-dir.json']);
  });

  const useless: Record<string, () => Promise<void>> = {
    'is empty': () => writeFile(memoryFile, ''),
    'is cut off': async () => writeFile(memoryFile, (await stored()).slice(0, -10)),
    'is no object': () => writeFile(memoryFile, '[]'),
    'has another format': async () =>
      writeFile(memoryFile, (await stored()).replace('"format":1', '"format":2')),
    'is about another directory': async () =>
      writeFile(memoryFile, (await stored()).replace(`"dir":"${on.dir}"`, '"dir":"/other"')),
    'has something else for a name': async () =>
      writeFile(memoryFile, (await stored()).replace('["a.test"]', '[{}]')),
    'has no standing': async () =>
      writeFile(memoryFile, (await stored()).replace('"standing"', '"understanding"')),
    'is a folder': async () => {
      await rm(memoryFile);
      await mkdir(memoryFile);
    },
    'is a pipe that nobody writes into': async () => {
      await rm(memoryFile);
      await promisify(execFile)('mkfifo', [memoryFile]);
    },
    'is missing': () => rm(memoryFile),
  };
  for (const [what, spoil] of Object.entries(useless)) {
    it(`reads everything where what is kept ${what}`, async () => {
      const pair = await on.place('a', ['a.test']);
      await run();
      await spoil();
      const source = await start();
      expect(remembered()).to.equal(0);
      expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
      expect(on.errors).to.deep.equal([]);
      expect(on.debugs.map(({ message }) => message)).to.have.length(what === 'is missing' ? 0 : 1);
    });
  }

  it('writes ten seconds after the first of several changes, and when it ends', async () => {
    await on.place('a', ['a.test']);
    const source = await start();
    await on.time.advance(WRITE_DELAY_MS - 1);
    await on.place('b', ['b.test']);
    await source.reload();
    expect(await stored().catch(() => 'none')).to.equal('none');
    await on.time.advance(1);
    await eventually('it is written', () => stored().then(() => true));
    const first = await stored();
    await source.reload();
    await source.close();
    // Nothing has changed but the stamps' age.
    expect(await stored()).to.equal(first);
    await on.place('c', ['c.test']);
    await run();
    expect(await stored()).to.include('c.test');
  });

  it('remembers nothing of a small directory, whose keys are all read at a start', async () => {
    await on.place('a', ['a.test']);
    await on.place('b', ['b.test']);
    await run();
    await rm(at('b'), { recursive: true });
    await (await start({ maxKeysChecked: 1 })).close();
    expect(await readdir(join(memoryFile, '..'))).to.deep.equal([]);
  });

  it('keeps what it has when the directory is gone at the next start', async () => {
    await on.place('a', ['a.test']);
    await run();
    await rename(on.dir, `${on.dir}.away`);
    const refused = await start().catch((error: unknown) => error);
    await rename(`${on.dir}.away`, on.dir);
    expect(refused).to.be.instanceOf(Error);
    expect(on.time.delaysMs).to.deep.equal([]);
    await run();
    expect(remembered()).to.equal(1);
  });

  it('says once that it cannot write, and goes on', async () => {
    await on.place('a', ['a.test']);
    await writeFile(join(memoryFile, '..', '..', 'file'), '');
    const source = await start({ memoryFile: join(memoryFile, '..', '..', 'file', 'cert-dir.json') });
    const said = (): unknown[] => on.notices.filter(({ message }) => message.includes('not remembered'));
    await on.time.advance(WRITE_DELAY_MS);
    await eventually('it is said', () => said().length === 1);
    await on.place('b', ['b.test']);
    await source.reload();
    expect((await look(source, 'b.test')).kind).to.equal('found');
    await source.close();
    expect(said()).to.have.length(1);
  });

  it('has a new format whenever other things are read of a certificate', () => {
    const read = factsOf(CERTIFICATE);
    expect(read, 'raise FORMAT in remembered.ts').to.deep.equal({ facts: FACTS_OF_FORMAT_1 });
  });
});
