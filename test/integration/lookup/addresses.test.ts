/**
 * Clients without a server name have connected to an address: a certificate for it is served to them.
 */
import { expect } from 'chai';
import { join } from 'node:path';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { command } from '../../support/command.js';
import { connectTls, describeHandshake } from '../../support/client.js';
import { eventuallySees } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { openStage, watchRedis, type RedisWatch, type Stage } from '../../support/stage.js';
import { why } from '../../support/why.js';

describe('A client without a server name', () => {
  let ca: TestCa;
  let stage: Stage;
  let watch: RedisWatch;
  let program: Program;
  let dir: string;
  let remove: () => Promise<void>;

  before(async () => {
    ca = await makeTestCa();
    ({ dir, remove } = await makeTempDir());
    await writePair(join(dir, 'one'), await ca.issue(['127.0.0.1', '2001:db8::1']));
    await writePair(join(dir, 'two'), await ca.issue(['127.0.0.2']));
    stage = await openStage();
    watch = await watchRedis(stage.redis);
    program = await startProgram([
      ...['--listen', '0.0.0.0:0', '--cert-dir', dir, '--cert-dir-interval', '0.1'],
      ...[...stage.redisFlags(2), ...stage.managerFlags, '--wildcards', '--enable-autocert'],
    ]);
  });
  after(async () => {
    watch.stop();
    await program[Symbol.asyncDispose]();
    await stage.close();
    await remove();
  });

  const namesAt = async (host: string): Promise<string> => {
    const socket = await connectTls({ port: program.port, host });
    try {
      return describeHandshake(socket).names;
    } finally {
      socket.destroy();
    }
  };

  it('gets the certificate for the address that it has connected to, verified', async () => {
    expect(await namesAt('127.0.0.1')).to.equal('IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1');
    expect(await namesAt('127.0.0.2')).to.equal('IP Address:127.0.0.2');
    const options = { rejectUnauthorized: true, ca: ca.authority.certPem, host: '127.0.0.2' };
    const socket = await connectTls({ port: program.port, ...options });
    expect(socket.authorized).to.equal(true);
    socket.destroy();
  });

  it('gets the default certificate at any other address, and no other source is asked', async () => {
    const names = await namesAt('127.0.0.3');
    expect(names).not.to.contain('IP Address');
    expect(await namesAt('127.0.0.3')).to.equal(names);
    expect(await watch.lookups('127.0.0.3')).to.equal(0);
    expect(stage.manager.requestsFor('GET', '127.0.0.3')).to.have.length(0);
    expect(stage.manager.requestsFor('POST', '127.0.0.3')).to.have.length(0);
  });

  it('gets it afresh once its address is expired, which why shows and expire takes in any spelling', async () => {
    const cached = async (address: string): Promise<boolean[]> => {
      const { facts, workers } = (await why(program, address)).report;
      return [facts?.primary, ...workers].map((one) => one !== undefined && 'cached' in one);
    };
    await namesAt('127.0.0.2');
    expect(await cached('127.0.0.2')).to.deep.equal([true, true]);
    const { code, stdout, stderr } = await command(program, [
      ...['expire', 'domain', '::ffff:127.0.0.2', '2001:DB8:0::1', '--workers'],
    ]);
    expect(stderr).to.equal('');
    expect(stdout).to.equal(
      'expired 127.0.0.2, in 1 of 1 workers too\nexpired 2001:db8::1, in 1 of 1 workers too\n',
    );
    expect(code).to.equal(0);
    expect(await cached('127.0.0.2')).to.deep.equal([false, false]);
    expect(await namesAt('127.0.0.2')).to.equal('IP Address:127.0.0.2');
    expect(await cached('127.0.0.2')).to.deep.equal([true, true]);
    expect(await command(program, ['warm', '-'], '127.0.0.1\n127.1\n')).to.deep.include({
      stdout:
        '1 name: 1 with a certificate, 0 without, 0 could not be looked up\nnot names, and left out: 127.1\n',
    });
  });

  it('gets one that has come into the directory while it runs', async () => {
    expect(await namesAt('127.0.0.5')).not.to.contain('IP Address');
    await writePair(join(dir, 'five'), await ca.issue(['127.0.0.5']));
    await eventuallySees(
      'the new certificate is served',
      () => namesAt('127.0.0.5'),
      (names) => names === 'IP Address:127.0.0.5',
    );
  });
});
