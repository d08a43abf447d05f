import { expect } from 'chai';
import { withoutRestart, workerSettings } from '../../../lib/primary/derived-settings.js';
import { load } from '../config/stage.js';
import { serverAt } from '../../support/servers.js';

const PAIR = { chainPem: 'chain', keyPem: 'key' };

describe('The settings of a worker', () => {
  it('hold all that it needs for traffic, and of each listener its own default certificates', () => {
    const { settings } = load({
      flags: {
        listen: ['127.0.0.1:1', '127.0.0.1:2'],
        backend: 'tcp://h:1',
        'send-proxy-protocol': 'v2',
        'accept-proxy-protocol': '::1',
        'unknown-name': 'reject',
        'access-log': '-',
        hsts: 'max-age=1',
      },
    });
    const [first, ...others] = settings.listen;
    if (first === undefined) throw new Error('it listens nowhere');
    const listen = [{ ...first, defaultPairs: [PAIR] }, ...others];
    const worker = workerSettings({ ...settings, listen }, [PAIR, PAIR], ['bmV3', 'b2xk']);
    expect(worker).to.deep.include({
      routes: settings.routes,
      sendProxyProtocol: 'v2',
      acceptProxyProtocol: ['::1'],
      unknownName: 'reject',
      headers: { trustedProxies: [], via: false, forwardTlsInfo: false, hsts: 'max-age=1' },
      limits: settings.limits,
      accessLog: { format: 'common' },
      listenerPairs: [[PAIR], null],
      defaultPairs: [PAIR, PAIR],
      ticketKeys: ['bmV3', 'b2xk'],
    });
  });

  it('hold the origin of the manager, without its prefix and without its credentials', () => {
    const { settings } = load({
      flags: { 'fallback-server': 'https://ann:secret@manager.test:7201/.well-known/peter_sslers/' },
    });
    expect(workerSettings(settings, [PAIR], []).challenges).to.deep.equal({
      servers: [serverAt('https://manager.test:7201')],
    });
  });

  it('hold the servers for challenges that were named instead, and no manager that was not', () => {
    const servers = ['http://127.0.0.1:7202', 'http://127.0.0.1:7201'];
    for (const fallback of [{}, { 'fallback-server': 'https://manager.test/x' }]) {
      const { settings } = load({ flags: { ...fallback, 'challenge-server': servers } });
      expect(workerSettings(settings, [PAIR], []).challenges).to.deep.equal({
        servers: servers.map((origin) => serverAt(origin)),
      });
    }
    expect(workerSettings(load().settings, [PAIR], []).challenges).to.deep.equal({ servers: [] });
  });

  it('cross the bus unchanged', () => {
    const backend = ['https://b.test:8443', 'x.test=unix:/run/b.sock', 'y.test=h2://[::1]:1'];
    const { settings } = load({ flags: { backend, 'fallback-server': 'https://manager.test:7201/x' } });
    const worker = workerSettings(settings, [PAIR], ['bmV3', 'b2xk']);
    expect(structuredClone(worker)).to.deep.equal(worker);
    expect(JSON.parse(JSON.stringify(worker))).to.deep.equal(worker);
  });
});

describe('What a reload leaves as it was', () => {
  const FLAGS = { listen: '127.0.0.1:1', 'http-listen': '127.0.0.1:2', 'state-dir': '/s', 'pid-file': '/p' };

  it('is where the program listens and what it keeps on disk', () => {
    const before = load({ flags: FLAGS }).settings;
    const after = load({ flags: { listen: 'unix:/l', backend: 'http://b', via: 'true' } }).settings;
    const kept = withoutRestart(before, after);
    expect(kept).to.deep.include({
      listen: before.listen,
      httpListen: before.httpListen,
      stateDir: '/s',
      pidFile: '/p',
    });
    expect([kept.routes, kept.headers]).to.deep.equal([after.routes, after.headers]);
  });

  it('is no pid file where there was none', () => {
    const kept = withoutRestart(load().settings, load({ flags: FLAGS }).settings);
    expect(kept).to.not.have.property('pidFile');
  });
});
