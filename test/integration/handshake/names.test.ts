/**
 * What clients send as server name: spellings of a real one, and junk that must reach nobody.
 */
import { expect } from 'chai';
import { makeTestCa } from '../../support/certificates.js';
import { handshake } from '../../support/client.js';
import { startFakeManager, type FakeManager } from '../../support/fake-manager.js';
import { sClient } from '../../support/openssl.js';
import { startProgram, type Program } from '../../support/program.js';
import { offer } from '../../support/raw-tls.js';
import { redisFixture, startRedisServer, type RedisServer } from '../../support/redis-server.js';

/** OpenSSL refuses a server name of more than 255 octets, or with a NUL in it. */
const ALERT_UNRECOGNIZED_NAME = 112;

describe('The server name of a handshake', () => {
  let redis: RedisServer;
  let manager: FakeManager;
  let program: Program;

  before(async () => {
    [redis, manager] = await Promise.all([startRedisServer(), startFakeManager()]);
    await redis.load(redisFixture('style2'));
    const ca = await makeTestCa();
    for (const name of ['under_score.example.com', 'x--y.example.com', 'single']) {
      manager.setCertificate(name, await ca.issue([name]));
    }
    program = await startProgram([
      ...['--redis-strategy', '2', '--redis-url', redis.url, '--fallback-server', manager.root],
    ]);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await Promise.all([redis.stop(), manager.close()]);
  });

  const subject = async (serverName: string): Promise<string | undefined> => {
    const { certificate } = await offer(program.port, { serverName });
    return certificate?.subjectAltName?.replaceAll('DNS:', '');
  };

  for (const spelling of [
    'FRESH.EXAMPLE.COM',
    'Fresh.Example.Com',
    'fresh.example.com.',
    'FRESH.example.COM.',
  ]) {
    it(`may be spelt ${spelling}`, async () => {
      expect(await subject(spelling)).to.equal('fresh.example.com');
      const { certificate } = await sClient(program.port, '-servername', spelling);
      expect(certificate?.subjectAltName).to.equal('DNS:fresh.example.com');
      await program.logged('handshake', { name: 'fresh.example.com' });
    });
  }

  it('is one name in every spelling: Redis is asked once', async () => {
    const monitor = await redis.monitor();
    for (const spelling of [
      'twin.example.com',
      'TWIN.example.com',
      'twin.example.com.',
      'Twin.Example.Com.',
    ]) {
      expect(await subject(spelling)).to.equal('twin.example.com');
    }
    await asked(monitor.commands, 'd2:twin.example.com');
    monitor.stop();
    expect(monitor.commands).to.have.length(1);
  });

  for (const name of ['under_score.example.com', 'x--y.example.com', 'single']) {
    it(`may be ${name}`, async () => {
      expect(await subject(name)).to.equal(name);
    });
  }

  it('may be of 253 octets, and of 254 with the trailing dot', async () => {
    const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    await offer(program.port, { serverName: longest });
    await offer(program.port, { serverName: `${longest}.` });
    expect(manager.requestsFor('GET', longest)).to.have.length(1);
  });

  const JUNK: Readonly<Record<string, string>> = {
    'an IPv4 address': '127.0.0.1',
    'an IPv4 address with a trailing dot': '10.0.0.1.',
    'an IPv6 address': '::1',
    'an IPv6 address in brackets': '[2001:db8::1]',
    'a number, which the manager would read as a database id': '12345',
    'a name whose last label is a number': 'www.example.7',
    'an empty string': '',
    'a single dot': '.',
    'two dots': '..',
    'a leading dot': '.fresh.example.com',
    'an empty label': 'fresh..example.com',
    'two trailing dots': 'fresh.example.com..',
    'a way up': '../x',
    'a path': 'fresh.example.com/../../admin',
    'an escaped path': '..%2f..%2fadmin',
    'a port': 'fresh.example.com:443',
    'a query': 'fresh.example.com?openresty=1',
    'a wildcard': '*.wild.example.com',
    'a space': ' ',
    'a name with spaces round it': ' fresh.example.com ',
    'a name with a line break': 'fresh.example.com\r\nFLUSHALL\r\n',
    'a Redis key': 'd2:fresh.example.com',
    'a label that begins with a hyphen': '-fresh.example.com',
    'a label that ends with a hyphen': 'fresh-.example.com',
    'a label of 64 octets': `${'a'.repeat(64)}.example.com`,
    'a name of 254 octets': `${'a'.repeat(63)}.`.repeat(3) + 'd'.repeat(62),
    '255 octets of one letter': 'a'.repeat(255),
    'UTF-8': Buffer.from('bücher.example.com').toString('latin1'),
    'control characters': '\x01\x02\x7f\x1b[31m',
    'binary junk': '\xff\xfe\x80\xc3',
    'a template': '${jndi:ldap://x.example.com}',
  };
  /** Names that OpenSSL itself ends the handshake for. */
  const REFUSED: Readonly<Record<string, string>> = {
    'a name with a NUL': 'fresh.example.com\0.example.org',
    '256 octets': 'a'.repeat(256),
    '60 KB of one letter': 'a'.repeat(60_000),
    '60 KB of anything': Array.from({ length: 60_000 }, (_, i) =>
      String.fromCharCode((i * 7 + 1) % 256),
    ).join(''),
    '60 KB of labels': 'a.'.repeat(30_000),
  };

  for (const [what, serverName] of Object.entries(JUNK)) {
    it(`that is ${what} gets the default certificate, and nobody is asked`, async () => {
      await asksNobody(async () => {
        expect(await subject(serverName)).to.equal('default.invalid');
      });
    });
  }

  for (const [what, serverName] of Object.entries(REFUSED)) {
    it(`that is ${what} is refused with an alert, and nobody is asked`, async () => {
      await asksNobody(async () => {
        expect(await offer(program.port, { serverName })).to.deep.equal({ alert: ALERT_UNRECOGNIZED_NAME });
      });
    });
  }

  it('may be left out: the default certificate, and nobody is asked', async () => {
    await asksNobody(async () => {
      expect((await offer(program.port, {})).certificate?.subjectAltName).to.equal('DNS:default.invalid');
      expect((await handshake({ port: program.port })).names).to.equal('default.invalid');
      const { certificate } = await sClient(program.port, '-noservername');
      expect(certificate?.subjectAltName).to.equal('DNS:default.invalid');
    });
  });

  let sentinels = 0;
  /** Runs `act`, then a look-up that does reach everybody: nothing may have reached them before it. */
  async function asksNobody(act: () => Promise<void>): Promise<void> {
    const sentinel = `sentinel${++sentinels}.example.net`;
    const earlier = manager.requests.length;
    const monitor = await redis.monitor();
    try {
      await act();
      await handshake({ port: program.port, servername: sentinel });
      await asked(monitor.commands, sentinel);
    } finally {
      monitor.stop();
    }
    expect(monitor.commands.filter((command) => !command.includes(sentinel))).to.deep.equal([]);
    expect(manager.requests.slice(earlier).map(({ url }) => url)).to.have.length(1);
    expect(manager.requests.at(-1)?.url).to.include(`/domain/${sentinel}/`);
  }

  /** Waits until the monitor, which lags behind the answers, shows a command about this. */
  async function asked(commands: readonly string[], about: string): Promise<void> {
    while (!commands.some((command) => command.includes(about))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});
