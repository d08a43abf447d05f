/**
 * Whole handshakes and resumed ones, against plain `https`: the certificate is in the worker's LRU.
 *
 * Once with an answer out of memory, which leaves little but TLS: of this program the 404 of a name that has no route, of the
 * peer the same 404. And once forwarding to the same backend.
 */
import { handshakeContender } from '../handshake-contender.js';
import { compare } from '../measure.js';
import type { Row } from '../report.js';
import { ratioRow } from '../rows.js';
import { startPeer, startProgram, type PeerSettings, type Server } from '../servers.js';
import type { Setting } from '../setting.js';
import { request } from '../../test/support/client.js';

/** What a full handshake may cost. */
const WANTED_RATIO = 1.05;
const FOREVER = '86400';
/** What Node adds by itself. */
const OWN_FIELDS = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

export async function handshakes(setting: Setting): Promise<Row[]> {
  const { options } = setting;
  const backendUrl = `http://127.0.0.1:${setting.backend.httpPort}`;
  const flags = ['--cert-dir', setting.certDir, '--lru-cache-duration', FOREVER, '--backend'];
  const startWith = (backend: string): Promise<Server> =>
    startProgram(options, [...flags, backend], setting.newStateDir());
  const withoutRoute = `elsewhere.bench.test=${backendUrl}`;
  const answer = await cannedAnswer(() => startWith(withoutRoute), setting.ec.name);
  const canned = { label: 'canned answer', backend: withoutRoute, status: answer.status };
  const forwarded = { label: 'forwarded', backend: backendUrl, status: 200 };
  const rows: Row[] = [];
  const measure = async (
    { name, chainPath, keyPath }: Setting['ec'],
    { label, backend, status }: typeof canned,
    title: string,
    resume = false,
  ): Promise<void> => {
    const settings = backend === withoutRoute ? { answer } : { backend };
    // Both anew each time: neither is warmer than the other.
    await using server = await startWith(backend);
    await using peer = await startPeer(options, { cert: chainPath, key: keyPath, ...settings });
    const common = { names: [name], status, resume };
    const contenders = [
      { ...common, title: 'https', server: peer },
      { ...common, title: `${title}, one request, ${label}`, server },
    ].map((contender) => handshakeContender(setting.load, contender));
    const [base, own] = await compare(contenders, options);
    rows.push(ratioRow(base!, own!, resume ? undefined : WANTED_RATIO));
  };
  for (const kind of [canned, forwarded]) {
    await measure(setting.ec, kind, 'full EC P-256');
    await measure(setting.rsa, kind, 'full RSA-2048');
    // What a ticket resumes does not depend on the kind of key.
    await measure(setting.ec, kind, 'resumed', true);
  }
  return rows;
}

/** The answer of this program, for the peer to give the same. */
async function cannedAnswer(
  start: () => Promise<Server>,
  name: string,
): Promise<NonNullable<PeerSettings['answer']>> {
  await using server = await start();
  const { port } = server;
  const { status, headers, body } = await request({ port, name });
  const fields = Object.entries(headers).filter(([field]) => !OWN_FIELDS.has(field));
  return {
    status,
    headers: Object.fromEntries(fields.map(([field, value]) => [field, String(value)])),
    body,
  };
}
