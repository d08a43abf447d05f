/**
 * The diagnostics channels, heard by a module that `NODE_OPTIONS` names, in the primary and in the workers.
 */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type {
  HandshakeDone,
  HandshakeFailed,
  LookUpMessage,
  OrderMessage,
  RequestMessage,
  SourceStateMessage,
} from '../../lib/channels/messages.js';
import { startBackend } from '../support/backend.js';
import { makeTempDir, makeTestCa, type TestCa } from '../support/certificates.js';
import { connectTls, handshake, request } from '../support/client.js';
import { eventuallySees } from '../support/eventually.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';
import { startProgram, type Program } from '../support/program.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { prime2 } from '../support/stage.js';
import { unusedPort } from '../support/unused-port.js';
import { fingerprintOf } from '../support/visit.js';

interface Messages {
  readonly handshake: HandshakeDone | HandshakeFailed;
  readonly request: RequestMessage;
  readonly 'look-up': LookUpMessage;
  readonly 'source-state': SourceStateMessage;
  readonly order: OrderMessage;
}

/** Writes what it hears into a file, a line each. */
const LISTENER = `
  import { subscribe } from 'node:diagnostics_channel';
  import { appendFileSync } from 'node:fs';
  for (const name of ['handshake', 'request', 'look-up', 'source-state', 'order'])
    subscribe('peter-sslers-proxy:' + name, (message) =>
      appendFileSync(new URL('heard', import.meta.url), JSON.stringify([name, process.pid, message]) + '\\n'));
`;

