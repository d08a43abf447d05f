/**
 * Connections over a limit are closed at once, and said so; the others go on.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/certificates.js';
import { connectTls, handshake, request } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startProgram, type Program } from '../../support/program.js';
import { RawClient } from '../../support/raw-tls.js';

const flags = ['--max-connections', '5', '--max-connections-per-client', '3'];

/** Connects from an address of the loopback network. */
async function open(program: Program, localAddress: string): Promise<RawClient> {
  return RawClient.connect(program.port, '127.0.0.1', localAddress);
}

describe('The limits on connections', () => {
  it('of a client leave other clients alone', async () => {
    await using program = await startProgram(flags);
    const kept = await Promise.all([1, 2, 3].map(() => open(program, '127.0.0.2')));
    const over = await open(program, '127.0.0.2');
    await over.closed;
    const line = await program.logged('too many connections: some are refused', { level: 'notice' });
    expect(line).to.include({ limit: '--max-connections-per-client', client: '127.0.0.2', refused: 1 });
    expect((await request({ port: program.port, name: 'a.localhost' })).status).to.equal(200);
    kept[0]?.socket.destroy();
    await eventually('there is room again', async () => {
      const again = await open(program, '127.0.0.2');
      await again.send(Buffer.from('junk'));
      await again.closed;
      return program.log.some(({ reason }) => reason === 'not-tls');
    });
    for (const client of kept) client[Symbol.dispose]();
  });

  it('of a worker hold for all clients together, before any byte is read', async () => {
    await using program = await startProgram(flags);
    const kept = await Promise.all([2, 2, 2, 3, 3].map((n) => open(program, `127.0.0.${n}`)));
    const over = await open(program, '127.0.0.4');
    await over.closed;
    expect(over.received).to.have.length(0);
    await program.logged('too many connections: some are refused', { limit: '--max-connections', open: 5 });
    for (const client of kept) client[Symbol.dispose]();
    await eventually('all have their place again', async () => {
      const { names } = await handshake({ port: program.port, servername: 'a.localhost' });
      return names === 'a.localhost';
    });
  });

  it('are changed by a reload, which cuts nothing', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const config = join(dir, 'config.yaml');
      await writeFile(config, 'max-connections-per-client: 2\n');
      await using program = await startProgram(['--config', config]);
      const client = await connectTls({ port: program.port, servername: 'a.localhost' });
      using second = await open(program, '127.0.0.1');
      await writeFile(config, 'max-connections-per-client: 1\n');
      await program.reload();
      second[Symbol.dispose]();
      const over = await open(program, '127.0.0.1');
      await over.closed;
      client.write('GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n');
      const [answer] = (await once(client, 'data')) as [Buffer];
      expect(answer.toString()).to.match(/^HTTP\/1\.1 200/);
      client.destroy();
    } finally {
      await remove();
    }
  });

  it('are said at most once a second, however many are refused', async () => {
    await using program = await startProgram(['--max-connections-per-client', '1']);
    using first = await open(program, '127.0.0.2');
    const startedMs = Date.now();
    for (let i = 0; i < 50; i++) await (await open(program, '127.0.0.2')).closed;
    await program.logged('too many connections: some are refused');
    const lines = program.log.filter(({ msg }) => msg.startsWith('too many connections'));
    expect(lines.length).to.be.at.most(2 + Math.floor((Date.now() - startedMs) / 1000));
    expect(first.socket.destroyed).to.equal(false);
  });
});
