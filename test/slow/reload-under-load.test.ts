/**
 * Reloads and the end of the program while clients of every kind are at it.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { join } from 'node:path';
import { startBackend, type Backend } from '../support/backend.js';
import { makeTempDir, makeTestCa, writePair } from '../support/certificates.js';
import { handshake, request } from '../support/client.js';
import { defer } from '../../lib/base/deferred.js';
import { eventually } from '../support/eventually.js';
import { H2Client, responseOf } from '../support/h2-client.js';
import { startMixedLoad } from '../support/mixed-load.js';
import { startProgram } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { echoWebSockets } from '../support/web-socket.js';
import { startWithConfig, writeConfig } from '../support/process-stage.js';

/** No source has it: it gets the default certificate. */
const NAME = 'www.example.com';
const RELOADS = 6;

async function startEcho(word: string): Promise<Backend> {
  const backend = await startBackend((_, response) => response.end(word));
  echoWebSockets(backend);
  return backend;
}

describe('Under a mixed load', () => {
  let folder: Awaited<ReturnType<typeof makeTempDir>>;

  before(async () => {
    folder = await makeTempDir();
  });

  after(() => folder.remove());

  it('reloads that change backend, default certificate and workers fail no request and cut no WebSocket', async () => {
    const { dir } = folder;
    await using one = await startEcho('one');
    await using two = await startEcho('two');
    await using three = await startEcho('three');
    const ca = await makeTestCa();
    const states: { word: string; flags: Record<string, unknown> }[] = [];
    for (const [word, backend] of Object.entries({ one, two, three })) {
      const pair = join(dir, word);
      await writePair(pair, await ca.issue([`${word}.example.com`, NAME]));
      states.push({
        word,
        flags: {
          workers: states.length + 1,
          // Of a stop: a worker that is taken away lives on as long as its WebSockets.
          'drain-timeout': 0.5,
          backend: backend.url,
          'default-cert': join(pair, 'fullchain.pem'),
          'default-key': join(pair, 'privkey.pem'),
        },
      });
    }
    const config = join(dir, 'config.json');
    await writeConfig(config, states[2]?.flags ?? {});
    await using program = await startWithConfig(config, { cwd: dir });
    const { port } = program;
    await using load = await startMixedLoad(port, NAME);
    for (let count = 0; count < RELOADS; count++) {
      const { word, flags } = states[count % states.length] ?? { word: '', flags: {} };
      await writeConfig(config, flags);
      await program.reload();
      expect((await request({ port, name: NAME })).body).to.equal(word);
      const { names } = await handshake({ port, servername: NAME });
      expect(names).to.equal(`${word}.example.com, ${NAME}`);
      const { kept, streams, echoes, handshakes } = load.report;
      await eventually('each kind of client has gone on', () => {
        const now = load.report;
        if (now.failures.length > 0) return true;
        return (
          now.kept > kept && now.streams > streams && now.handshakes > handshakes && now.echoes > echoes + 8
        );
      });
    }
    const report = await load.stop();
    expect(report.failures).to.deep.equal([]);
    expect(report.openWebSockets).to.equal(4);
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });
});

describe('SIGTERM', () => {
  it('lets HTTP/1.1 finish with Connection: close, and HTTP/2 with GOAWAY', async () => {
    const goOn = defer<void>();
    await using backend = await startBackend((incoming, response) => {
      if (incoming.url === '/begun') response.write('first half, ');
      void goOn.promise.then(() => response.end('second half'));
    });
    await using program = await startProgram(['--backend', backend.url]);
    using waiting = await RawClient.connect(program.port, 'a.localhost');
    using begun = await RawClient.connect(program.port, 'a.localhost');
    waiting.send('GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n');
    begun.send('GET /begun HTTP/1.1\r\nHost: a.localhost\r\n\r\n');
    using client = await H2Client.connect(program.port, 'a.localhost');
    const responses = ['/', '/begun'].map((path) => responseOf(client.open({ ':path': path })));
    await eventually('the backend has all four', () => backend.requests.length === 4);
    const goaway = once(client.session, 'goaway');
    program.kill('SIGTERM');
    const [code] = (await goaway) as [number];
    expect(code).to.equal(0);
    goOn.resolve();
    expect(await waiting.closed()).to.match(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n[^]*second half/i);
    expect(await begun.closed()).to.match(/first half, [^]*second half\r\n0\r\n\r\n$/);
    const [late, early] = await Promise.all(responses);
    expect(late).to.include({ status: 200, body: 'second half', isWhole: true });
    expect(early).to.include({ status: 200, body: 'first half, second half', isWhole: true });
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
    expect(program.log.filter(({ level }) => level === 'err')).to.deep.equal([]);
  });
});
