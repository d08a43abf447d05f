/**
 * New connections: every operation is a handshake, one request and its answer read to the end.
 */
import { inLanes } from './lanes.js';
import type { HandshakeOrder, HandshakeReport } from './orders.js';
import { Tickets } from './tickets.js';
import { certificateOf, connectTls } from './tls.js';

const tickets = new Tickets();

export function forgetTickets(): void {
  tickets.forget();
}

interface Outcome {
  readonly reused: boolean;
  readonly certificate: string;
  /** What the information page says; undefined when another page answered. */
  readonly tier: string | undefined;
}

function operate(name: string, order: HandshakeOrder): Promise<Outcome> {
  const { port, path, status, tls } = order;
  return new Promise((resolve, reject) => {
    const server = `${port}/${name}`;
    const ticket = tickets.take(server, order.tickets);
    const socket = connectTls(port, name, tls, {
      ALPNProtocols: ['http/1.1'],
      ...(ticket === undefined ? {} : { session: ticket }),
    });
    let answer = '';
    let reused = false;
    let certificate = '';
    socket.on('session', (session: Buffer) => tickets.keep(server, order.tickets, session));
    socket.on('secureConnect', () => {
      reused = socket.isSessionReused();
      certificate = certificateOf(socket);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    });
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.on('error', reject);
    socket.on('close', () => {
      if (answer.startsWith(`HTTP/1.1 ${status} `)) {
        resolve({ reused, certificate, tier: /^Answered by\s+(.*)$/m.exec(answer)?.[1] });
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
  let wrongCertificates = 0;
  const failed = await inLanes(order, async (index) => {
    const outcome = await operate(nameAt(names, first + index), order);
    // A resumed handshake shows no certificate: it goes by that of the first one.
    if (outcome.reused) reused++;
    else if (outcome.certificate !== order.certificate) wrongCertificates++;
    const tier = outcome.tier ?? 'none';
    tiers[tier] = (tiers[tier] ?? 0) + 1;
  });
  return { ...failed, wrongCertificates, reused, tiers };
}

function nameAt(names: HandshakeOrder['names'], index: number): string {
  if (typeof names === 'string') return names.replace('#', String(index));
  return names[index % names.length] ?? '';
}
