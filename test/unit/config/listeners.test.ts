import { expect } from 'chai';
import { describeChanges } from '../../../lib/config/changes.js';
import { loadSettings } from '../../../lib/config/load.js';
import { addressText } from '../../../lib/domain/address.js';
import { withoutRestart } from '../../../lib/primary/derived-settings.js';
import { makeCertificates } from './certificate-files.js';
import { load, problemOf } from './stage.js';

const LONG = `/${'s'.repeat(107)}`;

for (const name of ['listen', 'http-listen'] as const) {
  describe(`--${name}`, () => {
    const read = (text: string | string[]) => {
      const { settings } = load({ flags: { [name]: text } });
      return name === 'listen' ? settings.listen : settings.httpListen;
    };
    const right: [text: string, address: unknown][] = [
      ['[::]:443', { host: '::', port: 443 }],
      ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
      ['8444', { host: '0.0.0.0', port: 8444 }],
      [':8444', { host: '0.0.0.0', port: 8444 }],
      ['*:8444', { host: '0.0.0.0', port: 8444 }],
      ['localhost:443', { host: '127.0.0.1', port: 443 }],
      ['LocalHost:443', { host: '127.0.0.1', port: 443 }],
      ['unix:/run/p.sock', { socketPath: '/run/p.sock' }],
      ['unix:///run/p.sock', { socketPath: '/run/p.sock' }],
    ];
    for (const [text, address] of right) {
      it(`reads ${text}`, () => {
        expect(read(text)).to.deep.equal([address]);
      });
    }

    it('takes port 0 of one address more than once', () => {
      expect(read(['127.0.0.1:0', '127.0.0.1:0'])).to.have.length(2);
    });

    const onIpv6: [text: string, addresses: string[]][] = [
      ['8444', ['[::]:8444']],
      [':8444', ['[::]:8444']],
      ['*:8444', ['[::]:8444']],
      ['0.0.0.0:8444', ['0.0.0.0:8444']],
      ['localhost:443', ['127.0.0.1:443', '[::1]:443']],
      // Each would have a port of its own.
      ['localhost:0', ['127.0.0.1:0']],
    ];
    for (const [text, addresses] of onIpv6) {
      it(`reads ${text} as ${addresses.join(' and ')} where there is IPv6`, () => {
        const { settings } = load({ flags: { [name]: text }, hasIpv6: true });
        const read = name === 'listen' ? settings.listen : settings.httpListen;
        expect(read.map(addressText)).to.deep.equal(addresses);
      });
    }

    const HOST =
      'must be an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443, or localhost:8443, or a port alone';
    const wrong: [text: string, clause: string][] = [
      ['example.com:443', HOST],
      ['localhost', HOST],
      ['127.0.0.1', HOST],
      ['[localhost]:443', HOST],
      ['[*]:443', HOST],
      ['[]:443', HOST],
      ['443a', HOST],
      ['65536', HOST],
      ['*', HOST],
      ['::1:8443', HOST],
      ['[127.0.0.1]:1', HOST],
      ['127.0.0.1:65536', HOST],
      ['unix:relative', 'must have an absolute path after "unix:"'],
      ['unix:', 'must have an absolute path after "unix:"'],
    ];
    for (const [text, clause] of wrong) {
      it(`refuses ${text}`, () => {
        expect(problemOf({ flags: { [name]: text } })).to.equal(`--${name} ${clause}, not "${text}"`);
      });
    }

    it('refuses the path of a socket that is longer than the system allows', () => {
      expect(problemOf({ flags: { [name]: `unix:${LONG}` } })).to.match(
        new RegExp(`^--${name} must have a path of 107 bytes at most after "unix:", not `),
      );
    });

    for (const text of ['127.0.0.1:1', 'unix:/s', '[::1]:1']) {
      it(`refuses ${text} twice`, () => {
        expect(problemOf({ flags: { [name]: [text, text] } })).to.equal(
          `--${name} names ${text}, which is listened on already`,
        );
      });
    }
  });
}

