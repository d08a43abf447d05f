import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { SERVER_NAME } from '../../../lib/admin/routes.js';
import { VERSION } from '../../../lib/base/version.js';
import { ProxyError } from '../../../lib/domain/errors.js';
import { build, ROOT, SERVER } from './routes-stage.js';

interface Wire {
  request: { method: string; path: string; headers: Record<string, string> };
  response: { status: number; headers: Record<string, string>; body: string };
}
const wire = (name: string): Wire =>
  JSON.parse(
    readFileSync(new URL(`../../fixtures/manager/http/${name}-wire.json`, import.meta.url), 'utf8'),
  ) as Wire;

describe('the admin routes', () => {
  describe('towards the manager', () => {
    for (const name of [
      'pool-001-ok-expire',
      'pool-003-ok-flush',
      'pool-004-ok-status',
      'pool-050-https-expire',
      'pool-052-https-status',
      'pool-091-no-cert-expire',
    ]) {
      it(`answer the recorded request ${name} as the original did, byte for byte`, async () => {
        const { request, response } = wire(name);
        const { ask } = build();
        const answer = await ask(request.path, {
          host: request.headers['Host'],
          authorization: request.headers['Authorization'],
          browser: request.headers,
        });
        expect(answer.status).to.equal(response.status);
        expect(answer.headers).to.include({
          'content-type': 'application/json',
          'x-peter-sslers': response.headers['x-peter-sslers'],
        });
        expect(JSON.parse(answer.body)).to.deep.equal(JSON.parse(response.body));
        expect(answer.body).to.equal(response.body);
      });
    }

    it('answer what is no route as the original did, byte for byte', async () => {
      const { ask } = build();
      expect((await ask(`${ROOT}/nothing`)).body).to.equal(wire('pool-012-404-error-flush').response.body);
    });

    it('expire the wildcard that the original could not', async () => {
      const { ask, calls } = build();
      expect((await ask(wire('pool-090-wildcard-expire').request.path)).status).to.equal(200);
      expect(calls).to.deep.equal(['*.wild.example.com']);
    });

    it('carry the version of the package', () => {
      const { version } = JSON.parse(
        readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
      ) as { version: string };
      expect(VERSION).to.equal(version);
      expect(SERVER_NAME).to.equal('peter_sslers:openresty');
    });

    it('report durations in seconds, with decimals where there are any', async () => {
      const { ask } = build({
        config: { certCacheDurationMs: 1_500, lruCacheDurationMs: 250, lruMaxItems: 7 },
      });
      expect(JSON.parse((await ask(`${ROOT}/status`)).body)).to.have.deep.property('config', {
        expiries: { 'ngx.shared.cert_cache': 1.5, 'resty.lrucache': 0.25 },
        maxitems: { 'resty.lrucache': 7 },
      });
    });

    it('say how many workers were told, where that is known', async () => {
      const { ask } = build({}, { workers: 4, acknowledged: 3 });
      expect(JSON.parse((await ask(`${ROOT}/expire/all`)).body)).to.deep.equal({
        ...{ result: 'success', expired: 'all', ...SERVER },
        ...{ workers: 4, acknowledged: 3 },
      });
      expect(JSON.parse((await ask(`${ROOT}/expire/domain/a.test`)).body)).to.include({ acknowledged: 3 });
    });
  });

  describe('reading what is asked', () => {
    const names: [sent: string, name: string][] = [
      ['WWW.Example.COM', 'www.example.com'],
      ['www.example.com.', 'www.example.com'],
      ['*.example.com', '*.example.com'],
      ['%2A.example.com', '*.example.com'],
      ['%2a%2eexample%2Ecom', '*.example.com'],
      ['a_b.example.com?x=1', 'a_b.example.com'],
      ['192.0.2.1', '192.0.2.1'],
      ['2001:DB8:0::1', '2001:db8::1'],
      ['%3A%3Affff%3A192.0.2.1', '192.0.2.1'],
    ];
    for (const [sent, name] of names) {
      it(`expire ${name} for ${sent}`, async () => {
        const { ask, calls } = build();
        const { status, body } = await ask(`${ROOT}/expire/domain/${sent}`);
        expect(status).to.equal(200);
        expect(JSON.parse(body)).to.deep.equal({
          ...{ result: 'success', expired: 'domain', domain: name },
          ...SERVER,
        });
        expect(calls).to.deep.equal([name]);
      });
    }

    for (const sent of [
      '192.0.2.256',
      '127.1',
      '12345',
      'a..b',
      '-a.test',
      'a%20b.test',
      '%ff.test',
      '%',
      '*',
      'a*.test',
      'a.test%2fb',
      'b%C3%BCcher.test',
      'a.test:443',
    ]) {
      it(`answer 400 to the name ${sent}`, async () => {
        const { ask, calls } = build();
        const { status, headers, body } = await ask(`${ROOT}/expire/domain/${sent}`);
        expect(status).to.equal(400);
        expect(headers).to.include({ 'content-type': 'application/json', 'x-peter-sslers': VERSION });
        expect(JSON.parse(body)).to.deep.equal({
          ...{ result: 'error', expired: 'None', reason: 'Not a domain name' },
          ...SERVER,
        });
        expect(calls).to.deep.equal([]);
      });
    }

    for (const path of [
      '/.peter_sslers',
      '/.peter_sslers/',
      '/.peter_sslers/nginx',
      `${ROOT}/expire`,
      `${ROOT}/expire/`,
      `${ROOT}/expire/domain`,
      `${ROOT}/expire/domain/`,
      `${ROOT}/expire/domain/?x`,
      `${ROOT}/expire/domain/a.test/`,
      `${ROOT}/expire/domain/a.test/b`,
      `${ROOT}/expire/all/`,
      `${ROOT}/status/x`,
      '/%2epeter_sslers/nginx/shared_cache/expire/all',
      `/x/..${ROOT}/expire/all`,
      `/${ROOT}/expire/all`,
    ]) {
      it(`answer 404 to ${path} and do nothing`, async () => {
        const { owns, ask, calls } = build();
        expect(owns(path)).to.equal(true);
        const { status, headers, body } = await ask(path);
        expect(status).to.equal(404);
        expect(headers).to.include({ 'content-type': 'application/json', 'x-peter-sslers': VERSION });
        expect(JSON.parse(body)).to.include({ result: 'error', expired: 'None', reason: 'Unknown URI' });
        expect(body.endsWith('}\n')).to.equal(true);
        expect(calls).to.deep.equal([]);
      });
    }

    it('ignore the query, but for hard=1', async () => {
      const { ask, calls } = build();
      for (const query of ['', '?', '?x=1', '?hard', '?hard=0', '?hard=1', '?x&hard=1&y']) {
        expect((await ask(`${ROOT}/expire/all${query}`)).status).to.equal(200);
      }
      expect((await ask(`${ROOT}/status?hard=1`)).status).to.equal(200);
      expect(calls).to.deep.equal(['all', 'all', 'all', 'all', 'all', 'all, hard', 'all, hard', 'status']);
    });

    it('answer a target in absolute form', async () => {
      const { owns, ask } = build();
      const target = `http://127.0.0.1:8080${ROOT}/status`;
      expect(owns(target)).to.equal(true);
      expect((await ask(target)).status).to.equal(200);
    });
  });

  describe('with other methods', () => {
    it('answer HEAD of status like GET, without the body', async () => {
      const { ask } = build();
      const head = await ask(`${ROOT}/status`, { method: 'HEAD' });
      expect(head).to.deep.equal({ ...(await ask(`${ROOT}/status`)), body: '' });
    });

    for (const [path, method, allow] of [
      ['status', 'POST', 'GET, HEAD'],
      ['status', 'DELETE', 'GET, HEAD'],
      ['expire/all', 'POST', 'GET'],
      ['expire/all', 'HEAD', 'GET'],
      ['expire/domain/a.test', 'HEAD', 'GET'],
      ['expire/domain/a.test', 'PURGE', 'GET'],
      ['expire/domain/1', 'PUT', 'GET'],
    ] as const) {
      it(`answer 405 to ${method} ${path} and do nothing`, async () => {
        const { ask, calls } = build();
        const { status, headers } = await ask(`${ROOT}/${path}`, { method });
        expect([status, headers['allow']]).to.deep.equal([405, allow]);
        expect(calls).to.deep.equal([]);
      });
    }
  });

  it('answer 503 when the primary does not', async () => {
    const late = () => Promise.reject(new ProxyError('ERR_BUS_DEADLINE', 'the primary did not answer'));
    const { ask } = build({ actions: { status: late, expireAll: late, expireDomain: late, operate: late } });
    for (const path of ['status', 'expire/all', 'expire/domain/a.test']) {
      const { status, body } = await ask(`${ROOT}/${path}`);
      expect(status).to.equal(503);
      expect(JSON.parse(body)).to.deep.equal({
        ...{ result: 'error', expired: 'None', reason: 'the primary did not answer' },
        ...SERVER,
      });
    }
  });

  it('leave every other path to the backends', () => {
    const { owns } = build();
    for (const path of ['/', '/index.html', '/.peter_sslersx', '/a%2fb', 'http://any.test/']) {
      expect(owns(path), path).to.equal(false);
    }
  });
});
