/**
 * `--sources`: the order of asking, and who is asked at all.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import { makeTempDir, writePair } from '../../support/certificates.js';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, watchRedis, type RedisWatch, type Stage } from '../../support/stage.js';
import { fingerprintOf, visit } from '../../support/visit.js';

const NAME = 'everywhere.test';

describe('The order of the sources', () => {
  let stage: Stage;
  let watch: RedisWatch;
  let files: Awaited<ReturnType<typeof makeTempDir>>;
  const pairs: Record<string, CertificatePair> = {};
  before(async () => {
    stage = await openStage();
    watch = await watchRedis(stage.redis);
    files = await makeTempDir();
    for (const source of ['directory', 'redis', 'manager']) pairs[source] = await stage.ca.issue([NAME]);
    await writePair(join(files.dir, NAME), pairs['directory']!);
    await prime2(stage.redis, NAME, pairs['redis']!);
    stage.manager.setCertificate(NAME, pairs['manager']!);
  });
  after(async () => {
    watch.stop();
    await files.remove();
    await stage.close();
  });

  const ORDERS: [string | undefined, string][] = [
    [undefined, 'directory'],
    ['redis,manager,directory', 'redis'],
    ['manager,redis', 'manager'],
    ['ca,directory,redis,manager', 'ca'],
  ];
  for (const [order, first] of ORDERS) {
    it(`${order ?? 'by default'}: ${first} is asked first, and nobody after it`, async () => {
      const redisBefore = await watch.lookups(NAME);
      const managerBefore = stage.manager.requests.length;
      await using program = await startProgram([
        ...[...stage.redisFlags(2), ...stage.managerFlags, '--cert-dir', files.dir, '--internal-ca', 'ca'],
        ...(order === undefined ? [] : ['--sources', order]),
      ]);
      const seen = await visit(program, NAME);
      expect(seen.tier).to.equal(first);
      const pair = pairs[first];
      if (pair !== undefined) expect(seen.fingerprint).to.equal(fingerprintOf(pair));
      expect((await watch.lookups(NAME)) - redisBefore).to.equal(first === 'redis' ? 1 : 0);
      expect(stage.manager.requests.length - managerBefore).to.equal(first === 'manager' ? 1 : 0);
    });
  }

  it('names a source that is left out: it is not asked even where nobody else has the name', async () => {
    await prime2(stage.redis, 'redis-only.test', await stage.ca.issue(['redis-only.test']));
    await using program = await startProgram([
      ...[...stage.redisFlags(2), ...stage.managerFlags, '--sources', 'manager'],
    ]);
    expect((await visit(program, 'redis-only.test')).tier).to.equal('default');
    expect(await watch.lookups('redis-only.test')).to.equal(0);
  });
});