describe('--listen and --http-listen', () => {
  it('cannot have an address that localhost has already', () => {
    expect(problemOf({ flags: { listen: ['localhost:1', '[::1]:1'] }, hasIpv6: true })).to.equal(
      '--listen names [::1]:1, which is listened on already',
    );
  });

  for (const [first, second, said] of [
    ['0.0.0.0:1', '127.0.0.1:1', '127.0.0.1:1, which 0.0.0.0:1 takes'],
    ['127.0.0.1:1', '0.0.0.0:1', '0.0.0.0:1, which takes 127.0.0.1:1'],
    ['127.0.0.1:1', '[::]:1', '[::]:1, which takes 127.0.0.1:1'],
    ['[::]:1', '[::1]:1', '[::1]:1, which [::]:1 takes'],
  ] as const) {
    it(`cannot have ${first} and ${second}, as one takes the connections of the other`, () => {
      expect(problemOf({ flags: { listen: first, 'http-listen': second } })).to.equal(
        `--http-listen names ${said} too: leave one of them out`,
      );
    });
  }

  it('may have every IPv4 and every IPv6 address with one port, and single ones with another', () => {
    const listen = ['0.0.0.0:1', '[::]:1', '127.0.0.1:2', '[::1]:2', '0.0.0.0:0', '127.0.0.1:0'];
    expect(load({ flags: { listen } }).settings.listen.map(addressText)).to.deep.equal(listen);
  });

  it('cannot have the same address', () => {
    const flags = { listen: ['127.0.0.1:1', '127.0.0.1:2'], 'http-listen': '127.0.0.1:2' };
    expect(problemOf({ flags })).to.equal('--http-listen names 127.0.0.1:2, which is listened on already');
  });
});

