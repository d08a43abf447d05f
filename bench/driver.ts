/**
 * The load: a process of its own, so that its CPU time is nobody else's. Told by messages, see `load.ts`.
 *
 * Every operation is a new TCP connection, a handshake, one request and its answer read to the end. The group is fixed to
 * X25519 and the suite to one that every server has, or the ratio of two servers would be that of their defaults.
 */
import { createSecureContext, connect, type TLSSocket } from 'node:tls';
import type { LoadOrder, LoadReport } from './load.js';

const CONTEXT_OPTIONS = {
  ecdhCurve: 'X25519',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
} as const;

const context = createSecureContext(CONTEXT_OPTIONS);

/** Tickets by port and name: the newest one of each. */
const tickets = new Map<string, Buffer>();

interface Outcome {
  readonly reused: boolean;
  /** What the information page says; undefined when another page answered. */
  readonly tier: string | undefined;
}

function operate(name: string, { port, path, status, resume }: LoadOrder): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const key = `${port}/${name}`;
    const ticket = resume ? tickets.get(key) : undefined;
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      servername: name,
      secureContext: context,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
      ...(ticket === undefined ? {} : { session: ticket }),
    });
    let answer = '';
    let reused = false;
    if (resume) socket.on('session', (session: Buffer) => void tickets.set(key, session));
    socket.setNoDelay(true);
    socket.on('secureConnect', () => {
      reused = socket.isSessionReused();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    });
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.on('error', reject);
    socket.on('close', () => {
      if (answer.startsWith(`HTTP/1.1 ${status} `)) {
        resolve({ reused, tier: /^Answered by\s+(.*)$/m.exec(answer)?.[1] });
      } else {
        reject(new Error(`${name}: no answer but ${JSON.stringify(answer.slice(0, 100))}`));
      }
    });
  });
}

async function perform(order: LoadOrder): Promise<LoadReport> {
  const { names, operations, concurrency, first } = order;
  const tiers: Record<string, number> = {};
  let reused = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < operations) {
      const name = nameAt(names, first + next++);
      const outcome = await operate(name, order);
      if (outcome.reused) reused++;
      const tier = outcome.tier ?? 'none';
      tiers[tier] = (tiers[tier] ?? 0) + 1;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { reused, tiers, tookMs: performance.now() - startedMs };
}

function nameAt(names: LoadOrder['names'], index: number): string {
  if (typeof names === 'string') return names.replace('#', String(index));
  return names[index % names.length] ?? '';
}

process.on('message', (order: LoadOrder) => {
  perform(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
