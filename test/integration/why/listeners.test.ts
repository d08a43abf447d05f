/**
 * `why` where the program listens on several addresses: a client may have come in by any of them.
 */
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { expect } from 'chai';
import { makeTempDir, writePair } from '../../support/certificates.js';
import { command } from '../../support/command.js';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { says, why } from '../../support/why.js';

const SERVED = 'is served its own certificate, which came from redis, valid until <date>.';

describe('why, of several listeners', () => {
  let stage: Stage;
  let dir: string;
  let remove: () => Promise<void>;
  before(async () => {
    stage = await openStage();
    ({ dir, remove } = await makeTempDir());
  });
  after(async () => {
    await stage.close();
    await remove();
  });

  it('says of each what a client is served there', async () => {
    await prime2(stage.redis, 'all.test', await stage.ca.issue(['all.test'], { type: 'rsa' }));
    const path = join(dir, 'all.sock');
    await using program = await startProgram([
      ...stage.redisFlags(2),
      ...['--listen', '127.0.0.1:0', '--listen', `unix:${path}`],
      ...['--accept-proxy-protocol', '127.0.0.1/32'],
    ]);
    const expected = { code: 'served', sentence: `all.test ${SERVED}`, exitCode: 0 } as const;
    const { clients, otherListeners } = await says(program, 'all.test', expected);
    const first = `127.0.0.1:${program.port}`;
    expect(clients.map(({ client, listener }) => [client, listener])).to.deep.equal([
      ['modern', first],
      ['TLS 1.2', first],
      ['RSA only', first],
    ]);
    expect(otherListeners).to.have.length(1);
    expect(otherListeners?.[0]).to.include({ client: 'modern', listener: `unix:${path}`, isDefault: false });
    expect(otherListeners?.[0]?.leaf).to.deep.equal(clients[0]?.leaf);
    const { stdout } = await command(program, ['why', 'all.test']);
    expect(stdout).to.include(`\n  modern on unix:${path} `).and.to.include(`\n  modern on ${first} `);
  });

  it('says nothing of listeners where there is one', async () => {
    await using program = await startProgram(stage.redisFlags(2));
    const { report, stdout } = await why(program, 'all.test');
    expect(stdout).not.to.include('istener');
    expect(report.clients.map(({ client }) => client)).to.deep.equal(['modern', 'TLS 1.2', 'RSA only']);
    expect((await command(program, ['why', 'all.test'])).stdout).not.to.include('modern on');
  });

  it('knows the default certificates that a listener has of its own', async () => {
    const { chainPath, keyPath } = await writePair(dir, await stage.ca.issue(['own.test']));
    const config = join(dir, 'config.json');
    const own = { address: '127.0.0.1:0', 'default-cert': chainPath, 'default-key': keyPath };
    await writeFile(
      config,
      JSON.stringify({ 'redis-strategy': '2', 'redis-url': stage.redis.url, listen: ['127.0.0.1:0', own] }),
    );
    await using program = await startProgram(['--config', config, '--workers', '1'], { bare: true });
    const { clients, otherListeners } = await says(program, 'unknown.test', {
      code: 'absent',
      sentence:
        'The default certificate is served: no source has a certificate of unknown.test (asked: redis).',
      command: 'peter-sslers-proxy expire domain unknown.test --workers',
    });
    expect([clients[0]?.isDefault, otherListeners?.[0]?.isDefault]).to.deep.equal([true, true]);
    expect(otherListeners?.[0]?.leaf?.names).to.deep.equal(['own.test']);
    expect(clients[0]?.leaf?.names).not.to.deep.equal(['own.test']);
  });

  it('one whose socket is gone, and one whose place another program has taken', async () => {
    await prime2(stage.redis, 'gone.test', await stage.ca.issue(['gone.test'], { type: 'rsa' }));
    const path = join(dir, 'gone.sock');
    await using program = await startProgram([
      ...stage.redisFlags(2),
      ...['--listen', '127.0.0.1:0', '--listen', `unix:${path}`],
    ]);
    await rm(path);
    await says(program, 'gone.test', {
      code: 'listener-fails',
      sentence: `A client of gone.test gets no handshake on 1 of 2 listeners (unix:${path} cannot be reached: its socket is gone); its own certificate on 127.0.0.1:<n>.`,
    });
    const { chainPem, keyPem } = await stage.ca.issue(['other.test']);
    const other = createServer({ cert: chainPem, key: keyPem }).listen(path);
    await once(other, 'listening');
    try {
      await says(program, 'gone.test', {
        code: 'listener-differs',
        sentence: `A client of gone.test is not served the same on all listeners: its own certificate on 127.0.0.1:<n>; one that nothing here knows of (<print> for other.test) on unix:${path}.`,
      });
    } finally {
      other.close();
    }
  });

  it('asks eight of them, and says how many it did not', async () => {
    const paths = Array.from({ length: 10 }, (_, i) => `unix:${join(dir, `${i}.sock`)}`);
    await using program = await startProgram([
      ...stage.redisFlags(2),
      ...paths.flatMap((path) => ['--listen', path]),
    ]);
    const { report } = await why(program, 'all.test');
    expect(report.otherListeners?.map(({ listener }) => listener)).to.deep.equal(paths.slice(1, 8));
    expect(report.listenersLeftOut).to.equal(2);
    expect(report.diagnosis.code).to.equal('served');
  });
});
