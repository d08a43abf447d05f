import { expect } from 'chai';
import { VERSION } from '../../../lib/base/version.js';
import { authenticator, build, RIGHT, ROOT, SERVER, WRONG } from './routes-stage.js';

describe('the doors of the admin routes', () => {
  describe('with a password', () => {
    for (const [path, method] of [
      [`${ROOT}/status`, 'GET'],
      [`${ROOT}/nothing`, 'GET'],
      [`${ROOT}/expire/all`, 'POST'],
      [`${ROOT}/expire/domain/1`, 'GET'],
    ] as const) {
      it(`ask for a password before anything else: ${method} ${path}`, async () => {
        const { ask, calls } = build();
        for (const authorization of [undefined, WRONG, 'Bearer x']) {
          const { status, headers } = await ask(path, { method, authorization });
          expect(status).to.equal(401);
          expect(headers['www-authenticate']).to.equal('Basic realm="peter_sslers", charset="UTF-8"');
        }
        expect(calls).to.deep.equal([]);
      });
    }

    it('let an address that has failed too often wait, whatever it asks for', async () => {
      const { ask, calls } = build();
      for (let i = 0; i < 5; i++)
        expect((await ask('/.peter_sslers', { authorization: WRONG })).status).to.equal(401);
      for (const path of ['/status', '/expire/all', '/expire/domain/1', '/nothing']) {
        for (const authorization of [WRONG, RIGHT]) {
          const { status, headers, body } = await ask(ROOT + path, { authorization });
          expect([status, headers['retry-after'], headers['www-authenticate']]).to.deep.equal([
            429,
            '1',
            undefined,
          ]);
          expect(JSON.parse(body)).to.deep.equal({
            ...{ result: 'error', expired: 'None', reason: 'Too many passwords from this address' },
            ...SERVER,
          });
        }
      }
      expect(calls).to.deep.equal([]);
      expect((await ask(`${ROOT}/status`, { authorization: undefined })).status, 'no guess').to.equal(401);
      expect((await ask(`${ROOT}/status`, { client: '192.0.2.2' })).status).to.equal(200);
      expect((await ask(`${ROOT}/status`)).status, 'a remembered password').to.equal(200);
    });

    it('answer 503 with Retry-After when too many passwords are being checked', async () => {
      const { ask } = build({ authenticator: authenticator(() => new Promise(() => undefined)) });
      const guess = (i: number) => ({
        authorization: `Basic ${Buffer.from(`mary:${i}`).toString('base64')}`,
        client: `192.0.2.${i}`,
      });
      // One under way and 32 waiting, the first of which has to go.
      const answers = Array.from({ length: 34 }, (_, i) => ask(`${ROOT}/status`, guess(i)));
      const { status, headers, body } = await answers[1]!;
      expect([status, headers['retry-after']]).to.deep.equal([503, '1']);
      expect(JSON.parse(body)).to.include({
        result: 'error',
        reason: 'Too many passwords are being checked',
      });
    });

    it('answer 204 to who wants a stream, which makes browsers ask for none again, and 401 without the password', async () => {
      const { ask, calls } = build();
      const path = '/.peter_sslers/proxy/events';
      expect(await ask(path)).to.include({ status: 204, body: '' });
      expect(await ask(path, { authorization: undefined })).to.include({ status: 401 });
      expect(await ask(path, { method: 'POST' })).to.include({ status: 404 });
      expect(calls).to.deep.equal([]);
    });

    it('answer 503 when a password could not be checked', async () => {
      const { ask } = build({ authenticator: authenticator(() => Promise.reject(new Error('gone'))) });
      const { status } = await ask(`${ROOT}/status`, {
        authorization: `Basic ${Buffer.from('mary:x').toString('base64')}`,
      });
      expect(status).to.equal(503);
    });

    it('are not there without a user file, though their paths stay reserved', async () => {
      const { owns, ask, calls } = build({}, {}, false);
      expect(owns(`${ROOT}/status`)).to.equal(true);
      for (const authorization of [RIGHT, undefined]) {
        const answer = await ask(`${ROOT}/status`, { authorization });
        expect(answer.status).to.equal(404);
        expect(JSON.stringify(answer)).not.to.match(/peter|sslers/i);
      }
      expect(calls).to.deep.equal([]);
    });

    it('are there without a password where the door is trusted', async () => {
      const { ask } = build({ trusted: true, hosts: ['admin.test'] }, {}, false);
      expect((await ask(`${ROOT}/status`, { host: undefined, authorization: undefined })).status).to.equal(
        200,
      );
    });

    for (const [host, isListed] of [
      ['admin.test', true],
      ['ADMIN.test.:8443', true],
      ['[0:0::1]:8443', true],
      ['192.0.2.7', true],
      ['other.test', false],
      ['x.admin.test', false],
      ['', false],
      [undefined, false],
    ] as const) {
      it(`are ${isListed ? '' : 'not '}there for the host ${host ?? '(none)'}, where hosts are listed`, async () => {
        const { owns, ask, calls } = build({ hosts: ['Admin.test', '::1', '192.0.2.7:443'] });
        expect(owns(`${ROOT}/status`)).to.equal(true);
        for (const authorization of [RIGHT, undefined]) {
          const answer = await ask(`${ROOT}/status`, { host, authorization });
          if (isListed) expect(answer.status).to.equal(authorization === RIGHT ? 200 : 401);
          else expect([answer.status, answer.body]).to.deep.equal([404, '404 Not Found\n']);
        }
        expect(calls).to.have.length(isListed ? 1 : 0);
      });
    }

    it('go by the authority of an absolute target, not by the Host header', async () => {
      const { ask } = build({ hosts: ['admin.test'] });
      expect((await ask(`http://other.test${ROOT}/status`, { host: 'admin.test' })).status).to.equal(404);
      expect((await ask(`http://admin.test${ROOT}/status`, { host: 'other.test' })).status).to.equal(200);
    });
  });

  describe('asked by a browser', () => {
    const foreign = { 'sec-fetch-site': 'cross-site' };

    for (const path of ['/expire/all', '/expire/domain/a.test', '/expire/domain/1']) {
      it(`answer 403 to ${path} for a page of another site, and do nothing`, async () => {
        const { ask, calls } = build();
        const { status, headers, body } = await ask(ROOT + path, { browser: foreign });
        expect(status).to.equal(403);
        expect(headers).to.include({ 'content-type': 'application/json', 'x-peter-sslers': VERSION });
        expect(JSON.parse(body)).to.deep.equal({
          ...{ result: 'error', expired: 'None', reason: 'Sent by a page of another site' },
          ...SERVER,
        });
        expect(calls).to.deep.equal([]);
      });
    }

    it('answer 403 to why for a page of another site, and ask nobody; everything else that is only read is shown', async () => {
      const { ask, calls } = build();
      const root = '/.peter_sslers/proxy';
      expect((await ask(`${root}/why/a.test`, { browser: foreign })).status).to.equal(403);
      expect((await ask(`${root}/why/a.test`, { browser: foreign, method: 'HEAD' })).status).to.equal(403);
      expect(calls).to.deep.equal([]);
      for (const path of ['/status', '/snapshot', '/metrics', '/healthz', '/readyz', '/certificates', '/'])
        expect((await ask(root + path, { browser: foreign })).status, path).not.to.equal(403);
    });

    it('show the status, whatever page the link was on', async () => {
      const { ask } = build();
      expect((await ask(`${ROOT}/status`, { browser: foreign })).status).to.equal(200);
    });

    it('answer a page of another site without the password as everybody else', async () => {
      const { ask } = build({ hosts: ['any.test'] });
      const request = { method: 'POST', browser: foreign };
      for (const path of ['/expire/all', '/status', '/nothing']) {
        for (const authorization of [undefined, WRONG]) {
          const refused = await ask(ROOT + path, { ...request, authorization, client: path });
          expect(refused).to.deep.equal(await ask(ROOT + path, { authorization, client: path }));
          expect(refused.status).to.equal(401);
        }
        expect((await ask(ROOT + path, { ...request, host: 'other.test' })).body).to.equal('404 Not Found\n');
      }
      expect((await ask(`${ROOT}/nothing`, request)).status).to.equal(404);
      expect((await ask(`${ROOT}/expire/all`, request)).status).to.equal(405);
    });

    it('go by the authority of an absolute target', async () => {
      const { ask } = build();
      const browser = { origin: 'https://any.test' };
      expect((await ask(`https://other.test${ROOT}/expire/all`, { browser })).status).to.equal(403);
      expect(
        (await ask(`https://any.test${ROOT}/expire/all`, { browser, host: 'other.test' })).status,
      ).to.equal(200);
    });
  });
});
