/**
 * Every command in README and docs runs, in its order, and prints what the page says that it prints.
 *
 * A block that does not run here is in `EXEMPT`, with the reason: nothing is left out by being written in another way.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { makeTestCa } from '../../support/certificates.js';
import { commandSections, modulesOf, type DocSection } from '../../support/doc-page.js';
import { Scenario, type ScenarioOptions } from '../../support/doc-scenario.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import type { ManagerVersion } from '../../support/manager-generations.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { prime1 } from '../../support/stage.js';
import { unusedPort } from '../../support/unused-port.js';

const ROOT = new URL('../../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const PAGES = ['README.md', ...readdirSync(new URL('docs', ROOT)).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith('.md'),
);

/** Blocks that do not run here, by what they begin with, and why. */
const EXEMPT: readonly (readonly [page: string, start: string, why: string])[] = [
  ['README.md', 'npm ci && npm test', 'it is what runs this test'],
  ['docs/install.md', 'npm ci\nnpm pack\n', 'test/slow/npm-package.test.ts does that'],
  ['docs/install.md', 'npm ci\ndeploy/debian/build.sh\n', 'test/slow/debian-package.test.ts does that'],
  ['docs/install.md', 'sudo ', 'it changes the machine'],
  ['docs/migrating.md', 'sudo ', 'it changes the machine'],
  ['docs/install.md', 'docker ', 'there is no container engine'],
  ['docs/install.md', 'kubectl ', 'there is no cluster'],
];

interface Preparation extends ScenarioOptions {
  /** No block needs another: they run beside one another, each in a directory of its own. */
  readonly areIndependent?: boolean;
}

const AT_ONCE = 4;

/** What sections take for given, by page and heading. */
const PREPARED: Readonly<Record<string, Preparation>> = {
  'README.md: Recipes': {
    areIndependent: true,
    async prepare(scenario) {
      const pair = await (await makeTestCa()).issue(['example.com', '*.example.com']);
      await scenario.write('fullchain.pem', pair.chainPem);
      await scenario.write('privkey.pem', pair.keyPem);
      await scenario.write('etc/letsencrypt/live/example.com/fullchain.pem', pair.chainPem);
      await scenario.write('etc/letsencrypt/live/example.com/privkey.pem', pair.keyPem);
      await scenario.write('backend-ca.pem', pair.chainPem);
      await scenario.write('more-names.txt', 'shop.example.com\n');
    },
  },
  'docs/getting-started.md: With nothing installed': {
    exitCodes: { 'peter-sslers-proxy why nobody.example.com': 1 },
  },
  'docs/getting-started.md: With Redis and the manager': {
    async prepare(scenario) {
      const manager = await withManager(scenario);
      manager.setCertificate('www.example.com', await (await makeTestCa()).issue(['www.example.com']));
      await withRedis(scenario);
    },
  },
  'docs/tracing.md: Listening': { prepare: withModules },
  'docs/tracing.md: OpenTelemetry': { prepare: withModules },
  'docs/migrating.md: Moving, with a way back': {
    exitCodes: {
      'peter-sslers-proxy why old.example.com --state-dir trial': 1,
      'peter-sslers-proxy warm names.txt --state-dir trial': 1,
    },
    prepare: withPlugin,
  },
  'docs/getting-started.md: With orders on demand': {
    exitCodes: { 'peter-sslers-proxy why stranger.example.org': 1 },
    async prepare(scenario) {
      const manager = await withManager(scenario);
      const pair = await (await makeTestCa()).issue(['new.customers.example']);
      manager.issue('new.customers.example', pair);
    },
  },
};

/** The modules of the page about tracing, with the packages that they need. */
async function withModules(scenario: Scenario): Promise<void> {
  for (const { name, text } of modulesOf(textOf('docs/tracing.md'))) await scenario.write(name, text);
  await symlink(fileURLToPath(new URL('node_modules', ROOT)), join(scenario.dir, 'node_modules'));
}

/** What the plugin has left of itself: a server with the certificate of every name, one of which is only half in Redis. */
async function withPlugin(scenario: Scenario): Promise<void> {
  await withManager(scenario, '0.5.0');
  const redis = await withRedis(scenario);
  const ca = await (await makeTestCa()).intermediate();
  const pair = await ca.issue(['www.example.com', 'old.example.com']);
  const fallback = await ca.issue(['default.example']);
  await prime1(redis, 'www.example.com', pair, '1');
  await prime1(redis, 'old.example.com', pair, '2', { p: '3' });
  const server = createServer({ cert: pair.chainPem, key: pair.keyPem });
  server.listen(await unusedPort(), '127.0.0.1');
  await once(server, 'listening');
  scenario.closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  scenario.ports.set('443', String((server.address() as AddressInfo).port));
  const backend = createHttpServer((_request, response) => response.end('here'));
  backend.listen(await unusedPort(), '127.0.0.1');
  await once(backend, 'listening');
  scenario.closers.push(() => new Promise((resolve) => backend.close(() => resolve())));
  scenario.ports.set('8080', String((backend.address() as AddressInfo).port));
  const config = /```yaml\n([\s\S]*?)```/.exec(textOf('docs/migrating.md'))?.[1] ?? '';
  await scenario.write('etc/peter-sslers-proxy/config.yaml', await scenario.here(config));
  await scenario.write('etc/ssl/default/fullchain.pem', fallback.chainPem);
  await scenario.write('etc/ssl/default/privkey.pem', fallback.keyPem);
  await scenario.write('etc/nginx/peter_sslers-nginx.htpasswd', 'peter:{PLAIN}sslers\n');
}

async function withRedis(scenario: Scenario): Promise<RedisServer> {
  const redis = await startRedisServer();
  scenario.ports.set('6379', String(redis.port));
  scenario.closers.push(() => redis.stop());
  return redis;
}

async function withManager(scenario: Scenario, version: ManagerVersion = '1.0'): Promise<FakeManager> {
  const manager = await startFakeManager({ port: await unusedPort(), version });
  scenario.ports.set('7201', String(manager.port));
  scenario.closers.push(() => manager.close());
  return manager;
}

/** The sections of a page without what does not run here. @param used takes the lines of `EXEMPT` that hold for one. */
function runnable(page: string, used: Set<unknown>): DocSection[] {
  return commandSections(textOf(page)).map((section) => ({
    ...section,
    blocks: section.blocks.filter(({ text }) => {
      const row = EXEMPT.find(([of, start]) => of === page && text.startsWith(start));
      if (row !== undefined) used.add(row);
      return row === undefined;
    }),
  }));
}

describe('The commands of README and docs', () => {
  const used = new Set<unknown>();
  const titles = new Set<string>();

  for (const page of PAGES)
    for (const section of runnable(page, used)) {
      if (section.blocks.length === 0) continue;
      const title = `${page}: ${section.heading}`;
      titles.add(title);
      it(`run: ${title}`, async () => {
        const { areIndependent = false, ...options } = PREPARED[title] ?? {};
        const parts = areIndependent ? section.blocks.map((block) => [block]) : [section.blocks];
        const rest = parts.values();
        const runRest = async (): Promise<void> => {
          for (const blocks of rest) {
            await using scenario = await Scenario.open();
            await scenario.run(blocks, options);
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, runRest));
      });
    }

  it('are all run but for those with a reason, and nothing is prepared for what is not there', () => {
    expect([...used]).to.have.members([...EXEMPT]);
    expect([...titles]).to.include.members(Object.keys(PREPARED));
  });

  it('has npm start as package.json has it', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    expect(scripts['start']).to.equal('node bin/peter-sslers-proxy start');
  });
});
