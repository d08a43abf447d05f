/**
 * The program with a name server of the test's own: changes and hangs of names, end to end.
 *
 * The program's /etc/resolv.conf is replaced in a mount namespace. Where the machine does not allow that (containers, often) these
 * tests are not there; `backend-names.test.ts` and `test/unit/net/names` show the same without the program.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startBackend } from '../../support/backend.js';
import { makeTempDir } from '../../support/certificates.js';
import { request } from '../../support/client.js';
import { startDnsServer, type DnsServer } from '../../support/dns-server.js';
import { eventuallySees } from '../../support/eventually.js';
import { canReplaceFiles, startProgram } from '../../support/program.js';

const TTL_SECONDS = 1;
/** The default of `--backend-connect-timeout`: what a hang of the C library cost everybody. */
const CONNECT_TIMEOUT_MS = 5_000;

(canReplaceFiles() ? describe : (): void => undefined)('A program with a name server', () => {
  let dns: DnsServer;
  let dir: string;
  let remove: () => Promise<void>;
  let resolvConf: string;

  beforeEach(async () => {
    dns = await startDnsServer();
    ({ dir, remove } = await makeTempDir());
    resolvConf = join(dir, 'resolv.conf');
    await writeFile(resolvConf, `nameserver ${dns.address}\nsearch example.test\n`);
  });
  afterEach(async () => {
    await dns[Symbol.asyncDispose]();
    await remove();
  });

  it('follows the address of a backend within ten seconds while it is asked, and finds names in the search domain', async () => {
    await using old = await startBackend((_, response) => response.end('old'));
    const { port } = new URL(old.url);
    await using fresh = await startBackend((_, response) => response.end('new'), {
      host: '127.0.0.2',
      port: Number(port),
    });
    old.server.keepAliveTimeout = 600_000;
    dns.set('db.example.test', { addresses: ['127.0.0.1'], ttlSeconds: TTL_SECONDS });
    await using program = await startProgram(['--backend', `http://db:${port}`], { resolvConf });
    const ask = async (): Promise<string> =>
      (await request({ port: program.port, name: 'a.localhost' })).body;
    expect(await ask()).to.equal('old');
    dns.set('db.example.test', { addresses: ['127.0.0.2'], ttlSeconds: TTL_SECONDS });
    const startMs = performance.now();
    await eventuallySees('the new address is used', ask, (body) => body === 'new');
    expect(performance.now() - startMs).to.be.below(10_000);
    expect(old.connections).to.equal(1);
    expect(fresh.connections).to.equal(1);
  });

  it('serves other names while those of one tenant hang', async () => {
    await using backend = await startBackend((_, response) => {
      response.setHeader('Connection', 'close');
      response.end('here');
    });
    const { port } = new URL(backend.url);
    dns.set('good.example.test', { addresses: ['127.0.0.1'], ttlSeconds: TTL_SECONDS });
    const tenants = Array.from({ length: 8 }, (_, i) => `hang${i}`);
    for (const tenant of tenants) dns.set(`${tenant}.example.test`, 'hang');
    const routes = tenants.map((tenant) => ['--backend', `${tenant}.localhost=http://${tenant}:${port}`]);
    await using program = await startProgram(['--backend', `http://good:${port}`, ...routes.flat()], {
      resolvConf,
    });
    const hanging = tenants.map((tenant) => request({ port: program.port, name: `${tenant}.localhost` }));
    await eventuallySees(
      'all are looked up',
      () => tenants.filter((tenant) => dns.asked(`A ${tenant}.example.test`) > 0).length,
      (count) => count === tenants.length,
    );
    const startMs = performance.now();
    for (let i = 0; i < 50; i++) {
      expect((await request({ port: program.port, name: 'a.localhost' })).body).to.equal('here');
    }
    expect(performance.now() - startMs).to.be.below(CONNECT_TIMEOUT_MS);
    for (const { status } of await Promise.all(hanging)) expect(status).to.equal(502);
    const { error } = await program.logged('backend failed', { backend: `http://hang0:${port}` });
    expect(error).to.match(/^the name hang0 cannot be looked up: no /);
  });
});
