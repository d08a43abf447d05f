/**
 * New connections: every operation is a handshake, one request and its answer read to the end.
 */
import { inLanes } from './lanes.js';
import type { HandshakeOrder, HandshakeReport } from './orders.js';
import { connectTls } from './tls.js';

/** Tickets by port and name: the newest one of each. */
const tickets = new Map<string, Buffer>();

interface Outcome {
  readonly reused: boolean;
  /** What the information page says; undefined when another page answered. */
  readonly tier: string | undefined;
}

function operate(name: string, { port, path, status, resume }: HandshakeOrder): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const key = `${port}/${name}`;
    const ticket = resume ? tickets.get(key) : undefined;
    const socket = connectTls(port, name, {
      ALPNProtocols: ['http/1.1'],
      ...(ticket === undefined ? {} : { session: ticket }),
    });
    let answer = '';
    let reused = false;
    if (resume) socket.on('session', (session: Buffer) => void tickets.set(key, session));
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

export async function handshakes(order: HandshakeOrder): Promise<HandshakeReport> {
  const { names, first } = order;
  const tiers: Record<string, number> = {};
  let reused = 0;
  const startedMs = performance.now();
  await inLanes(order, async (index) => {
    const outcome = await operate(nameAt(names, first + index), order);
    if (outcome.reused) reused++;
    const tier = outcome.tier ?? 'none';
    tiers[tier] = (tiers[tier] ?? 0) + 1;
  });
  return { reused, tiers, tookMs: performance.now() - startedMs };
}

function nameAt(names: HandshakeOrder['names'], index: number): string {
  if (typeof names === 'string') return names.replace('#', String(index));
  return names[index % names.length] ?? '';
}
