/**
 * Who is asked for a name, and what becomes of the answers: real questions by c-ares to a name server of the test's own.
 */
import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeLookUp, type LookUp } from '../../../../lib/net/names/look-up.js';
import { makeTempDir } from '../../../support/certificates.js';
import { startDnsServer, type DnsServer } from '../../../support/dns-server.js';

describe('A look-up of a name', () => {
  let dns: DnsServer;
  let dir: string;
  let remove: () => Promise<void>;
  let lookUp: LookUp;
  let systemAsked: string[];
  let systemAnswers: (name: string) => Promise<{ address: string }[]>;
  const write = (file: string, text: string): Promise<void> => writeFile(join(dir, file), text);

  beforeEach(async () => {
    dns = await startDnsServer();
    ({ dir, remove } = await makeTempDir());
    systemAsked = [];
    systemAnswers = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
    lookUp = makeLookUp({
      makeResolver: () => {
        const resolver = new Resolver({ timeout: 300, tries: 1 });
        resolver.setServers([dns.address]);
        return resolver;
      },
      askSystem: (name) => {
        systemAsked.push(name);
        return systemAnswers(name);
      },
      hostsPath: join(dir, 'hosts'),
      resolvConfPath: join(dir, 'resolv.conf'),
      nsswitchPath: join(dir, 'nsswitch.conf'),
    });
  });
  afterEach(async () => {
    await dns[Symbol.asyncDispose]();
    await remove();
  });

  it('finds both kinds of addresses, for the shortest TTL', async () => {
    dns.set('a.test', { addresses: ['127.0.0.2', '127.0.0.3', '::2'], ttlSeconds: 17 });
    expect(await lookUp('a.test')).to.deep.equal({
      kind: 'found',
      addresses: ['127.0.0.2', '127.0.0.3', '::2'],
      ttlMs: 17_000,
    });
  });

  it('asks the name servers anew each time', async () => {
    dns.set('a.test', { addresses: ['127.0.0.2'], ttlSeconds: 300 });
    await lookUp('a.test');
    dns.set('a.test', { addresses: ['127.0.0.3'], ttlSeconds: 300 });
    expect(await lookUp('a.test')).to.deep.include({ addresses: ['127.0.0.3'] });
    expect(dns.asked('A a.test')).to.equal(2);
  });

  it('waits for no kind that is never answered, and says so', async () => {
    dns.set('a.test', { addresses: ['127.0.0.2'], ttlSeconds: 17, hangs: 'AAAA' });
    expect(await lookUp('a.test')).to.deep.equal({
      kind: 'found',
      addresses: ['127.0.0.2'],
      ttlMs: 17_000,
      missing: 6,
    });
  });

  it('tells what does not exist from what is not answered', async () => {
    dns.set('hang.test', 'hang');
    dns.set('sick.test', 'SERVFAIL');
    dns.set('empty.test', { addresses: [], ttlSeconds: 5 });
    expect(await lookUp('none.test')).to.deep.equal({ kind: 'absent' });
    expect(await lookUp('empty.test')).to.deep.equal({ kind: 'absent' });
    expect(await lookUp('hang.test')).to.include({ kind: 'failed', reason: 'no name server answers' });
    expect(await lookUp('sick.test')).to.include({
      kind: 'failed',
      reason: 'the name server answers with an error (ESERVFAIL)',
    });
  });

  it('of one name that hangs delays none of another', async () => {
    dns.set('a.test', { addresses: ['127.0.0.2'], ttlSeconds: 5 });
    const order: string[] = [];
    const hanging = Array.from({ length: 8 }, (_, i) => {
      dns.set(`hang${i}.test`, 'hang');
      return lookUp(`hang${i}.test`).then(() => order.push('hang'));
    });
    await lookUp('a.test').then(() => order.push('a'));
    await Promise.all(hanging);
    expect(order[0]).to.equal('a');
  });

  it('tries the search domains, and stops where one exists', async () => {
    await write('resolv.conf', 'search x.test y.test z.test\noptions ndots:2\n');
    dns.set('db.y.test', { addresses: ['127.0.0.2'], ttlSeconds: 5 });
    dns.set('db.x.test', 'SERVFAIL');
    expect(await lookUp('db')).to.deep.include({ addresses: ['127.0.0.2'] });
    expect(dns.questions.filter((one) => one.startsWith('A '))).to.deep.equal(['A db.x.test', 'A db.y.test']);
    await write('resolv.conf', 'search w.test\n');
    await lookUp('db');
    expect(dns.questions).to.include('A db.w.test');
  });

  it('asks no further name where the name servers are silent', async () => {
    await write('resolv.conf', 'search x.test y.test\n');
    dns.set('db.x.test', 'hang');
    dns.set('db.y.test', { addresses: ['127.0.0.2'], ttlSeconds: 5 });
    expect(await lookUp('db')).to.include({ kind: 'failed' });
    expect(dns.asked('A db.y.test')).to.equal(0);
  });

  it('reads the hosts file first, again when it has changed', async () => {
    dns.set('a.test', { addresses: ['127.0.0.9'], ttlSeconds: 5 });
    await write('hosts', '127.0.0.2 a.test\n');
    expect(await lookUp('a.test')).to.deep.equal({ kind: 'found', addresses: ['127.0.0.2'], ttlMs: 5_000 });
    await write('hosts', '127.0.0.30 a.test\n');
    expect(await lookUp('a.test.')).to.deep.include({ addresses: ['127.0.0.30'] });
    expect(dns.questions).to.deep.equal([]);
    await write('hosts', '');
    expect(await lookUp('a.test')).to.deep.include({ addresses: ['127.0.0.9'] });
  });

  it('of localhost asks nobody, unless the hosts file says something else', async () => {
    expect(await lookUp('localhost')).to.deep.include({ addresses: ['127.0.0.1', '::1'] });
    expect(await lookUp('a.localhost')).to.deep.include({ addresses: ['127.0.0.1', '::1'] });
    await write('hosts', '127.0.0.2 localhost\n');
    expect(await lookUp('localhost')).to.deep.include({ addresses: ['127.0.0.2'] });
    expect(dns.questions).to.deep.equal([]);
  });

  describe('where the C library has other services', () => {
    beforeEach(() => write('nsswitch.conf', 'hosts: files mdns4 dns\n'));

    it('asks it for what nobody else knows', async () => {
      systemAnswers = () => Promise.resolve([{ address: '127.0.0.7' }]);
      dns.set('hang.test', 'hang');
      expect(await lookUp('printer.local')).to.deep.include({ addresses: ['127.0.0.7'] });
      expect(await lookUp('hang.test')).to.include({ kind: 'failed' });
      expect(systemAsked).to.deep.equal(['printer.local']);
    });

    it('asks it for two names at once, however many there are', async () => {
      const waiting: (() => void)[] = [];
      systemAnswers = () => new Promise((resolve) => waiting.push(() => resolve([{ address: '127.0.0.7' }])));
      const all = ['a', 'b', 'c', 'd'].map((name) => lookUp(`${name}.local`));
      let most = 0;
      for (let done = 0; done < all.length;) {
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, waiting.length);
        const next = waiting.shift();
        if (next === undefined) continue;
        next();
        done += 1;
      }
      for (const found of await Promise.all(all)) expect(found.kind).to.equal('found');
      expect(most).to.equal(2);
    });
  });

  it('does not ask the C library where it has none', async () => {
    await write('nsswitch.conf', 'hosts: files dns\n');
    await lookUp('printer.local');
    expect(systemAsked).to.deep.equal([]);
  });
});
