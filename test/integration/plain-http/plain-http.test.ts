/**
 * Plain HTTP beside TLS, with the real program.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { ADMIN_FLAGS, ROOT } from '../../support/admin.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { makeTempDir, makeTestCa } from '../../support/certificates.js';
import { HOSTILE_HOSTS } from '../../support/hosts.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { spawnProgram, startProgram, type Program } from '../../support/program.js';

const TOKEN = '/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
const WHOAMI = '/.well-known/public/whoami';
const FLAGS = ['--http-listen', '127.0.0.1:0'];

describe('Plain HTTP beside TLS', () => {
  let manager: Backend;
  let backend: Backend;
  let program: Program;
  let port: number;

  before(async () => {
    manager = await startBackend((request, response) => {
      response.setHeader('Content-Type', 'text/plain').end(`the key for ${request.url ?? ''}`);
    });
    backend = await startBackend((_, response) => response.end('the backend'));
    program = await startProgram([
      ...FLAGS,
      ...ADMIN_FLAGS,
      ...['--fallback-server', `${manager.url}/.well-known/peter_sslers/`, '--backend', backend.url],
    ]);
    port = plainPort(program);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await manager[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    manager.requests.length = 0;
    backend.requests.length = 0;
  });

  it('hands challenges to the root of the manager, with the Host as it was read', async () => {
    const answer = await askPlain(port, `GET ${TOKEN} HTTP/1.1`, ['Host: New.Example.com:80']);
    expect(answer).to.deep.include({ status: 200, body: `the key for ${TOKEN}` });
    expect(manager.requests).to.have.length(1);
    const [seen] = manager.requests;
    expect(seen).to.include({ method: 'GET', url: TOKEN });
    expect(seen?.headers).to.include({ host: 'new.example.com:80', 'x-forwarded-proto': 'http' });
  });

  for (const host of ['203.0.113.7', '203.0.113.7:80', '[2001:db8::1]']) {
    it(`hands over challenges of the address ${host}, and answers 400 to whatever else is asked of it`, async () => {
      const answer = await askPlain(port, `GET ${TOKEN} HTTP/1.1`, [`Host: ${host}`]);
      expect(answer).to.deep.include({ status: 200, body: `the key for ${TOKEN}` });
      expect(manager.requests[0]?.headers).to.include({ host });
      for (const path of ['/', WHOAMI, '/.well-known/acme-challenge/', `${TOKEN}/x`]) {
        const { status, headers } = await askPlain(port, `GET ${path} HTTP/1.1`, [`Host: ${host}`]);
        expect(status, path).to.equal(400);
        expect(headers).not.to.have.property('location');
      }
      expect(manager.requests).to.have.length(1);
    });
  }

  it('lets the manager see whether it can be reached: whoami, and nothing that would be a change', async () => {
    const answer = await askPlain(port, `GET ${WHOAMI}?a=b HTTP/1.1`, ['Host: a.test']);
    expect(answer).to.deep.include({ status: 200, body: `the key for ${WHOAMI}?a=b` });
    const { status, body } = await askPlain(port, `HEAD ${WHOAMI} HTTP/1.1`, ['Host: a.test']);
    expect([status, body]).to.deep.equal([200, '']);
    const posted = await askPlain(port, `POST ${WHOAMI} HTTP/1.1`, ['Host: a.test', 'Content-Length: 0']);
    expect([posted.status, posted.headers['allow']]).to.deep.equal([405, 'GET, HEAD']);
    expect(manager.requests.map(({ method, url }) => `${method} ${url}`)).to.deep.equal([
      `GET ${WHOAMI}?a=b`,
      `HEAD ${WHOAMI}`,
    ]);
  });

  it('hands over no challenge with a body', async () => {
    for (const field of ['Content-Length: 5', 'Transfer-Encoding: chunked']) {
      const { status } = await askPlain(port, `GET ${TOKEN} HTTP/1.1`, ['Host: a.test', field]);
      expect(status).to.equal(400);
    }
    expect(manager.requests).to.deep.equal([]);
  });

  it('answers 400 where the host is no name and no address, to whatever is asked', async () => {
    const passed: string[] = [];
    for (const [what, host] of HOSTILE_HOSTS) {
      for (const path of [TOKEN, '/x', `${ROOT}/status`]) {
        const { status } = await askPlain(port, `GET ${path} HTTP/1.1`, [`Host: ${host}`]);
        if (status !== 400) passed.push(`${what}: ${status} for ${path}`);
      }
    }
    expect(passed).to.deep.equal([]);
    expect(manager.requests).to.deep.equal([]);
  });

  it('hands over no challenge that would be a change', async () => {
    const answer = await askPlain(port, `POST ${TOKEN} HTTP/1.1`, ['Host: a.test', 'Content-Length: 0']);
    expect(answer.status).to.equal(405);
    expect(answer.headers['allow']).to.equal('GET, HEAD');
    expect(manager.requests).to.deep.equal([]);
  });

  const notChallenges = [
    '/.well-known/acme-challenge/',
    '/.well-known/acme-challenge/../peter_sslers/domains',
    '/.well-known/acme-challenge/%2e%2e/peter_sslers/domains',
    '/.well-known/acme-challenge/a/../../peter_sslers/domains',
    '/.well-known/acme-challenge/a%2Fb',
    '/.well-known/acme-challenge//a',
    '/.well-known/acme-challenge/a;b',
    '/.well-known/acme-challenge/a%00',
    '/.well-known//acme-challenge/a',
    '/.well-known/%61cme-challenge/a',
    '/.Well-Known/acme-challenge/a',
    '/x/../.well-known/acme-challenge/a',
    '/.well-known/peter_sslers/domains',
  ];
  for (const path of notChallenges) {
    it(`takes ${path} for no challenge: it does not reach the manager`, async () => {
      const answer = await askPlain(port, `GET ${path} HTTP/1.1`, ['Host: a.test']);
      expect(answer.status).to.equal(308);
      expect(answer.headers['location']).to.equal(`https://a.test${path}`);
      expect(manager.requests).to.deep.equal([]);
    });
  }

  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    it(`redirects ${method} to https, with path and query and without the port`, async () => {
      const { status, headers, body } = await askPlain(port, `${method} /a/b?c=d&e=%2F HTTP/1.1`, [
        'Host: WWW.Example.com.:8080',
      ]);
      expect(status).to.equal(308);
      expect(headers['location']).to.equal('https://www.example.com/a/b?c=d&e=%2F');
      expect(body).to.equal(method === 'HEAD' ? '' : '308 Permanent Redirect\n');
      expect(headers).not.to.have.property('strict-transport-security');
      expect(backend.requests).to.deep.equal([]);
    });
  }

  it('redirects a request with a body, and to the host of a target in absolute form', async () => {
    const answer = await askPlain(port, 'POST http://other.test/p HTTP/1.1', [
      'Host: a.test',
      'Content-Length: 5',
      '',
      'hello',
    ]);
    expect(answer.status).to.equal(308);
    expect(answer.headers['location']).to.equal('https://other.test/p');
  });

  const badHosts: [what: string, fields: string[]][] = [
    ['none', []],
    ['an empty one', ['Host: ']],
    ['two', ['Host: a.test', 'Host: b.test']],
    ['a number', ['Host: 12']],
    ['a user name', ['Host: a.test@evil.test']],
    ['a path', ['Host: a.test/evil']],
    ['a space', ['Host: a.test evil.test']],
    ['a percent sign', ['Host: a%2etest']],
    ['letters beyond ASCII', ['Host: \xe4.test']],
    ['a label too long', [`Host: ${'a'.repeat(64)}.test`]],
  ];
  for (const [what, fields] of badHosts) {
    it(`answers 400 to a Host that is ${what}, challenge or not`, async () => {
      for (const path of ['/', TOKEN]) {
        const { status, headers } = await askPlain(port, `GET ${path} HTTP/1.1`, fields);
        expect(status).to.equal(400);
        expect(headers).not.to.have.property('location');
      }
      expect(manager.requests).to.deep.equal([]);
    });
  }

  it("answers the manager's recorded requests to the admin routes, by address too", async () => {
    for (const file of ['pool-001-ok-expire-wire.json', 'pool-004-ok-status-wire.json']) {
      const url = new URL(`../../fixtures/manager/http/${file}`, import.meta.url);
      const { request } = JSON.parse(readFileSync(url, 'utf8')) as {
        request: { method: string; path: string; headers: Record<string, string> };
      };
      const fields = Object.entries(request.headers)
        .filter(([name]) => name !== 'Connection')
        .map(([name, value]) => `${name}: ${value}`);
      const answer = await askPlain(port, `${request.method} ${request.path} HTTP/1.1`, fields);
      expect(answer.status, file).to.equal(200);
      expect(answer.headers).to.include({ 'x-peter-sslers': '0.5.0', 'content-type': 'application/json' });
      expect(JSON.parse(answer.body)).to.include({ result: 'success', server: 'peter_sslers:openresty' });
    }
  });

  it('answers the admin routes to nobody without the password', async () => {
    for (const path of [`${ROOT}/status`, '/x/..//.peter_sslers/nginx/shared_cache/status']) {
      const { status, headers } = await askPlain(port, `GET ${path} HTTP/1.1`, ['Host: 127.0.0.1']);
      expect(status).to.equal(401);
      expect(headers['www-authenticate']).to.match(/^Basic/);
    }
  });

  it('keeps a connection for the next request', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
    );
    let text = '';
    for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
    expect(text.match(/location: .*/g)).to.deep.equal([
      'location: https://a.test/1',
      'location: https://a.test/2',
    ]);
  });

  it('stays where it is through a reload, with the manager of the new settings, and connections stay too', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      await using old = await startBackend((_, response) => response.end('the old one'));
      const config = join(dir, 'config.json');
      await writeFile(config, JSON.stringify({ 'fallback-server': `${old.url}/admin` }));
      await using other = await startProgram([...FLAGS, '--config', config, '--workers', '2']);
      const otherPort = plainPort(other);
      const kept = connect(otherPort, '127.0.0.1');
      await once(kept, 'connect');
      const challenge = async (): Promise<string> =>
        (await askPlain(otherPort, `GET ${TOKEN} HTTP/1.1`, ['Host: a.test'])).body;
      expect(await challenge()).to.equal('the old one');
      await writeFile(config, JSON.stringify({ 'fallback-server': `${manager.url}/admin` }));
      await other.reload();
      expect(await challenge()).to.equal(`the key for ${TOKEN}`);
      kept.write('GET /kept HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
      let text = '';
      for await (const chunk of kept.setEncoding('latin1')) text += String(chunk);
      expect(text).to.include('https://a.test/kept');
    } finally {
      await remove();
    }
  });

  it('has no challenges without a manager, and 502 where the manager is away', async () => {
    await using alone = await startProgram(FLAGS);
    for (const path of [TOKEN, WHOAMI]) {
      const { status } = await askPlain(plainPort(alone), `GET ${path} HTTP/1.1`, ['Host: a.test']);
      expect(status).to.equal(404);
    }
    await using away = await startProgram([...FLAGS, '--fallback-server', 'http://127.0.0.1:9/x']);
    expect((await askPlain(plainPort(away), `GET ${TOKEN} HTTP/1.1`, ['Host: a.test'])).status).to.equal(502);
  });

  it('goes to a manager with TLS by the authority that it is given', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const ca = await makeTestCa();
      const { chainPem, keyPem } = await ca.issue(['127.0.0.1', 'localhost']);
      await using secure = await startBackend((_, response) => response.end('over TLS'), {
        tls: { cert: chainPem, key: keyPem },
      });
      await writeFile(join(dir, 'ca.pem'), ca.rootPem);
      const root = secure.url.replace('127.0.0.1', 'localhost');
      await using trusting = await startProgram([
        ...FLAGS,
        ...['--fallback-server', `${root}/x`, '--fallback-ca', join(dir, 'ca.pem')],
      ]);
      const answer = await askPlain(plainPort(trusting), `GET ${TOKEN} HTTP/1.1`, ['Host: a.test']);
      expect(answer).to.deep.include({ status: 200, body: 'over TLS' });
      await using doubting = await startProgram([...FLAGS, '--fallback-server', `${root}/x`]);
      const refused = await askPlain(plainPort(doubting), `GET ${TOKEN} HTTP/1.1`, ['Host: a.test']);
      expect(refused.status).to.equal(502);
    } finally {
      await remove();
    }
  });

  it('takes the client from a PROXY header where the peer must send one', async () => {
    await using behind = await startProgram([
      ...FLAGS,
      ...['--accept-proxy-protocol', '127.0.0.1', '--fallback-server', manager.url],
    ]);
    const header = 'PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n';
    const answer = await askPlain(plainPort(behind), `${header}GET ${TOKEN} HTTP/1.1`, ['Host: a.test']);
    expect(answer.status).to.equal(200);
    expect(manager.requests[0]?.headers).to.include({ 'x-forwarded-for': '192.0.2.7' });

    // In pieces, the request behind the header's end.
    const socket = connect(plainPort(behind), '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    for (const piece of [header.slice(0, 20), header.slice(20), 'GET /x HTTP/1.1\r\nHost: a.test\r\n']) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    socket.write('Connection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
    expect(text).to.include('https://a.test/x');

    // One that sends none is closed unanswered.
    const bare = connect(plainPort(behind), '127.0.0.1');
    bare.on('error', () => undefined);
    await once(bare, 'connect');
    bare.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    text = '';
    bare.on('data', (chunk) => (text += String(chunk)));
    await once(bare, 'close');
    expect(text).to.equal('');
  });

  it('listens on a unix socket too, and says which flag names an address in use', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const socketPath = join(dir, 'http.sock');
      await using unix = await startProgram(['--http-listen', `unix:${socketPath}`]);
      expect(unix.stdout).to.include(`unix:${socketPath}`);
      const answer = await askPlain(socketPath, 'GET / HTTP/1.1', ['Host: a.test']);
      expect(answer.status).to.equal(308);
      await using second = await spawnProgram(['--http-listen', `127.0.0.1:${port}`]);
      expect((await second.exited).code).not.to.equal(0);
      expect(second.stderr).to.include(`--http-listen 127.0.0.1:${port}`);
    } finally {
      await remove();
    }
  });

  it('ends with the program, finishing the challenge that is under way', async () => {
    let answer: (() => void) | undefined;
    await using slow = await startBackend((_, response) => {
      answer = () => response.end('late');
    });
    await using ending = await startProgram([...FLAGS, '--fallback-server', slow.url]);
    const asked = new Promise<string>((resolve, reject) => {
      httpRequest({ port: plainPort(ending), path: TOKEN, headers: { host: 'a.test' } }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk))).on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    await once(slow.server, 'request');
    ending.kill('SIGTERM');
    await ending.logged('stopping');
    answer?.();
    expect(await asked).to.equal('late');
    expect((await ending.exited).code).to.equal(0);
  });
});
