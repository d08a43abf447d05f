/**
 * Several listen addresses: each is served alike.
 */
import { expect } from 'chai';
import { ADMIN_FLAGS } from '../../support/admin.js';
import { handshake } from '../../support/client.js';
import { startProgram } from '../../support/program.js';
import { unusedPort } from '../../support/unused-port.js';

describe('--listen', () => {
  it('given several times, IPv6 among them, serves the same at every address, with every worker', async () => {
    await using program = await startProgram([
      ...['--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0', '--listen', '[::1]:0', '--workers', '2'],
    ]);
    const { ready } = JSON.parse(program.stdout) as { ready: string[] };
    expect(ready).to.have.length(3);
    expect(ready[2]).to.match(/^https:\/\/\[::1\]:\d+$/);
    expect(new Set(ready).size).to.equal(3);

    const workers = await program.workerPids();
    const fingerprints = new Set<string>();
    for (const url of ready) {
      const { hostname, port } = new URL(url);
      const host = hostname.replace(/^\[|\]$/g, '');
      for (const stopped of workers) {
        // A worker that is stopped accepts nothing: the other one has to.
        process.kill(stopped, 'SIGSTOP');
        try {
          const { names, certificate } = await handshake({
            host,
            port: Number(port),
            servername: 'many.test',
          });
          expect(names).to.equal('many.test');
          fingerprints.add(certificate.fingerprint256);
          const unnamed = await handshake({ host, port: Number(port) });
          expect(unnamed.names).to.equal('default.invalid');
        } finally {
          process.kill(stopped, 'SIGCONT');
        }
      }
    }
    expect(fingerprints.size).to.equal(1);
    await program.until('every worker has served at every address', ({ log }) =>
      workers.every(
        (pid) => log.filter((line) => line.msg === 'handshake' && line['pid'] === pid).length === 6,
      ),
    );
  });

  it('takes every address of the machine with 0.0.0.0 and [::]', async () => {
    await using program = await startProgram(['--listen', '0.0.0.0:0', '--listen', '[::]:0']);
    const { ready } = JSON.parse(program.stdout) as { ready: string[] };
    const ports = ready.map((url) => Number(new URL(url).port));
    expect(
      (await handshake({ host: '127.0.0.1', port: ports[0] ?? 0, servername: 'a.test' })).names,
    ).to.equal('a.test');
    expect((await handshake({ host: '::1', port: ports[1] ?? 0, servername: 'a.test' })).names).to.equal(
      'a.test',
    );
  });

  for (const order of [
    ['0.0.0.0', '[::]'],
    ['[::]', '0.0.0.0'],
  ]) {
    it(`takes ${order.join(' and ')} with the same port, for TLS and for administrators`, async () => {
      const [port, adminPort] = [await unusedPort(), await unusedPort()];
      await using program = await startProgram([
        ...order.flatMap((host) => ['--listen', `${host}:${port}`, '--admin-listen', `${host}:${adminPort}`]),
        ...ADMIN_FLAGS,
      ]);
      for (const host of ['127.0.0.1', '::1']) {
        expect((await handshake({ host, port, servername: 'a.test' })).names).to.equal('a.test');
        const url = `http://${host.includes(':') ? `[${host}]` : host}:${adminPort}/healthz`;
        expect((await fetch(url)).status).to.equal(200);
      }
      const { ready } = JSON.parse(program.stdout) as { ready: string[] };
      expect(ready).to.deep.equal(order.map((host) => `https://${host}:${port}`));
    });
  }
});
