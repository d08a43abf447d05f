/**
 * The admin routes, as the manager's pool of servers asks for them and takes their answers.
 */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { admin, ADMIN_FLAGS, CREDENTIALS, ROOT, SERVER, UNKNOWN_URI } from '../../support/admin.js';
import { request } from '../../support/client.js';
import { openStage, type Stage } from '../../support/stage.js';
import { startProgram, type Program } from '../../support/program.js';
import { visit } from '../../support/visit.js';

const RECORDINGS = new URL('../../fixtures/manager/http/', import.meta.url);

interface Wire {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
  };
}

/** What the manager has sent to a member of its pool and taken for a good answer of the original plugin. */
const good = readdirSync(RECORDINGS)
  .filter((file) => /^pool-.*-wire.*\.json$/.test(file))
  .map((file) => ({ file, ...(JSON.parse(readFileSync(new URL(file, RECORDINGS), 'utf8')) as Wire) }))
  .filter(
    ({ request: { path }, response: { status, headers, body } }) =>
      path.startsWith(ROOT) &&
      status === 200 &&
      headers['x-peter-sslers'] === '0.5.0' &&
      body.startsWith('{"result": "success"') &&
      body.includes(`"server": "${SERVER.server}"`),
  );

describe('The admin routes, asked by the manager', () => {
  let stage: Stage;
  let program: Program;

  before(async () => {
    stage = await openStage();
    stage.manager.setCertificate('fresh.example.com', await stage.ca.issue(['fresh.example.com']));
    program = await startProgram([...ADMIN_FLAGS, ...stage.managerFlags]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await stage.close();
  });

  it('have good answers recorded for each of the three routes', () => {
    for (const path of [`${ROOT}/status`, `${ROOT}/expire/all`, `${ROOT}/expire/domain/fresh.example.com`]) {
      expect(good.filter(({ request: { path: recorded } }) => recorded === path)).not.to.deep.equal([]);
    }
  });

  for (const { file, request: recorded, response: expected } of good) {
    it(`answer ${file} as the original did`, async () => {
      if (recorded.path.endsWith('/status')) {
        // What the recorded member had in its cache; the reload, because the worker may know both without asking.
        await program.reload();
        await visit(program, 'fresh.example.com');
        await visit(program, 'nope.example.com');
      }
      const { Host: host = '', ...headers } = recorded.headers;
      const answer = await request({
        ...{ port: program.port, method: recorded.method, path: recorded.path },
        headers: { ...headers, host },
      });
      expect(answer.status).to.equal(200);
      expect(answer.headers).to.include({
        'content-type': 'application/json',
        'x-peter-sslers': '0.5.0',
        'content-length': String(Buffer.byteLength(answer.body)),
      });
      expect(JSON.parse(answer.body)).to.deep.equal(JSON.parse(expected.body));
    });
  }

  it('answer without a server name and with an IP address as Host', async () => {
    for (const host of ['127.0.0.1', `127.0.0.1:${program.port}`, '[::1]:8443']) {
      expect(await admin(program, '/status', { headers: { host } }), host).to.include({ status: 200 });
    }
  });

  it('answer on every host and with a query string', async () => {
    const { status, json } = await admin(program, '/status?when=now', { name: 'shop.localhost' });
    expect(status).to.equal(200);
    expect(json).to.include({ result: 'success', ...SERVER });
  });

  const names: [sent: string, name: string][] = [
    ['*.wild.example.com', '*.wild.example.com'],
    ['%2A.wild.example.com', '*.wild.example.com'],
    ['WWW.Example.COM', 'www.example.com'],
    ['www.example.com.', 'www.example.com'],
    ['%77ww.example.com', 'www.example.com'],
    ['a_b.example.com?x=1', 'a_b.example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['2001:DB8::0:1', '2001:db8::1'],
  ];
  for (const [sent, name] of names) {
    it(`expire ${name} when the path says ${sent}, cached or not`, async () => {
      const { status, json } = await admin(program, `/expire/domain/${sent}`);
      expect(status).to.equal(200);
      expect(json).to.deep.equal({ result: 'success', expired: 'domain', domain: name, ...SERVER });
      await program.logged('expired domain', { name });
    });
  }

  for (const sent of ['127.1', '42', 'a%20b', '%ff', 'a..b', '%00', '-']) {
    it(`refuse ${sent}, which is no name, with 400`, async () => {
      const { status, json } = await admin(program, `/expire/domain/${sent}`);
      expect(status).to.equal(400);
      expect(json).to.include({ result: 'error', expired: 'None', ...SERVER });
    });
  }

  for (const path of [
    ...['/expire', '/expire/', '/expire/domain', '/expire/domain/', '/expire/domain/a.test/x', '/x', '/'],
    ...['/status/', '/expire/all/', '/.peter_sslers', '/.peter_sslers/'],
  ]) {
    it(`answer 404 to ${path}, in the shape of the original`, async () => {
      const { status, headers, json } = await admin(program, path);
      expect(status).to.equal(404);
      expect(headers['x-peter-sslers']).to.equal('0.5.0');
      expect(json).to.deep.equal(UNKNOWN_URI);
    });
  }

  it('ask for a password without one and with a wrong one, whether the route exists or not', async () => {
    const expires = (): number => program.log.filter(({ msg }) => msg.startsWith('expired')).length;
    const before = expires();
    for (const [index, auth] of ['', 'peter:wrong', 'paul:sslers', `${CREDENTIALS} `, 'peter'].entries()) {
      // Each from an address of its own: one that fails too often is answered otherwise.
      const from = { port: program.port, localAddress: `127.0.0.${2 + index}` };
      for (const path of ['/status', '/nothing', '/expire/all']) {
        const options = auth === '' ? from : { ...from, auth };
        const { status, headers, body } = await request({ ...options, path: ROOT + path });
        expect(status, `${auth} ${path}`).to.equal(401);
        expect(headers['www-authenticate']).to.match(/^Basic realm="[^"]+"/);
        expect(body).not.to.include('success');
      }
    }
    expect(expires()).to.equal(before);
  });

  it('answer other methods with 405 and Allow, and do nothing', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, headers } = await admin(program, '/expire/domain/never.example.com', { method });
      expect({ status, allow: headers.allow }, method).to.deep.equal({ status: 405, allow: 'GET' });
    }
    // An expire is no thing to do for a method that is only to look.
    const { status, body } = await admin(program, '/expire/domain/never.example.com', { method: 'HEAD' });
    expect({ status, body }).to.deep.equal({ status: 405, body: '' });
    expect(program.log.filter(({ name }) => name === 'never.example.com')).to.deep.equal([]);
  });

  it('answer HEAD of the status with its fields and no body', async () => {
    const { status, headers, body } = await admin(program, '/status', { method: 'HEAD' });
    expect({ status, body }).to.deep.equal({ status: 200, body: '' });
    expect(headers).to.include({ 'content-type': 'application/json', 'x-peter-sslers': '0.5.0' });
  });
});
