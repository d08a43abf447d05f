/**
 * What changes in a certificate directory is served within its interval, whatever the caches have; what every source suddenly
 * lacks is served on for --absent-grace.
 */
import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { makeTempDir, writePair } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';

/** Longer than any test. */
const FOR_LONG = '600';
const CACHES_FOR_LONG = ['--lru-cache-duration', FOR_LONG, '--cert-cache-duration', FOR_LONG];

describe('A certificate that has changed on disk', () => {
  let stage: Stage;
  let dir: string;
  let remove: () => Promise<void>;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  const start = (intervalSeconds: string): Promise<Program> =>
    startProgram([
      ...['--workers', '2', '--cert-dir', dir, '--cert-dir-interval', intervalSeconds, ...CACHES_FOR_LONG],
    ]);
  const CASES = [
    { what: 'is new', before: undefined, folder: 'first' },
    { what: 'is renewed', before: 'first', folder: 'first' },
    { what: 'is replaced by a newer one in another folder', before: 'first', folder: 'second' },
  ] as const;
  /** Puts the certificate of before there, and has both workers and the primary know it, or that there is none. */
  const begin = async (program: Program, name: string, before: string | undefined): Promise<void> => {
    for (let count = 0; count < 10; count++) await visit(program, name);
    const { tier } = await visit(program, name);
    expect(tier).to.equal(before === undefined ? 'default' : 'lru');
  };
  const older = { notBefore: Date.now() - 7_200_000 };

  for (const [index, { what, before, folder }] of CASES.entries()) {
    const name = `changed-${index}.test`;

    it(`and ${what} is served within the interval, with no signal`, async () => {
      if (before !== undefined) await writePair(join(dir, before), await stage.ca.issue([name], older));
      await using program = await start('0.2');
      await begin(program, name, before);
      const pair = await stage.ca.issue([name]);
      await writePair(join(dir, folder), pair);
      await eventuallyServes(program, name, pair);
    });

    it(`and ${what} is served from the end of a reload on`, async () => {
      if (before !== undefined) await writePair(join(dir, before), await stage.ca.issue([name], older));
      await using program = await start(FOR_LONG);
      await begin(program, name, before);
      const pair = await stage.ca.issue([name]);
      await writePair(join(dir, folder), pair);
      await program.reload();
      for (let count = 0; count < 10; count++) {
        expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(pair));
      }
    });
  }
});

describe('A certificate that every source has lost', () => {
  const NAMES = Array.from({ length: 20 }, (_, index) => `lost-${index}.test`);
  let stage: Stage;
  let dir: string;
  let remove: () => Promise<void>;
  const pairs = new Map<string, CertificatePair>();
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    for (const name of NAMES) pairs.set(name, await stage.ca.issue([name]));
  });
  afterEach(() => remove());

  const SOURCES = [
    {
      what: 'Redis is emptied',
      flags: () => stage.redisFlags(2),
      put: async (name: string, pair: CertificatePair) => prime2(stage.redis, name, pair),
      lose: async () => {
        const client = stage.redis.client();
        await client.flushdb();
        client.disconnect();
      },
    },
    {
      what: 'its files are removed',
      flags: () => ['--cert-dir', dir, '--cert-dir-interval', '0.1'],
      put: async (name: string, pair: CertificatePair) => writePair(join(dir, name), pair),
      lose: async () => {
        for (const name of NAMES) await rm(join(dir, name), { recursive: true });
      },
    },
  ];
  for (const { what, flags, put, lose } of SOURCES) {
    const start = async (grace: readonly string[]): Promise<Program> => {
      for (const [name, pair] of pairs) await put(name, pair);
      const durations = ['--lru-cache-duration', '0.05', '--cert-cache-duration', '0.1'];
      const program = await startProgram([...flags(), ...durations, ...grace]);
      for (const name of NAMES) await visit(program, name);
      await lose();
      return program;
    };

    it(`is served on when ${what}, all of them, which is said once a name`, async () => {
      await using program = await start([]);
      const message = /every source says that the name has no certificate/;
      await eventually('all names have been found absent', async () => {
        for (const name of NAMES) await visit(program, name);
        return program.log.filter(({ msg }) => message.test(msg)).length >= NAMES.length;
      });
      for (const name of NAMES) {
        const pair = pairs.get(name);
        expect((await visit(program, name)).fingerprint).to.equal(pair && fingerprintOf(pair));
        const lines = program.log.filter((line) => message.test(line.msg) && line['name'] === name);
        expect(lines, name).to.have.length(1);
      }
    });

    it(`is no longer served when ${what} and --absent-grace is over`, async () => {
      await using program = await start(['--absent-grace', '0.2']);
      await eventually('all names have the default', async () => {
        const tiers = new Set<string>();
        for (const name of NAMES) tiers.add((await visit(program, name)).tier);
        return tiers.size === 1 && tiers.has('default');
      });
    });
  }
});
