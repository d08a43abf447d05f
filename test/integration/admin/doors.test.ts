/**
 * Who gets to the admin routes, and that nothing under their prefix gets to a backend.
 */
import { expect } from 'chai';
import { admin, ADMIN_FLAGS, ROOT } from '../../support/admin.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { request } from '../../support/client.js';
import { startProgram } from '../../support/program.js';

const CONFUSING = [
  `/${ROOT}/status`,
  `//${ROOT}//status`,
  '/%2Epeter_sslers/nginx/shared_cache/status',
  '/%2epeter%5Fsslers/nginx/shared_cache/status',
  '/.peter_sslers%2Fnginx/shared_cache/status',
  '/%252Epeter_sslers/nginx/shared_cache/status',
  '/x/..%2F.peter_sslers/nginx/shared_cache/status',
  `/x/..${ROOT}/status`,
  `/.${ROOT}/status`,
  '\\.peter_sslers\\nginx\\shared_cache\\status',
  '/.peter_sslers;x=1/nginx/shared_cache/status',
  `https://a.localhost${ROOT}/status`,
];

describe('The doors of the admin routes', () => {
  let backend: Backend;

  before(async () => {
    backend = await startBackend((_, response) => response.end('backend'));
  });
  after(() => backend[Symbol.asyncDispose]());

  it('are closed without a user file: 404, and the backend sees nothing of it', async () => {
    await using program = await startProgram(['--backend', backend.url]);
    const before = backend.requests.length;
    for (const path of ['/status', '/expire/all', '/expire/domain/a.localhost', '/', '', '/x']) {
      const { status, headers, body } = await admin(program, path);
      expect({ status, body }, path).to.deep.equal({ status: 404, body: '404 Not Found\n' });
      expect(headers).not.to.have.any.keys('x-peter-sslers', 'www-authenticate');
    }
    expect(backend.requests).to.have.length(before);
    expect((await request({ port: program.port, name: 'a.localhost' })).body).to.equal('backend');
    expect(program.log.filter(({ msg }) => msg.startsWith('expired'))).to.deep.equal([]);
  });

  it('let no confusing spelling through to the backend, and none is a route', async () => {
    await using program = await startProgram([...ADMIN_FLAGS, '--backend', backend.url]);
    const before = backend.requests.length;
    for (const path of CONFUSING) {
      const { status } = await request({ port: program.port, name: 'a.localhost', path });
      expect(status, path).to.be.oneOf([400, 401]);
      const known = await request({ port: program.port, name: 'a.localhost', path, auth: 'peter:sslers' });
      if (path.startsWith('https:')) expect(known.status, path).to.equal(200);
      else expect(known.status, path).to.be.oneOf([400, 404]);
    }
    expect(backend.requests).to.have.length(before);
  });

  it('have no stream of events where clients come in: 204, without a length', async () => {
    await using program = await startProgram([...ADMIN_FLAGS]);
    const { status, headers, body } = await admin(program, '/.peter_sslers/proxy/events');
    expect({ status, body }).to.deep.equal({ status: 204, body: '' });
    expect(headers).not.to.have.any.keys('content-length', 'transfer-encoding');
  });

  it('leave the backend what is only like the prefix', async () => {
    await using program = await startProgram([...ADMIN_FLAGS, '--backend', backend.url]);
    for (const path of ['/.peter_sslersx', '/x/.peter_sslers/nginx', '/.peter', `/?${ROOT}/status`]) {
      const { body } = await request({ port: program.port, name: 'a.localhost', path });
      expect(body, path).to.equal('backend');
    }
  });

  it('are where --admin-prefix says, and nowhere else', async () => {
    await using program = await startProgram([
      ...ADMIN_FLAGS,
      ...['--backend', backend.url, '--admin-prefix', '/.ops/tls/'],
    ]);
    const { status, json } = await admin(program, '/.ops/tls/nginx/shared_cache/status');
    expect(status).to.equal(200);
    expect(json).to.include({ result: 'success' });
    expect((await admin(program, '/status')).body).to.equal('backend');
  });

  it('are open for the hosts of --admin-host only, whatever the server name of the handshake', async () => {
    await using program = await startProgram([
      ...ADMIN_FLAGS,
      ...['--backend', backend.url, '--admin-host', 'Ops.localhost', '--admin-host', '127.0.0.1'],
    ]);
    const before = backend.requests.length;
    for (const host of ['ops.localhost', 'OPS.localhost:8443', 'ops.localhost.', '127.0.0.1:7599']) {
      const { status } = await admin(program, '/status', { name: 'a.localhost', headers: { host } });
      expect(status, host).to.equal(200);
    }
    for (const host of ['a.localhost', 'ops.localhost.evil.test', '127.0.0.2']) {
      const { status, headers } = await admin(program, '/status', {
        name: 'ops.localhost',
        headers: { host },
      });
      expect(status, host).to.equal(404);
      expect(headers).not.to.have.any.keys('x-peter-sslers', 'www-authenticate');
    }
    expect(backend.requests).to.have.length(before);
  });
});
