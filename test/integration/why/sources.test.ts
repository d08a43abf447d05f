/**
 * `why` where a source is ill, or has something that cannot be served; and that the command which it names mends it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, writePair } from '../../support/certificates.js';
import { startFakeManager } from '../../support/fake-manager.js';
import { startProgram, type Program } from '../../support/program.js';
import { startRedisServer } from '../../support/redis-server.js';
import { openStage, prime1, prime2, type Stage } from '../../support/stage.js';
import { eventuallySees } from '../../support/eventually.js';
import { eventuallyServes, fingerprintOf, visit } from '../../support/visit.js';
import { mend, says } from '../../support/why.js';
import { unusedPort } from '../../support/unused-port.js';

const DAY_MS = 86_400_000;
const expire = (name: string): string => `peter-sslers-proxy expire domain ${name} --workers`;

describe('why, of what sources have', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const start = (...flags: string[]): Promise<Program> => startProgram([...stage.redisFlags(2), ...flags]);
  const expired = (name: string) => stage.ca.issue([name], { notAfter: Date.now() - DAY_MS });
  const serves = async (program: Program, name: string, pair: { chainPem: string }): Promise<void> => {
    expect((await visit(program, name)).fingerprint).to.equal(fingerprintOf(pair));
  };

  it('expired in Redis, and valid in the manager, which is served', async () => {
    const pair = await stage.ca.issue(['behind.test']);
    await prime2(stage.redis, 'behind.test', await expired('behind.test'));
    stage.manager.setCertificate('behind.test', pair);
    await using program = await start(...stage.managerFlags);
    await says(program, 'behind.test', {
      code: 'copy-is-behind',
      sentence:
        'behind.test is served its own certificate, which came from manager, valid until <date>; redis has one that expired on <date>.',
      exitCode: 0,
    });
    await serves(program, 'behind.test', pair);
  });

  it('expired everywhere', async () => {
    await prime2(stage.redis, 'expired.test', await expired('expired.test'));
    await using program = await start(...stage.managerFlags);
    const report = await says(program, 'expired.test', {
      code: 'outdated',
      sentence:
        "The certificate of expired.test that is served expired on <date> (this machine's clock says <date>), and no source has a better one: redis has one that expired on <date>, manager has none.",
      command: expire('expired.test'),
    });
    const pair = await stage.ca.issue(['expired.test']);
    await prime2(stage.redis, 'expired.test', pair);
    stage.manager.setCertificate('expired.test', pair);
    await mend(program, report);
    await serves(program, 'expired.test', pair);
  });

  it('not valid yet: the clock is wrong, or somebody was early', async () => {
    const early = await stage.ca.issue(['early.test'], { notBefore: Date.now() + DAY_MS });
    await prime2(stage.redis, 'early.test', early);
    await using program = await start();
    const report = await says(program, 'early.test', {
      code: 'not-yet-valid',
      sentence:
        "The certificate of early.test that is served is not valid before <date>, and this machine's clock says <date>; no source has a better one.",
      command: expire('early.test'),
    });
    const pair = await stage.ca.issue(['early.test']);
    await prime2(stage.redis, 'early.test', pair);
    await mend(program, report);
    await serves(program, 'early.test', pair);
  });

  it('a key that belongs to another certificate', async () => {
    const [pair, other] = [await stage.ca.issue(['key.test']), await stage.ca.issue(['key.test'])];
    await prime2(stage.redis, 'key.test', { ...pair, keyPem: other.keyPem });
    await using program = await start();
    const report = await says(program, 'key.test', {
      code: 'key-mismatch',
      sentence:
        'The default certificate is served: redis has a certificate of key.test that cannot be served: the private key does not belong to the certificate.',
      command: expire('key.test'),
    });
    await prime2(stage.redis, 'key.test', pair);
    await mend(program, report);
    await serves(program, 'key.test', pair);
  });

  it('a certificate for other names', async () => {
    await prime2(stage.redis, 'covered.test', await stage.ca.issue(['other.test']));
    await using program = await start();
    const report = await says(program, 'covered.test', {
      code: 'name-not-covered',
      sentence:
        'The default certificate is served: redis has a certificate of covered.test that cannot be served: the certificate is not for this name but for other.test.',
      command: expire('covered.test'),
    });
    const pair = await stage.ca.issue(['covered.test']);
    await prime2(stage.redis, 'covered.test', pair);
    await mend(program, report);
    await serves(program, 'covered.test', pair);
  });

  it('a key in Redis that does not belong, beside a good certificate in the manager', async () => {
    const [pair, other] = [await stage.ca.issue(['beside.test']), await stage.ca.issue(['beside.test'])];
    await prime2(stage.redis, 'beside.test', { ...other, keyPem: pair.keyPem });
    stage.manager.setCertificate('beside.test', pair);
    await using program = await start(...stage.managerFlags);
    await says(program, 'beside.test', {
      code: 'unusable-beside',
      sentence:
        'beside.test is served its own certificate, which came from manager, valid until <date>; redis has one that cannot be served (the private key does not belong to the certificate).',
      exitCode: 0,
    });
  });

  it('half an entry in Redis', async () => {
    const pair = await stage.ca.issue(['half.test']);
    await prime1(stage.redis, 'half.test', pair, '7', { p: '8' });
    await using program = await startProgram(stage.redisFlags(1));
    const report = await says(program, 'half.test', {
      code: 'half-an-entry',
      sentence:
        'The default certificate is served: redis cannot tell for half.test: d1:half.test points at p:8, which Redis does not hold.',
      command: expire('half.test'),
    });
    await prime1(stage.redis, 'half.test', pair, '7');
    await mend(program, report);
    await serves(program, 'half.test', pair);
  });

  it('the other prime style, which a reload takes over', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const pair = await stage.ca.issue(['style.test']);
      await prime1(stage.redis, 'style.test', pair, '9');
      const config = join(dir, 'proxy.json');
      const write = (style: string) =>
        writeFile(config, JSON.stringify({ 'redis-strategy': style, 'redis-url': stage.redis.url }));
      await write('2');
      await using program = await startProgram(['--config', config]);
      const report = await says(program, 'style.test', {
        code: 'wrong-style',
        sentence:
          'The default certificate is served: Redis has no entry of style.test where it is looked for: it holds d1:style.test, which is of prime style 1; --redis-strategy 2 reads the other one.',
        command: 'peter-sslers-proxy reload',
      });
      await write('1');
      await mend(program, report);
      await serves(program, 'style.test', pair);
    } finally {
      await remove();
    }
  });

  it('the wrong database', async () => {
    const redis = await startRedisServer();
    try {
      const pair = await stage.ca.issue(['database.test']);
      const client = redis.client(3);
      await client.hset('d2:database.test', { f: pair.chainPem, p: pair.keyPem });
      client.disconnect();
      await using program = await startProgram(['--redis-strategy', '2', '--redis-url', redis.url]);
      await program.logged(/database 3/);
      await says(program, 'database.test', {
        code: 'wrong-style',
        sentence:
          'The default certificate is served: Redis has no entry of database.test where it is looked for: database 9 of Redis has no d2: keys (prime style 2), but database 3 has: see --redis-url.',
        command: 'peter-sslers-proxy reload',
      });
    } finally {
      await redis.stop();
    }
  });

  it('Redis wants a password that is not the one it was given', async () => {
    const redis = await startRedisServer({ password: 'right-one' });
    try {
      const url = `redis://:wrong-one@127.0.0.1:${redis.port}`;
      await using program = await startProgram(['--redis-strategy', '2', '--redis-url', url]);
      await says(program, 'password.test', {
        code: 'source-down',
        sentence:
          'The default certificate is served: redis is unavailable, and nothing of password.test is cached: Redis refuses the password (or user name) of the Redis URL.',
        command: 'peter-sslers-proxy reload',
        secrets: ['right-one', 'wrong-one'],
      });
    } finally {
      await redis.stop();
    }
  });

  it('Redis is down, beside a manager that serves', async () => {
    const pair = await stage.ca.issue(['served.test']);
    stage.manager.setCertificate('served.test', pair);
    const url = `redis://127.0.0.1:${await unusedPort()}`;
    await using program = await startProgram([
      ...['--redis-strategy', '2', '--redis-url', url],
      ...stage.managerFlags,
    ]);
    await says(program, 'served.test', {
      code: 'source-down-beside',
      sentence:
        'served.test is served its own certificate, which came from manager, valid until <date>; redis is unavailable: cannot reach Redis at redis://127.0.0.1:<n>/9: connect ECONNREFUSED 127.0.0.1:<n>.',
      exitCode: 0,
    });
  });

  it('Redis is down, and the manager says that there is none', async () => {
    const url = `redis://127.0.0.1:${await unusedPort()}`;
    await using program = await startProgram([
      ...['--redis-strategy', '2', '--redis-url', url],
      ...stage.managerFlags,
    ]);
    await says(program, 'unknown.test', {
      code: 'source-down',
      sentence:
        'The default certificate is served: redis is unavailable, and nothing of unknown.test is cached: cannot reach Redis at redis://127.0.0.1:<n>/9: connect ECONNREFUSED 127.0.0.1:<n>; manager has none.',
    });
  });

  it('Redis went down, and the last good certificate is served', async () => {
    const redis = await startRedisServer();
    try {
      const pair = await stage.ca.issue(['stale.test']);
      await prime2(redis, 'stale.test', pair);
      await using program = await startProgram([
        ...['--redis-strategy', '2', '--redis-url', redis.url],
        ...['--cert-cache-duration', '0.05', '--lru-cache-duration', '0.05'],
      ]);
      await serves(program, 'stale.test', pair);
      await redis.kill();
      await says(program, 'stale.test', {
        code: 'source-down-stale-served',
        sentence:
          'stale.test is served the last good certificate, valid until <date>, since redis is unavailable: cannot reach Redis at redis://127.0.0.1:<n>/9: connect ECONNREFUSED 127.0.0.1:<n>.',
        exitCode: 0,
      });
    } finally {
      await redis.stop();
    }
  });

  it('the manager is down, and takes up again by itself', async () => {
    const first = await startFakeManager();
    await first.close();
    await using program = await startProgram(['--fallback-server', first.root]);
    await says(program, 'manager.test', {
      code: 'source-down',
      sentence:
        'The default certificate is served: manager is unavailable, and nothing of manager.test is cached: it refuses the connection (ECONNREFUSED).',
    });
    const again = await startFakeManager({ port: first.port });
    try {
      const pair = await stage.ca.issue(['manager.test']);
      again.setCertificate('manager.test', pair);
      await eventuallyServes(program, 'manager.test', pair);
    } finally {
      await again.close();
    }
  });

  it('a folder of the certificate directory that cannot be used', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const pair = await stage.ca.issue(['folder.test']);
      await writePair(join(dir, 'folder.test'), { ...pair, keyPem: 'no key\n' });
      await mkdir(join(dir, 'empty'));
      await using program = await startProgram(['--cert-dir', dir, '--cert-dir-interval', '0.05']);
      await says(program, 'folder.test', {
        code: 'unreadable',
        sentence: `The default certificate is served: the certificate directory has something that cannot be used for folder.test: ${dir}/folder.test/privkey.pem: the private key cannot be parsed.`,
      });
      await writePair(join(dir, 'folder.test'), pair);
      await eventuallySees(
        'it is read again by itself',
        () => visit(program, 'folder.test'),
        ({ fingerprint }) => fingerprint === fingerprintOf(pair),
      );
    } finally {
      await remove();
    }
  });
});
