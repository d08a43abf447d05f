/**
 * `--admin-listen`: operations, metrics, health and the stream of snapshots over plain HTTP; and the same operations on the public
 * listener and the control socket.
 */
import { once } from 'node:events';
import { get, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { admin, ADMIN_FLAGS, CREDENTIALS } from '../../support/admin.js';
import { handshake } from '../../support/client.js';
import { spawnProgram, startProgram, type Program } from '../../support/program.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function ask(where: RequestOptions, path: string, options: RequestOptions = {}): Promise<Answer> {
  const outgoing = httpRequest({ agent: false, ...where, path, ...options });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** The port of the admin listener, by the line after the ready line. */
function adminPort(program: Program): number {
  const { admin: urls } = JSON.parse(program.stdout.split('\n')[0] ?? '') as { admin: string[] };
  return Number(new URL(urls[0] ?? '').port);
}

const json = ({ body }: Answer): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

describe('--admin-listen on a loopback address', () => {
  let program: Program;
  let door: RequestOptions;
  let socket: RequestOptions;

  before(async () => {
    program = await startProgram([
      ...['--admin-listen', '127.0.0.1:0', '--admin-host', 'proxy.example', '--workers', '2'],
      ...ADMIN_FLAGS,
    ]);
    door = { host: '127.0.0.1', port: adminPort(program) };
    socket = { socketPath: join(program.cwd, '.peter-sslers', 'control.sock') };
  });

  after(() => program[Symbol.asyncDispose]());

  it('says how the program does, without a password', async () => {
    const answer = await ask(door, '/status');
    expect(answer.headers).to.include({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(json(answer)).to.deep.include({
      pid: program.pid,
      adminListeners: [`http://127.0.0.1:${adminPort(program)}`],
    });
    expect(json(answer)['workers']).to.have.length(2);
  });

  it('has metrics that count a handshake', async () => {
    const before = await ask(door, '/metrics');
    expect(before.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
    await handshake({ port: program.port, servername: 'metrics.localhost' });
    await program.until('it is idle', () => true);
    const counted = /^peter_sslers_handshakes_total\{tier="ca",.*\} [1-9]/m;
    for (let i = 0; i < 100; i++) {
      const { body } = await ask(door, '/metrics');
      if (counted.test(body)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect.fail('the handshake was not counted within 5 s');
  });

  it('says that it lives and that it is ready', async () => {
    expect(await ask(door, '/healthz')).to.include({ status: 200, body: 'ok\n' });
    expect(await ask(door, '/readyz')).to.include({ status: 200, body: 'ready\n' });
    expect(await ask(door, '/readyz', { method: 'HEAD' })).to.include({ status: 200, body: '' });
  });

  it('says why a certificate is served, and expires it', async () => {
    await handshake({ port: program.port, servername: 'why.localhost' });
    const why = json(await ask(door, '/why/Why.LOCALHOST.'));
    expect(why).to.include({ asked: 'Why.LOCALHOST.', name: 'why.localhost' });
    expect(why['diagnosis']).to.include({ isServed: true });
    const expired = await ask(door, '/expire/domain/why.localhost?workers=1', { method: 'POST' });
    expect(json(expired)).to.deep.equal({ expired: 'why.localhost', workers: 2, acknowledged: 2 });
    expect(await ask(door, '/expire/domain/why.localhost')).to.include({ status: 405 });
    expect(await ask(door, '/expire/domain/a%20b', { method: 'POST' })).to.include({ status: 400 });
  });

  it('streams a snapshot a second', async () => {
    const outgoing = get({ ...door, agent: false, path: '/events' });
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).to.equal('text/event-stream');
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (text.split('\n\n').length > 2) break;
    }
    const [first, second] = text
      .split('\n\n')
      .slice(0, 2)
      .map(
        (event) =>
          JSON.parse(event.replace(/^data: /, '')) as { status: { uptimeMs: number }; series: unknown[] },
      );
    expect((second?.status.uptimeMs ?? 0) - (first?.status.uptimeMs ?? 0)).to.be.within(900, 5_000);
    expect(first?.series).to.deep.include({
      name: 'peter_sslers_workers',
      labels: { state: 'accepting' },
      value: 2,
    });
  });

  it('answers no host that a page of a stranger could have pointed here', async () => {
    const refused = await ask(door, '/status', { headers: { host: 'evil.example' } });
    expect(refused).to.include({ status: 403 });
    expect(await ask(door, '/metrics', { headers: { host: 'evil.example:8444' } })).to.include({
      status: 403,
    });
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:80', 'proxy.example']) {
      expect(await ask(door, '/status', { headers: { host } }), host).to.include({ status: 200 });
    }
    const page = { origin: 'https://evil.example', host: 'localhost' };
    const crossed = await ask(door, '/expire/all', { method: 'POST', headers: page });
    expect(crossed).to.include({ status: 403 });
  });

  it('neither asks sources nor sends snapshots for a page of another site', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    for (const path of ['/why/a.localhost', '/events', '/.peter_sslers/proxy/events']) {
      const refused = await ask(door, path, { headers });
      expect(refused, path).to.include({ status: 403 });
      expect(json(refused)).to.include({ reason: 'Sent by a page of another site' });
    }
    expect(await ask(door, '/metrics', { headers })).to.include({ status: 200 });
  });

  it('has what changes the program itself on the control socket alone', async () => {
    for (const path of ['/reload', '/stop', '/warm/a.localhost']) {
      expect(await ask(door, path, { method: 'POST' }), path).to.include({ status: 404 });
    }
    expect(json(await ask(socket, '/reload', { method: 'POST' }))).to.include({ ok: true });
    expect(await ask(socket, '/status')).to.include({ status: 200 });
  });

  it('has the routes that the manager calls, too', async () => {
    const answer = await ask(door, '/.peter_sslers/nginx/shared_cache/status');
    expect(json(answer)).to.include({ result: 'success', server: 'peter_sslers:openresty' });
  });

  it('is on the public listener below the admin prefix, behind the password', async () => {
    const root = '/.peter_sslers/proxy';
    const headers = { host: 'proxy.example' };
    expect((await admin(program, `${root}/status`, { auth: 'a:b', headers })).status).to.equal(401);
    const status = await admin(program, `${root}/status`, { headers });
    expect(status.json).to.include({ pid: program.pid });
    await handshake({ port: program.port, servername: 'public.localhost' });
    const why = await admin(program, `${root}/why/public.localhost`, { headers });
    expect(why.json?.['diagnosis']).to.include({ isServed: true });
    expect((await admin(program, `${root}/metrics`, { headers })).body).to.match(/^# HELP peter_sslers_/);
    expect((await admin(program, `${root}/healthz`, { auth: 'a:b', headers })).status).to.equal(401);
    expect((await admin(program, `${root}/reload`, { method: 'POST', headers })).status).to.equal(404);
    expect((await admin(program, '/.peter_sslers/status', { headers })).status).to.equal(404);
  });
});

describe('--admin-listen beyond loopback', () => {
  it('needs a password file', async () => {
    await using program = await spawnProgram(['--admin-listen', '0.0.0.0:0']);
    expect((await program.exited).code).to.equal(2);
    expect(program.stderr.split('\n')[0]).to.equal(
      'peter-sslers-proxy: --admin-listen is open to other machines on 0.0.0.0:0: it needs --admin-user-file',
    );
  });

  it('asks for the password everywhere but for its health, whatever the host', async () => {
    await using program = await startProgram(['--admin-listen', '0.0.0.0:0', ...ADMIN_FLAGS]);
    const door = { host: '127.0.0.1', port: adminPort(program) };
    for (const path of ['/status', '/metrics', '/events', '/why/a.test']) {
      expect(await ask(door, path), path).to.include({ status: 401 });
    }
    expect(await ask(door, '/readyz')).to.include({ status: 200 });
    const headers = { host: 'any.example' };
    expect(await ask(door, '/status', { auth: CREDENTIALS, headers })).to.include({ status: 200 });
  });

  it('has room for a health probe while one client holds all connections that it can, silently', async () => {
    await using program = await startProgram(['--admin-listen', '[::]:0', ...ADMIN_FLAGS]);
    const port = adminPort(program);
    const openedAtMs = performance.now();
    const held = Array.from({ length: 300 }, () =>
      connect({ port, host: '127.0.0.2', localAddress: '127.0.0.2' }).on('error', () => undefined),
    );
    const ended = Promise.all(held.map((socket) => once(socket.resume(), 'close')));
    try {
      const line = await program.logged('too many connections to the admin listener: some are refused');
      expect(line).to.include({ level: 'notice', client: '127.0.0.2', limit: 'of one client' });
      expect(await ask({ host: '127.0.0.1', port }, '/healthz')).to.include({ status: 200 });
      // Node's own look at what is over its time comes every half minute.
      await ended;
      expect(performance.now() - openedAtMs).to.be.below(10_000);
    } finally {
      for (const socket of held) socket.destroy();
    }
    expect(await ask({ host: '127.0.0.2', port, localAddress: '127.0.0.2' }, '/healthz')).to.include({
      status: 200,
    });
  });

  it('holds one address alone for its wrong passwords where it takes both families', async () => {
    await using program = await startProgram(['--admin-listen', '[::]:0', ...ADMIN_FLAGS]);
    const port = adminPort(program);
    const from = (localAddress: string, auth: string): Promise<Answer> =>
      ask({ host: localAddress, port, localAddress, auth }, '/status');
    for (let i = 0; i < 5; i++) await from('127.0.0.2', 'peter:wrong');
    expect(await from('127.0.0.2', 'peter:wrong')).to.include({ status: 429 });
    expect(await from('127.0.0.1', 'peter:wrong')).to.include({ status: 401 });
  });

  it('says so when its address is in use', async () => {
    await using program = await startProgram(['--admin-listen', '127.0.0.1:0']);
    const taken = `127.0.0.1:${adminPort(program)}`;
    await using second = await spawnProgram(['--admin-listen', taken]);
    expect((await second.exited).code).to.equal(1);
    expect(second.stderr).to.include(`--admin-listen ${taken}: the address is in use by another program`);
  });
});
