/**
 * A private key or a password never reaches the output, whatever goes right or wrong, at the level that says most.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, writePair } from '../../support/certificates.js';
import { request } from '../../support/client.js';
import { startFakeManager } from '../../support/fake-manager.js';
import { startRedisServer } from '../../support/redis-server.js';
import { openStage, prime1 } from '../../support/stage.js';
import { spawnProgram, startProgram, type Program } from '../../support/program.js';

const REDIS_PASSWORD = 'redis-s3cret';
const MANAGER_PASSWORD = 'manager-s3cret';
const ADMIN_PASSWORD = 'admin-s3cret';

/** Pieces of a PEM key that are found in nothing else. */
function piecesOf(keyPem: string): string[] {
  const lines = keyPem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  // The first line of every key of a kind begins alike.
  return lines.map((line) => line.slice(-20)).filter((piece) => piece.length === 20);
}

describe('No private key and no password', () => {
  for (const format of ['json', 'text']) {
    it(`is in the output of a program that does everything at debug (${format})`, async () => {
      const { dir, remove } = await makeTempDir();
      const path = (file: string): string => join(dir, file);
      const stage = await openStage();
      const guarded = await startRedisServer({ password: REDIS_PASSWORD });
      const manager = await startFakeManager({ credentials: `user:${MANAGER_PASSWORD}` });
      try {
        const { ca } = stage;
        const names = ['redis', 'mixed', 'manager', 'ordered', 'dir', 'broken', 'default', 'next'] as const;
        const pairs = Object.fromEntries(
          await Promise.all(
            names.map(
              async (name, index) =>
                [name, await ca.issue([`${name}.test`], { type: index % 2 === 0 ? 'ec' : 'rsa' })] as const,
            ),
          ),
        ) as Record<(typeof names)[number], { chainPem: string; keyPem: string }>;

        await prime1(guarded, 'redis.test', pairs.redis, '1');
        await prime1(guarded, 'mixed.test', { ...pairs.mixed, keyPem: pairs.next.keyPem }, '2');
        manager.setCertificate('manager.test', pairs.manager);
        manager.issue('ordered.test', pairs.ordered);
        manager.onAutocert('refused.test', () => ({ status: 500, body: pairs.next.keyPem }));
        manager.answer('GET', 'garbage.test', {
          body: { x509_certificate__latest_single: pairs.next.keyPem },
        });
        await writePair(path('certs/dir'), pairs.dir);
        // Key and certificate have changed places: what is said of a file that is no certificate?
        await writePair(path('certs/broken'), {
          chainPem: pairs.broken.keyPem,
          keyPem: pairs.broken.chainPem,
        });
        await writeFile(path('users'), `ann:{PLAIN}${ADMIN_PASSWORD}\n`);
        const { chainPath, keyPath } = await writePair(path('default'), pairs.default);

        const url = new URL(guarded.url);
        url.password = REDIS_PASSWORD;
        const root = new URL(manager.root);
        root.username = 'user';
        root.password = MANAGER_PASSWORD;
        const flags = [
          ...['--log-format', format, '--workers', '2', '--expire-workers'],
          ...['--default-cert', chainPath, '--default-key', keyPath, '--admin-user-file', path('users')],
          ...['--redis-strategy', '1', '--redis-url', url.href, '--fallback-server', root.href],
          ...['--enable-autocert', '--cert-dir', path('certs'), '--internal-ca', path('ca'), '--wildcards'],
          ...['--backend', 'http://127.0.0.1:9', '--lru-cache-duration', '0.05'],
        ];
        let output: string;
        {
          await using program = await startProgram(flags);
          await playAll(program);
          // Once with a mistake, once without.
          await writeFile(keyPath, pairs.next.keyPem);
          program.kill('SIGHUP');
          await program.until('the mistake is said', ({ stderr }) => stderr.includes('not reloaded'));
          await writePair(path('default'), pairs.next);
          program.kill('SIGHUP');
          await program.until('it has reloaded', ({ stderr }) => /"reloaded"|\] reloaded /.test(stderr));
          await playAll(program);
          await guarded.kill();
          for (let count = 0; count < 8; count++) await visit(program, `down${count}.test`);
          program.kill('SIGTERM');
          await program.exited;
          output = program.stdout + program.stderr;
        }
        // What is shown has been at work: each source has answered.
        for (const source of ['redis', 'manager', 'directory', 'ca']) {
          expect(output).to.match(new RegExp(`tier[=":]+${source}\\b`));
        }
        output += await failToStart([...flags, '--default-key', path('gone')]);
        output += await failToStart([...flags, '--redis-url', `redis://:${REDIS_PASSWORD}@x:y/z`]);

        const secrets = [
          ...Object.values(pairs).flatMap(({ keyPem }) => piecesOf(keyPem)),
          ...keysIn(path('ca')).flatMap(piecesOf),
          ...[REDIS_PASSWORD, MANAGER_PASSWORD, ADMIN_PASSWORD, 'PRIVATE KEY'],
          Buffer.from(`user:${MANAGER_PASSWORD}`).toString('base64'),
          Buffer.from(`ann:${ADMIN_PASSWORD}`).toString('base64'),
        ];
        expect(secrets.length).to.be.greaterThan(80);
        expect(secrets.filter((secret) => output.includes(secret))).to.deep.equal([]);
      } finally {
        await Promise.all([stage.close(), guarded.stop(), manager.close()]);
        await remove();
      }
    });
  }
});

async function playAll(program: Program): Promise<void> {
  const names = ['redis', 'mixed', 'manager', 'ordered', 'refused', 'garbage', 'dir', 'broken', 'none'];
  for (const name of [...names.map((name) => `${name}.test`), 'minted.localhost']) {
    await visit(program, name);
    await visit(program, name);
  }
  const auth = `ann:${ADMIN_PASSWORD}`;
  for (const route of ['status', 'expire/domain/redis.test', 'expire/all', 'nonsense']) {
    await request({ port: program.port, path: `/.peter_sslers/nginx/shared_cache/${route}`, auth });
  }
  await request({
    port: program.port,
    path: '/.peter_sslers/nginx/shared_cache/status',
    auth: `ann:x${auth}`,
  });
}

async function visit(program: Program, name: string): Promise<void> {
  const headers = { 'x-from': 'a visitor' };
  await request({ port: program.port, name, headers });
}

/** All that a start says that does not come to anything. */
async function failToStart(flags: readonly string[]): Promise<string> {
  await using program = await spawnProgram(flags);
  expect((await program.exited).code).to.equal(2);
  return program.stdout + program.stderr;
}

function keysIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:key|pem)$/.test(file))
    .map((file) => readFileSync(join(dir, file), 'utf8'))
    .filter((text) => text.includes('PRIVATE KEY'));
}
