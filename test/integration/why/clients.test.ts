/**
 * `why` of what clients are, and of the ways in: no server name, RSA alone, other listeners, other policies.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, writePair } from '../../support/certificates.js';
import { command } from '../../support/command.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { says, why } from '../../support/why.js';

const expire = (name: string): string => `peter-sslers-proxy expire domain ${name} --workers`;

describe('why, of clients', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const start = (...flags: string[]): Promise<Program> => startProgram([...stage.redisFlags(2), ...flags]);

  it('a client without a server name', async () => {
    await using program = await start();
    await says(program, '', {
      code: 'no-server-name',
      sentence:
        'A client that sends no server name is served the default certificate: without a name no other one can be looked up.',
    });
  });

  it('a client without a server name, whose address has a certificate', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      await writePair(join(dir, 'address'), await stage.ca.issue(['127.0.0.1'], { type: 'rsa' }));
      await using program = await startProgram(['--cert-dir', dir]);
      await says(program, '', {
        code: 'served',
        sentence:
          'A client that sends no server name is served the certificate of the address that it connects to (127.0.0.1).',
        exitCode: 0,
      });
    } finally {
      await remove();
    }
  });

  it('what is no name', async () => {
    await using program = await start();
    await says(program, 'a b', {
      code: 'no-name',
      sentence:
        '"a b" is no host name that a certificate could be looked up for: a client that sends it is served the default certificate.',
    });
  });

  it('a name as a person types it, which expire and warm take, too', async () => {
    const name = 'xn--bcher-kva.test';
    await prime2(stage.redis, name, await stage.ca.issue([name], { type: 'rsa' }));
    await using program = await start();
    await says(program, 'bücher.test', {
      code: 'served',
      sentence: `${name} is served its own certificate, which came from redis, valid until <date>.`,
      exitCode: 0,
    });
    expect((await why(program, 'https://bücher.test:443/')).report).to.include({
      asked: 'https://bücher.test:443/',
      name,
    });
    const forPeople = await command(program, ['why', 'bücher.test']);
    expect(forPeople.stdout).to.match(/^xn--bcher-kva\.test \(asked for as bücher\.test\) at /);
    const expired = await command(program, ['expire', 'domain', 'bücher.test', 'BÜCHER.test:443']);
    expect(expired).to.include({ code: 0, stdout: `expired ${name}\nexpired ${name}\n` });
    const warmed = await command(
      program,
      ['warm', '-', '--json'],
      'bücher.test\nhttps://bücher.test/\nü/x\n',
    );
    expect(JSON.parse(warmed.stdout)).to.include({ names: 1, found: 1 });
  });

  it('clients that can use RSA alone, where there is an ECDSA certificate alone', async () => {
    await prime2(stage.redis, 'ec.test', await stage.ca.issue(['ec.test']));
    await using program = await start();
    await says(program, 'ec.test', {
      code: 'rsa-clients-left-out',
      sentence:
        'ec.test is served its own certificate, which came from redis, valid until <date>; its key is EC P-256, and clients that can use RSA alone get no handshake, as no source has an RSA one.',
      exitCode: 0,
    });
  });

  it('--unknown-name reject', async () => {
    await using program = await start('--unknown-name', 'reject');
    const report = await says(program, 'unknown.test', {
      code: 'absent',
      sentence:
        'The handshake is refused (--unknown-name reject): no source has a certificate of unknown.test (asked: redis).',
      command: expire('unknown.test'),
    });
    expect(report.clients[0]?.failure).to.match(/unrecognized name/);
  });

  it('--accept-proxy-protocol: its own handshakes begin with a header', async () => {
    await prime2(stage.redis, 'header.test', await stage.ca.issue(['header.test'], { type: 'rsa' }));
    await using program = await start('--accept-proxy-protocol', '127.0.0.1/32');
    await says(program, 'header.test', {
      code: 'served',
      sentence: 'header.test is served its own certificate, which came from redis, valid until <date>.',
      exitCode: 0,
    });
  });

  it('a unix socket as the listener', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      await prime2(stage.redis, 'unix.test', await stage.ca.issue(['unix.test'], { type: 'rsa' }));
      await using program = await start('--listen', `unix:${join(dir, 'tls.sock')}`);
      await says(program, 'unix.test', {
        code: 'served',
        sentence: 'unix.test is served its own certificate, which came from redis, valid until <date>.',
        exitCode: 0,
      });
    } finally {
      await remove();
    }
  });

  it('a default certificate that is the own one of the name, too', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const pair = await stage.ca.issue(['main.test'], { type: 'rsa' });
      const { chainPath, keyPath } = await writePair(dir, pair);
      await prime2(stage.redis, 'main.test', pair);
      await using program = await start('--default-cert', chainPath, '--default-key', keyPath);
      await says(program, 'main.test', {
        code: 'served',
        sentence: 'main.test is served its own certificate, which came from redis, valid until <date>.',
        exitCode: 0,
      });
    } finally {
      await remove();
    }
  });

  it('mints nothing with the internal authority', async () => {
    await using program = await startProgram(['--internal-ca', 'ca']);
    const report = await says(program, 'new.test', {
      code: 'will-be-made',
      sentence:
        'new.test has no certificate yet, and the internal authority would mint one: it makes one as soon as a client asks for the name.',
    });
    expect(report.clients).to.deep.equal([]);
    const { report: second } = await why(program, 'new.test');
    expect(second.facts?.primary).to.deep.equal({ isPurged: false });
  });
});