describe('listeners in the configuration file', () => {
  let files: Record<string, string>;
  before(() => {
    files = { ...makeCertificates(), '/bad.key': 'no key' };
  });
  const given = (config: string) => ({
    flags: { config: '/c.yaml' },
    files: { ...files, '/c.yaml': config },
  });
  // The certificates are of today, so today is the time to judge them by.
  const loadNow = (config: string, nowMs = Date.now()) =>
    loadSettings({
      flags: { config: ['/c.yaml'] },
      env: {},
      cwd: '/',
      cpuCount: 1,
      nowMs,
      readFile: (path) => ({ ...files, '/c.yaml': config })[path] ?? expect.fail(`reads ${path}`),
    });

  it('may have default certificates of their own, one or two pairs, beside listeners without', () => {
    const { settings, warnings } = loadNow(`listen:
  - 127.0.0.1:1, 127.0.0.1:2
  - address: "[::1]:3"
    default-cert: ec.pem
    default_key: /ec.key
  - {address: "unix:/run/a,b", default-cert: [/rsa.pem, /ec.pem], default-key: [/rsa.key, /ec.key]}
  - {address: "127.0.0.1:4"}
`);
    const pair = (name: string) => ({ chainPem: files[`/${name}.pem`], keyPem: files[`/${name}.key`] });
    expect(settings.listen).to.deep.equal([
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: 2 },
      { host: '::1', port: 3, defaultPairs: [pair('ec')] },
      { socketPath: '/run/a,b', defaultPairs: [pair('ec'), pair('rsa')] },
      { host: '127.0.0.1', port: 4 },
    ]);
    expect(settings.defaultPairs).to.equal(undefined);
    expect(warnings).to.deep.equal([]);
  });

  it('have them on both addresses of localhost', () => {
    const config = 'listen: {address: "localhost:1", default-cert: /ec.pem, default-key: /ec.key}';
    const { settings } = load({ ...given(config), hasIpv6: true });
    expect(settings.listen.map(addressText)).to.deep.equal(['127.0.0.1:1', '[::1]:1']);
    expect(settings.listen.map(({ defaultPairs }) => defaultPairs?.length)).to.deep.equal([1, 1]);
  });

  it('may be one map, also in JSON', () => {
    const listener = { address: '127.0.0.1:1', 'default-cert': '/ec.pem', 'default-key': '/ec.key' };
    const { settings } = loadNow(JSON.stringify({ listen: listener }));
    expect(settings.listen[0]?.defaultPairs).to.have.length(1);
  });

  it('are left out with their certificates when the command line says where to listen', () => {
    const config = 'listen: {address: "127.0.0.1:1", default-cert: /none, default-key: /none}';
    const { flags, files: all } = given(config);
    const { settings } = load({ flags: { ...flags, listen: '127.0.0.1:9' }, files: all });
    expect(settings.listen).to.deep.equal([{ host: '127.0.0.1', port: 9 }]);
  });

  it('are warned of when a certificate is out of date, with the place in the file', () => {
    const config = 'listen:\n- {address: "127.0.0.1:1", default-cert: /ec.pem, default-key: /ec.key}\n';
    const { settings, warnings } = loadNow(config, Date.now() + 40 * 86_400_000);
    expect(settings.listen[0]?.defaultPairs).to.have.length(1);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/^\/c\.yaml:2:28: default-cert \/ec\.pem: it expired on \d{4}-/);
  });

  it('are refused when a key is too small to be served, with the place in the file', () => {
    const config = 'listen:\n- {address: "127.0.0.1:1", default-cert: /weak.pem, default-key: /weak.key}\n';
    expect(problemOf(given(config))).to.match(
      /^\/c\.yaml:2:28: default-cert \/weak\.pem cannot be served: .*key too small$/,
    );
  });

  const A = 'address: "127.0.0.1:1"';
  const wrong: [config: string, message: string][] = [
    [
      'listen: {default-cert: /ec.pem, default-key: /ec.key}',
      '/c.yaml:1:9: listen needs an address beside the certificate',
    ],
    [`listen:\n- {${A}, cert: /x}`, '/c.yaml:2:28: unknown key "cert" of a listener'],
    [
      `listen:\n- {${A}, default_crt: /x}`,
      '/c.yaml:2:28: unknown key "default_crt" of a listener: did you mean default-cert?',
    ],
    ['listen: *:443', '/c.yaml:1:1: listen needs quotes around a value that begins with *'],
    [
      `listen:\n- {${A}, default-cert: /x, default_cert: /y}`,
      '/c.yaml:2:46: default-cert is set a second time',
    ],
    [
      `listen:\n- {${A}, default-cert: }`,
      '/c.yaml:2:28: default-cert needs a value: text, a number, true or false',
    ],
    [`listen:\n- {${A}, default-cert: ""}`, '/c.yaml:2:28: default-cert needs a value'],
    ['listen:\n- {address: [a, b]}', '/c.yaml:2:4: address needs a value: text, a number, true or false'],
    [
      'listen:\n- [a]\n- {address: "127.0.0.1:1"}',
      '/c.yaml:1:1: listen needs a value: text, a number, true or false',
    ],
    [
      'listen:\n- {address: "name.test:1"}',
      '/c.yaml:1:1: listen must be an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443, or localhost:8443, or a port alone, not "name.test:1"',
    ],
    ['listen: []', '/c.yaml:1:1: listen needs an address'],
    [
      `listen:\n- {${A}, default-cert: /ec.pem}`,
      '/c.yaml:2:28: default-cert needs a default-key beside each',
    ],
    [`listen:\n- {${A}, default-key: /ec.key}`, '/c.yaml:2:28: default-key needs a default-cert beside each'],
    [
      `listen:\n- {${A}, default-cert: /none, default-key: /ec.key}`,
      '/c.yaml:2:28: default-cert names /none, which cannot be read: there is no such file',
    ],
    [
      `listen:\n- ${A}\n  default-cert: /ec.pem\n  default-key: /bad.key`,
      '/c.yaml:3:3: default-cert /ec.pem with default-key /bad.key: the private key cannot be parsed',
    ],
    [
      `listen:\n- ${A}\n  default-cert: [/ec.pem, /ec2.pem]\n  default-key: [/ec.key, /ec2.key]`,
      '/c.yaml:3:3: default-cert is given twice, which must be once for RSA and once for ECDSA',
    ],
  ];
  for (const [config, message] of wrong) {
    it(`says: ${message}`, () => {
      expect(problemOf(given(config))).to.equal(message);
    });
  }

  describe('at a reload', () => {
    const listener = (address: string, cert: string): string =>
      `- {address: "${address}", default-cert: /${cert}.pem, default-key: /${cert}.key}\n`;

    it('take a new default certificate over', () => {
      const before = loadNow(`listen:\n${listener('127.0.0.1:1', 'ec')}`).settings;
      const after = loadNow(`listen:\n${listener('127.0.0.1:1', 'ec2')}`).settings;
      expect(describeChanges(before, after)).to.deep.equal({
        changed: ['default-cert', 'default-key'],
        needRestart: [],
      });
      expect(withoutRestart(before, after).listen).to.deep.equal(after.listen);
    });

    it('keep their addresses, and their certificates by address', () => {
      const before = loadNow(
        `listen:\n${listener('127.0.0.1:1', 'ec')}${listener('127.0.0.1:2', 'ec')}`,
      ).settings;
      const after = loadNow(
        `listen:\n${listener('127.0.0.1:2', 'ec2')}${listener('127.0.0.1:3', 'ec2')}`,
      ).settings;
      expect(describeChanges(before, after).needRestart).to.deep.equal(['listen']);
      expect(withoutRestart(before, after).listen).to.deep.equal([before.listen[0], after.listen[0]]);
    });

    it('lose a default certificate that is taken out of the file', () => {
      const before = loadNow(`listen:\n${listener('127.0.0.1:1', 'ec')}`).settings;
      const after = loadNow('listen: 127.0.0.1:1').settings;
      expect(describeChanges(before, after).changed).to.deep.equal(['default-cert', 'default-key']);
      expect(withoutRestart(before, after).listen).to.deep.equal([{ host: '127.0.0.1', port: 1 }]);
    });
  });
});
