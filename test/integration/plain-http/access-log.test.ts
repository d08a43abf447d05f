/**
 * The access log of the real program: a line a request, on HTTP/1.1, HTTP/2 and plain HTTP.
 */
import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ADMIN_FLAGS, admin } from '../../support/admin.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { H2Client } from '../../support/h2-client.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { spawnProgram, startProgram } from '../../support/program.js';
import { RawClient } from '../../support/raw-client.js';

const HELLO = 'hello, wörld';
const HELLO_BYTES = Buffer.byteLength(HELLO);
const UPGRADE = 'GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

describe('--access-log', () => {
  let backend: Backend;
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    backend = await startBackend(({ url }, response) => {
      if (url === '/never') return;
      if (url === '/half') {
        response.writeHead(200, { 'Content-Length': '100' }).write('half');
        return;
      }
      if (url === '/nothing') response.writeHead(204);
      else if (url === '/same') response.writeHead(304);
      else response.write(HELLO);
      response.end();
    });
    backend.server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
  });
  after(() => backend[Symbol.asyncDispose]());
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });
  afterEach(() => remove());

  const flags = (format: string): string[] => [
    ...['--access-log', join(dir, 'access.log'), '--access-log-format', format],
    ...['--http-listen', '127.0.0.1:0', '--backend', backend.url, ...ADMIN_FLAGS],
  ];
  const linesOf = (file = 'access.log'): string[] =>
    readFileSync(join(dir, file), 'utf8').split('\n').filter(Boolean);
  const objects = (): Record<string, unknown>[] =>
    linesOf().map((line) => JSON.parse(line) as Record<string, unknown>);
  const untilLines = (count: number, file?: string): Promise<void> =>
    eventually(`there are ${count} lines`, () => linesOf(file).length === count);

  /** One request on each protocol. */
  async function play(ports: { readonly port: number; readonly plain: number }): Promise<void> {
    await request({ port: ports.port, name: 'a.test', path: '/one?x="1"', method: 'POST', body: 'b' });
    await untilLines(1);
    using client = await H2Client.connect(ports.port, 'b.test');
    await client.request({ ':path': '/two' });
    await untilLines(2);
    await askPlain(ports.plain, 'HEAD /three HTTP/1.1', ['Host: c.test']);
    await untilLines(3);
  }

  it('tells in JSON of each request what there is to know, on every protocol', async () => {
    await using program = await startProgram(flags('json'));
    await play({ port: program.port, plain: plainPort(program) });
    const [one, two, three] = objects();
    const common = { client: '127.0.0.1', status: 200, bytes: HELLO_BYTES, tls: 'TLSv1.3', tier: 'ca' };
    expect(one).to.include({ ...common, name: 'a.test', host: 'a.test', method: 'POST' });
    expect(one).to.include({ target: '/one?x="1"', protocol: 'HTTP/1.1' });
    expect(two).to.include({ ...common, name: 'b.test', host: 'b.test', method: 'GET' });
    expect(two).to.include({ target: '/two', protocol: 'HTTP/2.0' });
    expect(three).to.include({ client: '127.0.0.1', host: 'c.test', method: 'HEAD', status: 308, bytes: 0 });
    expect(three).not.to.have.any.keys('name', 'tier', 'tls');
    for (const line of [one, two, three]) {
      expect(line?.['id']).to.match(/^[0-9a-f]{16}$/);
      expect(line?.['ms']).to.be.above(0);
      expect(Date.now() - Date.parse(String(line?.['time']))).to.be.within(0, 60_000);
      expect(line).not.to.have.property('cut');
    }
  });

  it('tells in the common format of each request, on every protocol', async () => {
    await using program = await startProgram(flags('common'));
    await play({ port: program.port, plain: plainPort(program) });
    const start = /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] /;
    expect(linesOf().map((line) => line.replace(start, ''))).to.deep.equal([
      `"POST /one?x=\\x221\\x22 HTTP/1.1" 200 ${HELLO_BYTES}`,
      `"GET /two HTTP/2.0" 200 ${HELLO_BYTES}`,
      '"HEAD /three HTTP/1.1" 308 0',
    ]);
  });

  it('counts no bytes where there is no body, and tells of admin routes and of what is refused', async () => {
    await using program = await startProgram(flags('json'));
    const { port } = program;
    const ask = (path: string, method = 'GET'): Promise<unknown> =>
      request({ port, name: 'a.test', path, method });
    let page = '';
    const steps: (() => Promise<unknown>)[] = [
      () => ask('/x', 'HEAD'),
      () => ask('/nothing'),
      () => ask('/same'),
      () => admin(program, '/status'),
      async () => {
        using client = await H2Client.connect(port, 'a.test');
        await client.request({ ':method': 'HEAD' });
      },
      async () => {
        using client = await H2Client.connect(port, 'a.test');
        page = (await client.request({ ':authority': 'other.example' })).body;
      },
      async () => {
        using raw = await RawClient.connect(port, 'a.test');
        await raw.send('GET / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip\r\n\r\n').closed();
      },
    ];
    for (const [index, step] of steps.entries()) {
      await step();
      await untilLines(index + 1);
    }
    const lines = objects();
    expect(lines.map(({ status }) => status)).to.deep.equal([200, 204, 304, 200, 200, 421, 501]);
    expect(lines[5]?.['bytes']).to.equal(Buffer.byteLength(page));
    expect(lines.map(({ bytes }) => bytes !== 0)).to.deep.equal([
      ...[false, false, false, true, false, true, true],
    ]);
  });

  it('tells of what is no request, with the id that its page has', async () => {
    await using program = await startProgram(flags('json'));
    const answers: string[] = [];
    for (const bytes of ['nonsense\r\n\r\n', `GET / HTTP/1.1\r\nA: ${'b'.repeat(70_000)}`]) {
      using client = await RawClient.connect(program.port, 'a.test');
      client.send(bytes);
      answers.push(await client.closed());
      await untilLines(answers.length);
    }
    const lines = objects();
    expect(lines.map(({ status }) => status)).to.deep.equal([400, 431]);
    for (const [index, line] of lines.entries()) {
      const answer = answers[index] ?? '';
      expect(answer)
        .to.include(`HTTP/1.1 ${String(line['status'])} `)
        .and.to.include(String(line['id']));
      expect(line['bytes']).to.equal(answer.length - answer.indexOf('\r\n\r\n') - 4);
      expect(line).to.include({ client: '127.0.0.1', name: 'a.test', tls: 'TLSv1.3' });
      expect(line).not.to.have.any.keys('method', 'target', 'host', 'protocol');
    }
  });

  const timeouts: [flag: string, path: string, status: number, text?: string][] = [
    ['backend-headers-timeout', '/never', 504],
    ['backend-body-timeout', '/half', 200],
    ['body-timeout', '/', 408, 'POST /never HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nhalf'],
    ['header-timeout', '', 408, 'GET / HTTP/1.1\r\nHost:'],
    ['tcp-idle-timeout', '/upgrade', 101, UPGRADE],
  ];
  for (const [flag, path, status, text] of timeouts) {
    it(`names the time-out that has ended a request: --${flag}`, async () => {
      await using program = await startProgram([...flags('json'), `--${flag}`, '0.2']);
      using client = await RawClient.connect(program.port, 'a.test');
      client.send(text ?? `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      await untilLines(1);
      expect(objects()[0]).to.include({ status, timeout: flag });
    });
  }

  it('tells 499 of a client that goes before its answer, and of a response that is cut', async () => {
    await using program = await startProgram(flags('json'));
    const { port } = program;
    const clients = [
      async (path: string): Promise<void> => {
        using client = await RawClient.connect(port, 'a.test');
        const asked = once(backend.server, 'request');
        client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
        await asked;
        if (path === '/half')
          await client.until('half is there', ({ received }) => received.endsWith('half'));
      },
      async (path: string): Promise<void> => {
        using client = await H2Client.connect(port, 'a.test');
        const asked = once(backend.server, 'request');
        const stream = client.open({ ':path': path });
        await asked;
        if (path === '/half') await once(stream, 'data');
      },
    ];
    let count = 0;
    for (const leave of clients) {
      for (const path of ['/never', '/half']) {
        await leave(path);
        await untilLines(++count);
      }
    }
    for (const [index, protocol] of ['HTTP/1.1', 'HTTP/2.0'].entries()) {
      const [never, half] = objects().slice(index * 2);
      expect(never).to.include({ protocol, target: '/never', status: 499, bytes: 0, cut: true });
      expect(half).to.include({ protocol, target: '/half', status: 200, bytes: 4, cut: true });
    }
  });

  it('tells 101 of a connection that has changed its protocol, when it ends', async () => {
    await using program = await startProgram(flags('json'));
    using client = await RawClient.connect(program.port, 'a.test');
    await client.send(UPGRADE).until('it is upgraded', ({ received }) => received.endsWith('\r\n\r\n'));
    await client
      .send('x'.repeat(1000))
      .until('the echo', ({ received }) => received.endsWith('x'.repeat(1000)));
    client.socket.end();
    await client.closed();
    await untilLines(1);
    const [line] = objects();
    expect(line)
      .to.include({ status: 101, target: '/upgrade', name: 'a.test' })
      .and.not.to.have.property('cut');
    expect(line?.['bytes']).to.be.within(1000, 1500);
  });

  it('tells of what is cut when the program stops and the drain time-out is over, on every protocol', async () => {
    await using program = await startProgram([...flags('json'), '--drain-timeout', '0.2']);
    const { port } = program;
    using raw = await RawClient.connect(port, 'a.test');
    raw.send('GET /half HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await raw.until('half is there', ({ received }) => received.endsWith('half'));
    using upgraded = await RawClient.connect(port, 'a.test');
    await upgraded.send(UPGRADE).until('it is upgraded', ({ received }) => received.endsWith('\r\n\r\n'));
    using client = await H2Client.connect(port, 'a.test');
    await once(client.open({ ':path': '/half' }), 'data');
    program.kill('SIGTERM');
    expect((await program.exited).code).to.equal(0);
    const told = objects().map(({ protocol, status, bytes, cut }) => ({ protocol, status, bytes, cut }));
    expect(told).to.have.length(3);
    for (const protocol of ['HTTP/1.1', 'HTTP/2.0']) {
      expect(told).to.deep.include({ protocol, status: 200, bytes: 4, cut: true });
    }
    expect(told.map(({ status }) => status)).to.include(101);
  });

  it('goes on in a new file after SIGUSR1, in every worker', async () => {
    await using program = await startProgram([...flags('common'), '--workers', '2']);
    const ask = (path: string): Promise<unknown> => request({ port: program.port, name: 'a.test', path });
    await ask('/before');
    await untilLines(1);
    renameSync(join(dir, 'access.log'), join(dir, 'access.log.1'));
    await ask('/between');
    await untilLines(2, 'access.log.1');
    program.kill('SIGUSR1');
    await eventually('every worker has the new file open, and none the old one', async () => {
      const open = await Promise.all((await program.workerPids()).map(openFiles));
      return open.every(
        (files) => files.includes(join(dir, 'access.log')) && !files.includes(join(dir, 'access.log.1')),
      );
    });
    await ask('/after');
    await untilLines(1);
    expect(linesOf()[0]).to.include('GET /after HTTP/1.1');
    expect(linesOf('access.log.1')).to.have.length(2);
  });

  it('goes to standard output, and is switched, turned off and on by reloads', async () => {
    const config = join(dir, 'config.json');
    const configure = (settings: object): Promise<void> => writeFile(config, JSON.stringify(settings));
    await configure({ 'access-log': '-', 'access-log-format': 'json' });
    await using program = await startProgram(['--config', config, '--backend', backend.url]);
    const ask = (path: string): Promise<unknown> => request({ port: program.port, name: 'a.test', path });
    await ask('/stdout');
    await program.until('the line is out', ({ stdout }) => stdout.includes('"target":"/stdout"'));
    await configure({ 'access-log': join(dir, 'access.log') });
    await program.reload();
    await ask('/file');
    await untilLines(1);
    await configure({});
    await program.reload();
    await ask('/off');
    await configure({ 'access-log': join(dir, 'access.log') });
    await program.reload();
    await ask('/on');
    await untilLines(2);
    expect(linesOf()[0]).to.include(`"GET /file HTTP/1.1" 200 ${HELLO_BYTES}`);
    expect(linesOf()[1]).to.include('"GET /on HTTP/1.1"');
    expect(program.stdout).not.to.match(/\/off|\/file/);
  });

  it('is a mistake in its flag where it cannot be written: at the start, and on a reload, which changes nothing', async () => {
    const missing = join(dir, 'none', 'access.log');
    await using failing = await spawnProgram(['--access-log', missing]);
    expect((await failing.exited).code).not.to.equal(0);
    expect(failing.stderr).to.include(`--access-log names ${missing}, which cannot be written: ENOENT`);

    const config = join(dir, 'config.json');
    await writeFile(config, JSON.stringify({ 'access-log': join(dir, 'access.log') }));
    await using program = await startProgram(['--config', config, '--backend', backend.url]);
    await writeFile(config, JSON.stringify({ 'access-log': missing }));
    program.kill('SIGHUP');
    const line = await program.logged('not reloaded, everything stays as it was');
    expect(line['error']).to.include('--access-log names');
    await request({ port: program.port, name: 'a.test', path: '/still' });
    await untilLines(1);
  });
});

/** The files that a process has open, from the kernel. */
async function openFiles(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  return Promise.all(
    (await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')), // closed meanwhile
  );
}
