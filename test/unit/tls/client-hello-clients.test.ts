import { expect } from 'chai';
import { spawn } from 'node:child_process';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import {
  MAX_CLIENT_HELLO_RECORDS,
  parseClientHello,
  type ClientHello,
} from '../../../lib/tls/client-hello.js';
import { frame, unframe } from './client-hello-bytes.js';

interface Sample {
  readonly title: string;
  readonly start: (port: number) => () => void;
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
}

const node =
  (options: tls.ConnectionOptions): Sample['start'] =>
  (port) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.on('error', () => undefined);
    return () => socket.destroy();
  };

const openssl =
  (...flags: string[]): Sample['start'] =>
  (port) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...flags], {
      stdio: 'ignore',
    });
    return () => child.kill();
  };

const manyProtocols = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${i}`.padStart(200, 'x'));

const SAMPLES: readonly Sample[] = [
  {
    title: 'Node with a server name',
    start: node({ servername: 'www.example.com' }),
    serverName: 'www.example.com',
    alpn: [],
  },
  { title: 'Node without', start: node({}), serverName: undefined, alpn: [] },
  {
    title: 'Node with ALPN',
    start: node({ servername: 'a.test', ALPNProtocols: ['h2', 'http/1.1'] }),
    serverName: 'a.test',
    alpn: ['h2', 'http/1.1'],
  },
  {
    title: 'Node with TLS 1.2 only',
    start: node({ servername: 'old.test', maxVersion: 'TLSv1.2' }),
    serverName: 'old.test',
    alpn: [],
  },
  {
    title: 'Node, longer than 4 KB',
    start: node({ servername: 'long.test', ALPNProtocols: manyProtocols(25) }),
    serverName: 'long.test',
    alpn: manyProtocols(25),
  },
  {
    title: 'Node, longer than one record can be',
    start: node({ servername: 'longer.test', ALPNProtocols: manyProtocols(90) }),
    serverName: 'longer.test',
    alpn: manyProtocols(90),
  },
  {
    title: 'OpenSSL with a server name, as it was typed',
    start: openssl('-servername', 'MiXed.Example.COM.'),
    serverName: 'MiXed.Example.COM.',
    alpn: [],
  },
  {
    title: 'OpenSSL without',
    start: openssl('-noservername'),
    serverName: undefined,
    alpn: [],
  },
  {
    title: 'OpenSSL with ALPN',
    start: openssl('-servername', 'b.test', '-alpn', 'acme-tls/1'),
    serverName: 'b.test',
    alpn: ['acme-tls/1'],
  },
  {
    title: 'OpenSSL with TLS 1.2 only',
    start: openssl('-servername', 'c.test', '-tls1_2'),
    serverName: 'c.test',
    alpn: [],
  },
];
/** What a client sends before it hears anything: everything up to a verdict. */
async function capture(start: Sample['start']): Promise<Buffer> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let stop = (): void => undefined;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      server.once('connection', (socket) => {
        let bytes: Buffer = Buffer.alloc(0);
        socket.on('data', (data) => {
          bytes = Buffer.concat([bytes, data]);
          if (parseClientHello(bytes).kind === 'incomplete') return;
          resolve(bytes);
          socket.destroy();
        });
        socket.on('error', reject);
      });
      stop = start((server.address() as AddressInfo).port);
    });
  } finally {
    stop();
    await new Promise((resolve) => server.close(resolve));
  }
}
/** Mulberry32: the same mutations on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
describe('the ClientHello parser with real clients', () => {
  const captured = new Map<string, Buffer>();
  const bytesOf = (title: string): Buffer => captured.get(title)!;

  before(async () => {
    for (const { title, start } of SAMPLES) captured.set(title, await capture(start));
  });
  for (const { title, serverName, alpn } of SAMPLES) {
    it(`reads that of ${title}`, () => {
      const hello = parseClientHello(bytesOf(title)) as ClientHello;
      expect(hello.kind).to.equal('hello');
      expect(hello.serverName).to.equal(serverName);
      expect('serverName' in hello).to.equal(serverName !== undefined);
      expect(hello.alpn).to.deep.equal(alpn);
    });

    it(`waits at every offset inside that of ${title}, and for no byte too many`, () => {
      const bytes = bytesOf(title);
      let needBytes = 0;
      for (let length = 0; length < bytes.length; length++) {
        const result = parseClientHello(bytes.subarray(0, length));
        if (result.kind !== 'incomplete') expect.fail(`${result.kind} after ${length} bytes`);
        expect(result.needBytes).to.be.within(length + 1, bytes.length);
        expect(result.needBytes).to.be.at.least(needBytes);
        needBytes = result.needBytes;
      }
    });

    it(`reads that of ${title} in records of any size`, () => {
      const message = unframe(bytesOf(title));
      const expected = parseClientHello(bytesOf(title));
      for (const size of [1, 2, 3, 4, 5, 7, 64, 255, 1_000, 16_384]) {
        const bytes = frame(message, size);
        if (bytes.length > 5 * MAX_CLIENT_HELLO_RECORDS + message.length) continue;
        expect(parseClientHello(bytes), `records of ${size}`).to.deep.equal(expected);
        expect(parseClientHello(bytes.subarray(0, -1)).kind).to.equal('incomplete');
      }
    });
  }

  it('gathers the long ones from more than one record', () => {
    expect(bytesOf('Node, longer than 4 KB').length).to.be.above(4_096);
    const longer = bytesOf('Node, longer than one record can be');
    expect(longer.readUInt16BE(3) + 5).to.be.below(longer.length);
  });

  it('does not mind what follows the ClientHello, in the same record or after it', () => {
    const bytes = bytesOf('Node with ALPN');
    const expected = parseClientHello(bytes);
    expect(parseClientHello(Buffer.concat([bytes, Buffer.from('GET / junk')]))).to.deep.equal(expected);
    const message = Buffer.concat([unframe(bytes), Buffer.from([20, 0, 0, 1, 1])]);
    expect(parseClientHello(frame(message))).to.deep.equal(expected);
  });

  it('accepts every record version of TLS', () => {
    const message = unframe(bytesOf('Node with ALPN'));
    for (const version of [0x0301, 0x0302, 0x0303]) {
      expect(parseClientHello(frame(message, 16_384, version)).kind).to.equal('hello');
    }
  });

  it('never throws and never reads past the end, whatever is changed in them', () => {
    const random = seeded(20_260_101);
    const below = (limit: number): number => Math.floor(random() * limit);
    const kinds = new Map<string, number>();
    const originals = [...captured.values()].filter((bytes) => bytes.length < 2_000);
    for (let round = 0; round < 6_000; round++) {
      const original = originals[below(originals.length)]!;
      // The bytes lie between others that must not matter: those of the room around them.
      const room = Buffer.alloc(original.length + 64, round & 255);
      const bytes = room.subarray(32, 32 + original.length);
      original.copy(bytes);
      for (let i = 0; i <= below(4); i++) bytes[below(bytes.length)] = below(256);
      const cut = bytes.subarray(0, random() < 0.3 ? below(bytes.length + 1) : bytes.length);
      const result = parseClientHello(cut);
      kinds.set(result.kind, (kinds.get(result.kind) ?? 0) + 1);
      room.fill(0xff, 0, 32).fill(0xff, 32 + cut.length);
      expect(parseClientHello(cut)).to.deep.equal(result);
    }
    expect([...kinds.keys()]).to.include.members(['hello', 'incomplete', 'invalid']);
  });

  it('never throws on a message cut short whose lengths agree with the cut', () => {
    const message = unframe(bytesOf('OpenSSL with ALPN'));
    for (let length = 4; length < message.length; length++) {
      const cut = Buffer.from(message.subarray(0, length));
      cut.writeUIntBE(length - 4, 1, 3);
      // Without its extensions it is a ClientHello of TLS 1.2; anything else is a truncation.
      const { kind } = parseClientHello(frame(cut));
      if (kind !== 'invalid')
        expect([kind, (parseClientHello(frame(cut)) as ClientHello).alpn]).to.deep.equal(['hello', []]);
    }
  });
});
