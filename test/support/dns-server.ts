/**
 * A name server on 127.0.0.1 that answers as a test wants: A and AAAA records with any TTL, errors, or nothing at all.
 *
 *     await using dns = await startDnsServer();
 *     dns.set('a.test', { addresses: ['127.0.0.2'], ttlSeconds: 5 });
 *     dns.set('slow.test', 'hang');
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** What is said of a name. A name of which nothing is said does not exist (NXDOMAIN). */
export type DnsAnswer =
  | {
      readonly addresses: readonly string[];
      readonly ttlSeconds: number;
      /** Questions of one kind are left unanswered. */
      readonly hangs?: DnsType;
    }
  | 'hang'
  | 'SERVFAIL'
  | 'NXDOMAIN';

export type DnsType = 'A' | 'AAAA';

const TYPES: ReadonlyMap<number, DnsType> = new Map([
  [1, 'A'],
  [28, 'AAAA'],
]);
const HEADER_BYTES = 12;
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

export class DnsServer implements AsyncDisposable {
  /** `A a.test`, in the order of their coming. */
  readonly questions: string[] = [];
  readonly #answers = new Map<string, DnsAnswer>();
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (question, { address, port }) => {
      const reply = this.#reply(question);
      if (reply !== undefined) socket.send(reply, port, address);
    });
  }

  /** As `dns.Resolver` takes it. */
  get address(): string {
    const { address, port } = this.#socket.address();
    return `${address}:${port}`;
  }

  set(name: string, answer: DnsAnswer): void {
    this.#answers.set(name, answer);
  }

  asked(question: string): number {
    return this.questions.filter((one) => one === question).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #reply(question: Buffer): Buffer | undefined {
    const { name, end } = readName(question);
    const type = TYPES.get(question.readUInt16BE(end));
    this.questions.push(`${type ?? 'other'} ${name}`);
    const answer = this.#answers.get(name) ?? 'NXDOMAIN';
    if (answer === 'hang') return undefined;
    const asked = question.subarray(HEADER_BYTES, end + 4);
    if (answer === 'SERVFAIL') return message(question, asked, SERVER_FAILURE, []);
    if (answer === 'NXDOMAIN') return message(question, asked, NO_SUCH_NAME, []);
    if (answer.hangs === type) return undefined;
    const records = answer.addresses
      .filter((address) => isIPv6(address) === (type === 'AAAA'))
      .map((address) => record(address, answer.ttlSeconds));
    return message(question, asked, NO_ERROR, records);
  }
}

/** @param port 0: any that is free. */
export async function startDnsServer(port = 0): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const server = new DnsServer(socket);
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return server;
}

/** The name that is asked for, in lower case, and where it ends. */
function readName(question: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = question.readUInt8(at); length > 0; length = question.readUInt8(at)) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function message(question: Buffer, asked: Buffer, code: number, records: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  // A response with recursion asked for and available.
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, asked, ...records]);
}

function record(address: string, ttlSeconds: number): Buffer {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const head = Buffer.alloc(HEADER_BYTES);
  // The name of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}

function ipv6Bytes(address: string): Buffer {
  const [before = '', after] = address.split('::');
  const groups = (text: string): string[] => text.split(':').filter(Boolean);
  const left = groups(before);
  const right = groups(after ?? '');
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