describe('The channels', () => {
  let ca: TestCa;
  let dir: string;
  let remove: () => Promise<void>;
  let manager: FakeManager;
  let redis: RedisServer;
  const startedAtMs = Date.now();

  before(async () => (ca = await makeTestCa()));
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    [manager, redis] = await Promise.all([startFakeManager(), startRedisServer()]);
    await writeFile(join(dir, 'listener.mjs'), LISTENER);
    await writeFile(join(dir, 'heard'), '');
  });
  afterEach(async () => {
    await Promise.all([manager.close(), redis.stop()]);
    await remove();
  });

  function start(flags: readonly string[]): Promise<Program> {
    return startProgram(flags, { env: { NODE_OPTIONS: `--import ${join(dir, 'listener.mjs')}` } });
  }

  /** What a channel has told, once that is enough. @param of the process that may have told it. */
  async function heard<Name extends keyof Messages>(
    channel: Name,
    of: readonly number[],
    isEnough: (messages: readonly Messages[Name][]) => boolean,
  ): Promise<Messages[Name][]> {
    const lines = async (): Promise<[string, number, Messages[Name]][]> =>
      (await readFile(join(dir, 'heard'), 'utf8'))
        .split('\n')
        .filter((line) => line.endsWith(']'))
        .map((line) => JSON.parse(line) as [string, number, Messages[Name]])
        .filter(([name]) => name === channel);
    const all = await eventuallySees(`${channel} is heard of`, lines, (some) =>
      isEnough(some.map(([, , message]) => message)),
    );
    for (const [, pid] of all) expect(of).to.include(pid);
    return all.map(([, , message]) => message);
  }

  it('tell of handshakes in the worker, and of the look-ups for them in the primary, under one id', async () => {
    const pair = await ca.issue(['a.test']);
    await prime2(redis, 'a.test', pair);
    await using program = await start([
      ...['--redis-strategy', '2', '--redis-url', redis.url, '--fallback-server', manager.root],
    ]);
    await handshake({ port: program.port, servername: 'a.test' });
    await handshake({ port: program.port, servername: 'a.test', maxVersion: 'TLSv1.2' });
    await handshake({ port: program.port, servername: 'nobody.test' });
    await fetch(`http://127.0.0.1:${program.port}/`);

    const workers = await program.workerPids();
    const handshakes = await heard('handshake', workers, ({ length }) => length >= 4);
    const done = handshakes.filter((message) => message.outcome === 'done');
    const [first, second, third] = done as [HandshakeDone, HandshakeDone, HandshakeDone];
    const { startedAtMs: atMs, tookMs, chooseMs, handshake: id } = first;
    expect(first).to.deep.include({ serverName: 'a.test', tier: 'redis', protocol: 'TLSv1.3', key: 'ecdsa' });
    expect(first).to.deep.include({ client: '127.0.0.1', isResumed: false, listener: 0 });
    expect(first).to.have.property('cipher').that.matches(/^TLS_/);
    expect(first).not.to.have.property('defaultReason');
    expect(atMs).to.be.within(startedAtMs, Date.now());
    expect(tookMs).to.be.within(chooseMs, 10_000);
    expect(second).to.deep.include({ tier: 'lru', protocol: 'TLSv1.2' });
    expect(third).to.deep.include({ tier: 'default', defaultReason: 'absent' });
    const failed = handshakes.find((message) => message.outcome === 'failed');
    expect(failed).to.deep.include({ failure: 'plain-http', client: '127.0.0.1' });

    const lookUps = await heard('look-up', [program.pid], ({ length }) => length >= 2);
    const [found, absent] = lookUps as [LookUpMessage, LookUpMessage];
    expect(found).to.deep.include({ name: 'a.test', handshake: id, outcome: 'found', tier: 'redis' });
    expect(found.fingerprints).to.deep.equal([fingerprintOf(pair).replaceAll(':', '').toLowerCase()]);
    expect(found.answers.map(({ source, outcome }) => [source, outcome])).to.deep.equal([['redis', 'found']]);
    expect(found.startedAtMs).to.be.within(atMs, atMs + tookMs);
    expect(absent).to.deep.include({ name: 'nobody.test', handshake: third.handshake, outcome: 'absent' });
    expect(absent.answers.map(({ source, outcome }) => [source, outcome])).to.deep.equal([
      ['redis', 'absent'],
      ['manager', 'absent'],
    ]);
    for (const { tookMs: answerMs } of absent.answers) expect(answerMs).to.be.within(0, absent.tookMs);
  });

  it('tell of a source that is late, that fails, is skipped and answers again', async () => {
    await using program = await start([
      ...['--redis-strategy', '2', '--redis-url', redis.url, '--fallback-server', manager.root],
    ]);
    await redis.kill();
    manager.setCertificate('a.test', await ca.issue(['a.test']));
    for (const name of ['a.test', 'b.test', 'c.test', 'd.test'])
      await handshake({ port: program.port, servername: name });
    const states = await heard('source-state', [program.pid], ({ length }) => length >= 2);
    expect(states.map(({ source, state }) => `${source} ${state}`)).to.deep.equal([
      'redis failing',
      'redis skipped',
    ]);
    for (const { reason } of states) expect(reason).to.be.a('string').and.not.equal('');
    const [first] = await heard('look-up', [program.pid], ({ length }) => length >= 1);
    expect(first).to.deep.include({ name: 'a.test', outcome: 'found', tier: 'manager' });
    expect(first!.answers.map(({ source, outcome }) => [source, outcome])).to.deep.equal([
      ['redis', 'unavailable'],
      ['manager', 'found'],
    ]);
    await redis.restart();
    const all = await heard('source-state', [program.pid], ({ length }) => length >= 3);
    expect(all.at(-1)).to.include({ source: 'redis', state: 'up' });
    expect(all.at(-1)!.afterMs).to.be.within(1, 60_000);
  });

  it('tell of orders, with the words of the manager', async () => {
    manager.issue('new.test', await ca.issue(['new.test']));
    await using program = await start([
      ...['--fallback-server', manager.root, '--enable-autocert', '--autocert-allow', '*.test'],
    ]);
    const { names } = await handshake({ port: program.port, servername: 'new.test' });
    expect(names).to.contain('new.test');
    await handshake({ port: program.port, servername: 'refused.test' });
    const orders = await heard('order', [program.pid], ({ length }) => length >= 2);
    const [issued, refused] = orders as [OrderMessage, OrderMessage];
    expect(issued).to.deep.include({ name: 'new.test', result: 'issued' });
    expect(issued).not.to.have.property('reason');
    expect(issued.startedAtMs).to.be.within(startedAtMs, Date.now());
    expect(refused.result).not.to.equal('issued');
    expect(refused.reason).to.be.a('string').and.not.equal('');
    const [first] = await heard('handshake', await program.workerPids(), ({ length }) => length >= 1);
    expect(issued.handshake).to.equal(first?.handshake);
  });

  it('tell of requests: who answered, the backend, and the trace that they belong to', async () => {
    await using backend = await startBackend((incoming, response) => {
      incoming.resume();
      response.statusCode = 201;
      response.end('made');
    });
    const gone = await unusedPort();
    await using program = await start([
      ...['--backend', backend.url, '--backend', `gone.localhost=http://127.0.0.1:${gone}`],
      ...['--backend-restart-wait', '0'],
    ]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await request({
      ...{ port: program.port, name: 'a.localhost', method: 'POST', path: '/make?it=1', body: 'four' },
      headers: { traceparent },
    });
    await request({ port: program.port, name: 'gone.localhost' });
    const requests = await heard('request', await program.workerPids(), ({ length }) => length >= 2);
    const [passed, failed] = requests as [RequestMessage, RequestMessage];
    expect(passed).to.deep.include({ method: 'POST', target: '/make?it=1', status: 201, scheme: 'https' });
    expect(passed).to.deep.include({ sentBytes: 4, receivedBytes: 4, isCut: false, httpVersion: '1.1' });
    expect(passed).to.deep.include({ traceparent, answeredBy: 'backend', client: '127.0.0.1' });
    expect(passed.id).to.match(/^[0-9a-f]{16}$/);
    const { headMs, ...way } = passed.passedOn!;
    expect(way).to.deep.equal({ backend: backend.url, attempts: 1, status: 201 });
    expect(headMs).to.be.within(0, passed.tookMs);
    expect(failed).to.include({ status: 502, answeredBy: 'proxy' });
    expect(failed.passedOn).not.to.have.property('status');
    const handshakes = await heard('handshake', await program.workerPids(), ({ length }) => length >= 2);
    expect(requests.map(({ handshake: id }) => id)).to.deep.equal(handshakes.map(({ handshake: id }) => id));
  });

  it('tell of bytes that were no request', async () => {
    await using program = await start([]);
    const socket = await connectTls({ port: program.port, servername: 'a.localhost' });
    socket.end('nonsense\r\n\r\n');
    await once(socket.resume(), 'close');
    const [refused] = await heard('request', await program.workerPids(), ({ length }) => length >= 1);
    expect(refused).to.include({ status: 400, answeredBy: 'proxy' });
  });
});
