/**
 * Sockets that a service manager holds and passes to the program.
 */
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { makeTempDir } from '../../support/certificates.js';
import { handshake, request } from '../../support/client.js';
import { spawnProgram, startProgram, type Program } from '../../support/program.js';
import { socketHolder } from '../../support/socket-holder.js';

/** The process ids of the runs of the program so far, by its ready lines. */
const runs = ({ stdout }: Program): number[] =>
  [...stdout.matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid));

const httpPort = ({ stdout }: Program): number => Number(/http:\/\/[^:"]+:(\d+)/.exec(stdout)?.[1]);

describe('Sockets that are passed to the program', () => {
  it('are served by their names: TLS on some, plain HTTP on others', async () => {
    await using program = await startProgram(
      ['--listen', 'systemd:https', '--http-listen', 'systemd:http', '--workers', '2'],
      { starter: socketHolder(['https', 'http', 'https']) },
    );
    const ports = [...program.stdout.matchAll(/https:\/\/127.0.0.1:(\d+)/g)].map(([, port]) => Number(port));
    // The line to try it with has the first one once more.
    expect(new Set(ports).size).to.equal(2);
    for (const port of ports) expect((await request({ port, name: 'a.localhost' })).status).to.equal(200);
    const [answer] = (await once(get(`http://127.0.0.1:${httpPort(program)}/`), 'response')) as [
      IncomingMessage,
    ];
    answer.resume();
    expect(answer.statusCode).to.be.oneOf([308, 404, 400]);
  });

  it('are served by their descriptors', async () => {
    await using program = await startProgram(['--listen', 'fd:4'], {
      starter: socketHolder(['other', 'mine']),
    });
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  it('queue connections while the program is started again', async () => {
    await using program = await startProgram(['--listen', 'systemd:https'], {
      starter: socketHolder(['https']),
    });
    const [first = 0] = runs(program);
    process.kill(first, 'SIGTERM');
    await program.logged('stopped');
    const queued = handshake({ port: program.port, servername: 'a.localhost' });
    await program.until('it is ready again', (again) => runs(again).length === 2);
    await queued;
  });

  it('stay in a reload', async () => {
    await using program = await startProgram(['--listen', 'systemd:https'], {
      starter: socketHolder(['https']),
    });
    process.kill(runs(program)[0] ?? 0, 'SIGHUP');
    expect((await program.logged('reloaded'))['changed']).to.equal('nothing');
    await handshake({ port: program.port, servername: 'a.localhost' });
  });

  it('are refused in one sentence where they are none', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      await using program = await spawnProgram(['--listen', 'fd:17'], { cwd: dir });
      expect((await program.exited).code).to.equal(1);
      expect(program.stderr).to.contain(
        '--listen fd:17: descriptor 17 is no TCP socket that was passed to the program\n',
      );
    } finally {
      await remove();
    }
  });
});
