/**
 * Several listeners, each with default certificates of its own.
 */
import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir, makeTestCa, writePair } from '../../support/certificates.js';
import { handshake } from '../../support/client.js';
import { sClient } from '../../support/openssl.js';
import { startProgram } from '../../support/program.js';

describe('A listener with default certificates of its own', () => {
  it('serves them without a name and on a miss, RSA and ECDSA, and the other listener the common one', async () => {
    const { dir, remove } = await makeTempDir();
    try {
      const ca = await makeTestCa();
      const files = async (
        name: string,
        type: 'ec' | 'rsa',
      ): Promise<{ chainPath: string; keyPath: string }> =>
        writePair(join(dir, name, type), await ca.issue([`${type}.${name}`], { type }));
      const common = await files('common.test', 'ec');
      const [ec, rsa] = [await files('own.test', 'ec'), await files('own.test', 'rsa')];
      const config = (own: typeof ec): string =>
        JSON.stringify({
          listen: [
            '127.0.0.1:0',
            {
              address: '127.0.0.1:0',
              'default-cert': [own.chainPath, rsa.chainPath],
              'default-key': [own.keyPath, rsa.keyPath],
            },
          ],
          'default-cert': common.chainPath,
          'default-key': common.keyPath,
          workers: 1,
          'log-format': 'json',
          'internal-ca': join(dir, 'ca'),
        });
      const path = join(dir, 'config.json');
      await writeFile(path, config(ec));
      await using program = await startProgram(['--config', path], { bare: true });
      const { ready } = JSON.parse(program.stdout) as { ready: string[] };
      const [first = 0, second = 0] = ready.map((url) => Number(new URL(url).port));
      for (const servername of [undefined, 'unknown.example']) {
        const sni = servername === undefined ? {} : { servername };
        expect((await handshake({ port: first, ...sni })).names).to.equal('ec.common.test');
        expect((await handshake({ port: second, ...sni })).names).to.equal('ec.own.test');
        const rsaOnly = await sClient(
          second,
          '-tls1_2',
          '-cipher',
          'aRSA',
          '-servername',
          servername ?? 'x.example',
        );
        expect(rsaOnly.certificate?.subjectAltName).to.equal('DNS:rsa.own.test');
      }
      expect((await handshake({ port: first, servername: 'a.localhost' })).names).to.equal('a.localhost');
      expect((await handshake({ port: second, servername: 'a.localhost' })).names).to.equal('a.localhost');

      const renewed = await files('renewed.test', 'ec');
      await writeFile(path, config(renewed));
      await program.reload();
      expect((await handshake({ port: second })).names).to.equal('ec.renewed.test');
      expect((await handshake({ port: first })).names).to.equal('ec.common.test');
    } finally {
      await remove();
    }
  });
});
