/**
 * Whole handshakes and resumed ones, against plain `https`: the certificate is in the worker's LRU.
 */
import { compare } from '../measure.js';
import type { Row } from '../report.js';
import { ratioRow } from '../rows.js';
import { startPeer, startProgram } from '../servers.js';
import type { Setting } from '../setting.js';
import { request } from '../../test/support/client.js';

/** What a full handshake may cost. */
const WANTED_RATIO = 1.05;
const FOREVER = '86400';

export async function handshakes(setting: Setting): Promise<Row[]> {
  const { backendUrl, options } = setting;
  const flags = ['--cert-dir', setting.certDir, '--lru-cache-duration', FOREVER];
  await using forwarding = await startProgram(
    options,
    [...flags, '--backend', backendUrl],
    setting.newStateDir(),
  );
  await using ownPage = await startProgram(options, flags, setting.newStateDir());
  const page = await request({ port: ownPage.port, name: setting.ec.name });
  const body = 'x'.repeat(Buffer.byteLength(page.body));
  const rows: Row[] = [];
  for (const [key, { name, chainPath, keyPath }] of [
    ['EC P-256', setting.ec],
    ['RSA-2048', setting.rsa],
  ] as const) {
    await using forwardingPeer = await startPeer(options, {
      cert: chainPath,
      key: keyPath,
      backend: backendUrl,
    });
    await using answeringPeer = await startPeer(options, { cert: chainPath, key: keyPath, body });
    for (const [kind, server, peer] of [
      ['forwarding', forwarding, forwardingPeer],
      ['own page', ownPage, answeringPeer],
    ] as const) {
      for (const resume of [false, true]) {
        // What a ticket resumes does not depend on the kind of key.
        if (resume && key !== 'EC P-256') continue;
        const title = `${resume ? 'resumed' : `full ${key}`}, one request, ${kind}`;
        const names = [name];
        const [base, own] = await compare(
          setting.load,
          [
            { title: 'https', server: peer, names, resume },
            { title, server, names, resume, ...(kind === 'own page' ? { tier: 'lru' } : {}) },
          ],
          options,
        );
        rows.push(ratioRow(base!, own!, resume ? undefined : WANTED_RATIO));
      }
    }
  }
  return rows;
}
