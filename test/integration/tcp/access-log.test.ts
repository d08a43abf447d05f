/**
 * The access log of TCP mode: one line for each connection, when it has ended.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { connectTls, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';
import { startTcpBackend, type TcpBackend } from '../../support/tcp-backend.js';
import { unusedPort } from '../../support/unused-port.js';

const QUESTION = 'a question, wörd by wörd';
const ANSWER = Buffer.alloc(300_000, 'an answer ');

describe('--access-log, of TCP mode', () => {
  let backend: TcpBackend;
  let dir: string;
  let remove: () => Promise<void>;

  /** It answers when the client has ended, resets at `reset`, and else says nothing. */
  before(async () => {
    backend = await startTcpBackend((connection) => {
      const { socket } = connection;
      socket.once('end', () => socket.end(ANSWER));
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString() === 'reset') socket.resetAndDestroy();
        else if (chunk.toString() === 'hello') socket.write('hello');
      });
    });
  });
  after(() => backend[Symbol.asyncDispose]());
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  const start = (
    format: 'common' | 'json',
    backends: readonly string[],
    ...more: string[]
  ): Promise<Program> =>
    startProgram([
      ...['--access-log', join(dir, 'access.log'), '--access-log-format', format],
      ...backends.flatMap((url) => ['--backend', url]),
      ...more,
    ]);
  const lines = (): string[] => readFileSync(join(dir, 'access.log'), 'utf8').split('\n').filter(Boolean);
  const objects = (): Record<string, unknown>[] =>
    lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  const untilLines = (count: number): Promise<void> =>
    eventually(`there are ${count} lines`, () => lines().length === count);

  /** Asks and takes the whole answer. */
  async function ask(port: number): Promise<void> {
    const socket = await connectTls({ port, servername: 'a.localhost', allowHalfOpen: true } as Parameters<
      typeof connectTls
    >[0]);
    socket.end(QUESTION);
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    await once(socket, 'close');
    expect(received).to.equal(ANSWER.length);
  }

  it('tells in JSON of a connection what there is to know, when it ends, and beside it of requests', async () => {
    await using web = await startBackend();
    await using program = await start('json', [backend.url, `web.localhost=${web.url}`]);
    await ask(program.port);
    await untilLines(1);
    await request({ port: program.port, name: 'web.localhost' });
    await untilLines(2);
    const [line, other] = objects();
    expect(line).to.include({
      ...{ client: '127.0.0.1', name: 'a.localhost', tier: 'ca', tls: 'TLSv1.3', protocol: 'TCP' },
      ...{ backend: backend.url, status: 200, end: 'ended' },
      ...{ bytes: ANSWER.length, received: Buffer.byteLength(QUESTION) },
    });
    expect(line).not.to.have.property('cut');
    expect(line?.['ms']).to.be.above(0);
    expect(Date.now() - Date.parse(String(line?.['time']))).to.be.within(0, 60_000);
    expect(other).to.include({ protocol: 'HTTP/1.1', name: 'web.localhost' });
  });

  it('tells in the common format of a connection, and nothing of it while it is open', async () => {
    await using program = await start('common', [backend.url]);
    using open = await RawClient.connect(program.port, 'open.localhost');
    await open.send('hello').until('it is spliced', ({ received }) => received === 'hello');
    await ask(program.port);
    await untilLines(1);
    open.socket.end();
    await open.closed();
    await untilLines(2);
    const shown = lines().map((line) =>
      line
        .replace(/\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\]/, '[T]')
        .replace(/ \d+\.\d{3} /, ' S '),
    );
    const asked = Buffer.byteLength(QUESTION);
    expect(shown).to.deep.equal([
      `127.0.0.1 - - [T] "TCP a.localhost ${backend.url}" 200 ${ANSWER.length} ${asked} S "ended"`,
      `127.0.0.1 - - [T] "TCP open.localhost ${backend.url}" 200 ${ANSWER.length + 5} 5 S "ended"`,
    ]);
  });

  it('tells of a reset, and of a client that has no certificate', async () => {
    await using program = await start('json', [backend.url], '--unknown-name', '421', '--internal-ca', 'ca');
    {
      using client = await RawClient.connect(program.port, 'a.localhost');
      await client.send('reset').closed();
    }
    await untilLines(1);
    {
      using client = await RawClient.connect(program.port, 'unknown.example');
      await client.closed();
    }
    await untilLines(2);
    const [reset, unknown] = objects();
    expect(reset).to.include({ status: 200, end: 'backend failed', bytes: 0, received: 5, cut: true });
    expect(unknown).to.include({
      status: 403,
      end: 'no certificate',
      name: 'unknown.example',
      tier: 'default',
    });
    expect(unknown).not.to.have.property('backend');
  });

  it('tells of a connection on which nothing has passed for the time-out', async () => {
    await using program = await start('json', [backend.url], '--tcp-idle-timeout', '0.1');
    using client = await RawClient.connect(program.port, 'a.localhost');
    await client.closed();
    await untilLines(1);
    expect(objects()[0]).to.include({ status: 200, end: 'idle', bytes: 0, received: 0, cut: true });
  });

  it('tells once of a connection for which no backend could be connected, however many were tried', async () => {
    const urls = [`tcp://127.0.0.1:${await unusedPort()}`, `tcp://127.0.0.1:${await unusedPort()}`];
    await using program = await start('json', urls);
    using client = await RawClient.connect(program.port, 'a.localhost');
    await client.closed();
    await untilLines(1);
    expect(objects()[0]).to.include({ status: 502, end: 'no backend', bytes: 0, received: 0, cut: true });
    await request({ port: program.port, name: 'a.localhost' }).catch(() => undefined);
    await untilLines(2);
  });
});
