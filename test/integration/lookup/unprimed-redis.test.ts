/**
 * A Redis that the manager does not prime: it has what somebody put there once.
 */
import { expect } from 'chai';
import { command } from '../../support/command.js';
import { eventuallySees } from '../../support/eventually.js';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, watchRedis } from '../../support/stage.js';
import { fingerprintOf, visit } from '../../support/visit.js';

const DAY_MS = 86_400_000;

describe('A Redis that nobody brings up to date', () => {
  it('does not bring the certificate from before an expire back, when what is cached lapses', async () => {
    const stage = await openStage();
    try {
      const old = await stage.ca.issue(['a.test'], { notBefore: Date.now() - 2 * DAY_MS });
      const renewed = await stage.ca.issue(['a.test']);
      await prime2(stage.redis, 'a.test', old);
      stage.manager.setCertificate('a.test', renewed);
      await using program = await startProgram([
        ...[...stage.redisFlags(2), ...stage.managerFlags],
        ...['--cert-cache-duration', '0.1', '--lru-cache-duration', '0.1'],
      ]);
      expect((await visit(program, 'a.test')).fingerprint).to.equal(fingerprintOf(old));
      await command(program, ['expire', 'domain', 'a.test', '--workers']);
      const redis = await watchRedis(stage.redis);
      try {
        const seen = new Set<string | undefined>();
        await eventuallySees(
          'Redis has been asked four times',
          async () => {
            seen.add((await visit(program, 'a.test')).fingerprint);
            return redis.lookups('a.test');
          },
          (count) => count >= 4,
        );
        expect([...seen]).to.deep.equal([fingerprintOf(renewed)]);
      } finally {
        redis.stop();
      }
    } finally {
      await stage.close();
    }
  });
});
