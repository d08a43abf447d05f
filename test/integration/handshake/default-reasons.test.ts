/**
 * Why a handshake gets the default certificate: in the log and in the access log. And the id by which the lines of one handshake are
 * found, whichever process has written them.
 */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type LogLine, type Program } from '../../support/program.js';
import { RawClient as RawTls } from '../../support/raw-tls.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';

describe('A handshake in the logs', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const start = (...flags: string[]): Promise<Program> =>
    startProgram([...stage.redisFlags(2), ...stage.managerFlags, ...flags]);
  /** The line of the next handshake of a name. */
  const lineOf = async (program: Program, servername?: string): Promise<LogLine> => {
    const isIt = (line: LogLine): boolean => line.msg === 'handshake' && line['name'] === servername;
    const before = program.log.filter(isIt).length;
    await handshake({ port: program.port, ...(servername !== undefined && { servername }) });
    await program.until('the handshake is in the log', ({ log }) => log.filter(isIt).length > before);
    const line = program.log.filter(isIt).at(-1);
    return line ?? expect.fail('no line');
  };

  it('that gets the default certificate has the reason: no server name, absent, unavailable, and as remembered', async () => {
    await using program = await start('--lookup-timeout', '1');
    expect(await lineOf(program)).to.include({ tier: 'default', reason: 'no-server-name' });
    expect(await lineOf(program, 'absent.test')).to.include({ tier: 'default', reason: 'absent' });
    expect(await lineOf(program, 'absent.test')).to.include({ tier: 'default', reason: 'absent-cached' });
    stage.manager.answer('GET', 'sick.test', { status: 503, body: 'no' });
    expect(await lineOf(program, 'sick.test')).to.include({ tier: 'default', reason: 'unavailable' });
    expect(await lineOf(program, 'sick.test')).to.include({ tier: 'default', reason: 'unavailable-cached' });
    stage.manager.answer('GET', 'slow.test', { hang: true });
    expect((await lineOf(program, 'slow.test'))['reason']).to.be.oneOf(['sources-late', 'unavailable']);
  });

  it('that gets a certificate of its own has none', async () => {
    await prime2(stage.redis, 'known.test', await stage.ca.issue(['known.test']));
    await using program = await start();
    for (const tier of ['redis', 'lru']) {
      const line = await lineOf(program, 'known.test');
      expect(line).to.include({ tier }).and.not.to.have.property('reason');
    }
  });

  it('has the reason while its certificate is ordered, and the id of the first in all that is said of the order', async () => {
    const name = 'ordered.test';
    let release = (): void => undefined;
    stage.manager.issue(
      name,
      await stage.ca.issue([name]),
      new Promise<void>((resolve) => (release = resolve)),
    );
    await using program = await start('--enable-autocert');
    const starter = handshake({ port: program.port, servername: name });
    const ordering = await program.logged('ordering a certificate', { name });
    expect(await lineOf(program, name)).to.include({ tier: 'default', reason: 'ordering' });
    release();
    await starter;
    const served = await program.logged('handshake', { name, tier: 'manager' });
    expect(served).not.to.have.property('reason');
    const issued = await program.logged('a certificate was issued', { name });
    const found = await program.logged('certificate found', { name });
    for (const line of [ordering, issued, found]) {
      expect(line, line.msg).to.include({ role: 'primary', handshake: served['handshake'] });
    }
  });

  it('has the reason that the primary is late, where that stands still', async () => {
    await using program = await start('--lookup-timeout', '0.1');
    await lineOf(program, 'first.test');
    program.kill('SIGSTOP');
    try {
      expect(await lineOf(program, 'late.test')).to.include({ tier: 'default', reason: 'primary-late' });
    } finally {
      program.kill('SIGCONT');
    }
  });

  it('has an id of its own, in the worker and in what the primary says of the look-up it has started', async () => {
    await prime2(stage.redis, 'told.test', await stage.ca.issue(['told.test']));
    await using program = await start('--workers', '2');
    const found = await lineOf(program, 'told.test');
    expect(found['handshake']).to.match(/^[0-9a-z]+-[0-9a-z]+$/);
    expect(String(found['handshake']).split('-')[0]).to.equal(String(found['worker']));
    expect(await program.logged('certificate found', { name: 'told.test' })).to.include({
      handshake: found['handshake'],
    });
    const absent = await lineOf(program, 'nobody.test');
    expect(await program.logged('no certificate', { name: 'nobody.test' })).to.include({
      handshake: absent['handshake'],
    });
    using client = await RawTls.connect(program.port);
    client.socket.write('no ClientHello');
    const failed = await program.logged('handshake failed');
    const ids = program.log.filter(({ msg }) => /^handshake/.test(msg)).map((line) => line['handshake']);
    expect(failed['handshake']).to.be.a('string');
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('has its id and its reason in the access log, too', async () => {
    const { dir, remove } = await makeTempDir();
    const file = join(dir, 'access.log');
    await using program = await start('--access-log', file, '--access-log-format', 'json');
    await request({ port: program.port, name: 'unknown.test' });
    const said = await program.logged('handshake', { name: 'unknown.test' });
    await eventually('the line is there', () => readFileSync(file, 'utf8') !== '');
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.include({
      ...{ name: 'unknown.test', tier: 'default', reason: 'absent', handshake: said['handshake'] },
    });
    await remove();
  });
});
