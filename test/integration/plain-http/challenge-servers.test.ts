/**
 * The servers that challenges go to: which one's answer the client gets.
 */
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Names } from '../../../lib/net/names/names.js';
import { ChallengeServers } from '../../../lib/proxy/challenge-servers.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { makeTempDir, makeTestCa } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { startProgram } from '../../support/program.js';
import { startRaw } from '../../support/raw-upstream.js';
import { LIMITS } from '../../support/worker-settings.js';
import { serverAt } from '../../support/servers.js';

const PATH = '/.well-known/acme-challenge/token';
const FORWARD_MS = 1_000;

/** An origin where nobody listens. */
async function deadOrigin(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('The servers for challenges', () => {
  let dead: string;
  let good: Backend;
  let without: Backend;
  let hung: Backend;
  let sick: Backend;

  before(async () => {
    dead = await deadOrigin();
    good = await startBackend((_, response) => response.end('the key'));
    without = await startBackend((_, response) => response.writeHead(404).end('no such token'));
    hung = await startBackend(() => undefined);
    sick = await startBackend((_, response) => response.writeHead(500).end('sick'));
  });
  after(async () => {
    for (const backend of [good, without, hung, sick]) await backend[Symbol.asyncDispose]();
  });

  /** What comes of asking them, in short. */
  async function outcomeOf(origins: readonly string[]): Promise<string> {
    const servers = new ChallengeServers(
      { servers: origins.map((origin) => serverAt(origin)) },
      LIMITS,
      new Names(),
      {
        forwardMs: FORWARD_MS,
      },
    );
    const head = { method: 'GET', path: PATH, host: 'a.test', headers: [] };
    const { answer, failure, isLate } = await servers.ask(head);
    await servers.close();
    const what = answer === undefined ? failure?.kind : `${answer.status} ${answer.body.toString()}`;
    return `${what ?? 'nothing'}${isLate ? ', late' : ''}`;
  }

  const cases: [title: string, origins: () => string[], outcome: string][] = [
    ['the first one that has it', () => [good.url, sick.url], '200 the key'],
    ['the next one where one refuses the connection', () => [dead, good.url], '200 the key'],
    ['the next one where one says 404', () => [without.url, good.url], '200 the key'],
    ['the next one where one is late', () => [hung.url, good.url], '200 the key, late'],
    ['the third one', () => [hung.url, without.url, good.url], '200 the key, late'],
    ['any other answer as it is, without asking further', () => [sick.url, good.url], '500 sick'],
    ['404 where nobody has it, whoever is away', () => [without.url, dead], '404 no such token'],
    ['404 from the second as well', () => [dead, without.url], '404 no such token'],
    ['a failure where nobody answers', () => [dead], 'connect'],
    ['that it is too late where nobody answers in time', () => [hung.url, hung.url], 'timeout, late'],
  ];
  for (const [title, origins, outcome] of cases) {
    it(`give ${title}`, async () => {
      const startedAt = performance.now();
      expect(await outcomeOf(origins())).to.equal(outcome);
      expect(performance.now() - startedAt).to.be.below(1.9 * FORWARD_MS);
    });
  }

  it('are asked once more on a new connection where one breaks off, and then the next one is', async () => {
    await using breaking = await startRaw((socket) => socket.destroy());
    expect(await outcomeOf([breaking.origin, good.url])).to.equal('200 the key');
    expect(breaking.sockets).to.have.length(2);
    expect(await outcomeOf([breaking.origin])).to.equal('broken');
  });

  it('are passed over where the answer does not come whole, or is far too large', async () => {
    await using half = await startRaw((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    await using large = await startBackend((_, response) => response.end('x'.repeat(70_000)));
    expect(await outcomeOf([half.origin, good.url])).to.equal('200 the key, late');
    expect(await outcomeOf([large.url, good.url])).to.equal('200 the key');
  });

  describe('with as many requests under way as there may be connections', () => {
    const CONNECTIONS = 4;
    const HEAD = { method: 'GET', path: PATH, host: 'a.test', headers: [] };

    it('give up at once one whose client goes, and see through what was sent', async () => {
      await using silent = await startRaw(() => undefined);
      const servers = new ChallengeServers(
        { servers: [serverAt(silent.origin), serverAt(good.url)] },
        LIMITS,
        new Names(),
      );
      const gone = new AbortController();
      const before = good.requests.length;
      const sent = Array.from({ length: CONNECTIONS }, () => servers.ask(HEAD, gone.signal));
      const waiting = servers.ask(HEAD, gone.signal);
      await eventually('they are sent', () => silent.read.flat().length === CONNECTIONS);
      gone.abort();
      const { answer, failure, isLate } = await waiting;
      expect([answer, failure?.kind, isLate]).to.deep.equal([undefined, 'aborted', false]);
      for (const socket of silent.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nkey');
      for (const outcome of await Promise.all(sent)) expect(outcome.answer?.body.toString()).to.equal('key');
      await servers.close();
      expect(silent.read.flat()).to.have.length(CONNECTIONS);
      expect(good.requests.length).to.equal(before);
    });
  });
});

describe('--challenge-server', () => {
  it('is asked instead of the manager, in order, by the authority of --fallback-ca, and is changed by a reload', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const ca = await makeTestCa();
      const { chainPem, keyPem } = await ca.issue(['127.0.0.1', 'localhost']);
      await writeFile(join(dir, 'ca.pem'), ca.rootPem);
      await using first = await startBackend((_, response) => response.writeHead(404).end());
      await using second = await startBackend((_, response) => response.end('over TLS'), {
        tls: { cert: chainPem, key: keyPem },
      });
      await using manager = await startBackend((_, response) => response.end('the manager'));
      const config = join(dir, 'config.json');
      const configure = (servers: readonly string[]): Promise<void> =>
        writeFile(
          config,
          JSON.stringify({
            'fallback-server': `${manager.url}/.well-known/peter_sslers`,
            'fallback-ca': join(dir, 'ca.pem'),
            ...(servers.length > 0 && { 'challenge-server': servers }),
          }),
        );
      await configure([first.url, second.url.replace('127.0.0.1', 'localhost')]);
      await using program = await startProgram(['--http-listen', '127.0.0.1:0', '--config', config]);
      const challenge = async (): Promise<string> =>
        (await askPlain(plainPort(program), `GET ${PATH} HTTP/1.1`, ['Host: a.test'])).body;
      expect(await challenge()).to.equal('over TLS');
      expect([first.requests.length, manager.requests.length]).to.deep.equal([1, 0]);
      await configure([]);
      expect((await program.reload())['changed']).to.equal('challenge-server');
      expect(await challenge()).to.equal('the manager');
    } finally {
      await remove();
    }
  });
});
