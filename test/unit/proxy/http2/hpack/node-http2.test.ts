/**
 * Against the encoder and the decoder of Node's HTTP/2.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { connect, sensitiveHeaders, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { HpackDecoder } from '../../../../../lib/proxy/http2/hpack/decoder.js';
import { HpackEncoder } from '../../../../../lib/proxy/http2/hpack/encoder.js';
import { STATIC_NAMES } from '../../../../../lib/proxy/http2/hpack/static-table.js';
import { anyDecoder } from '../../../../support/hpack.js';
import {
  ACK,
  CONTINUATION,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PREFACE,
  SETTINGS,
} from '../../../../support/raw-h2.js';
import { SeededRandom } from '../../../../support/truth-random.js';

const PADDED = 0x8;
const PRIORITY = 0x20;
const SETTINGS_HEADER_TABLE_SIZE = 1;

const tableSize = (bytes: number): Buffer => {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(SETTINGS_HEADER_TABLE_SIZE);
  payload.writeUInt32BE(bytes, 2);
  return frame(SETTINGS, 0, 0, payload);
};

/** What a test does with the frames of a client. */
interface Peer {
  onHeaders(socket: Socket, stream: number, block: Buffer): void;
  onSettingsAck?(): void;
  onTableSize?(bytes: number): void;
}

/** A server that knows frames, and of their content no more than it must. */
async function withClient(
  peer: Peer,
  settings: { headerTableSize?: number },
  run: (client: ClientHttp2Session, socket: Socket) => Promise<void>,
): Promise<void> {
  const server = createServer();
  let failure: Error | undefined;
  const accepted = new Promise<Socket>((resolve) => {
    server.on('connection', (socket) => {
      let pending = Buffer.alloc(0);
      let hasPreface = false;
      let fragments = EMPTY;
      socket.on('error', () => undefined);
      socket.write(frame(SETTINGS, 0, 0, EMPTY));
      socket.on('data', (bytes: Buffer) => {
        pending = Buffer.concat([pending, bytes]);
        if (!hasPreface) {
          if (pending.length < PREFACE.length) return;
          pending = pending.subarray(PREFACE.length);
          hasPreface = true;
        }
        while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
          let payload = pending.subarray(9, 9 + pending.readUIntBE(0, 3));
          const [type, flags, stream] = [pending[3], pending[4] ?? 0, pending.readUInt32BE(5)];
          pending = pending.subarray(9 + payload.length);
          try {
            if (type === SETTINGS && flags === ACK) peer.onSettingsAck?.();
            else if (type === SETTINGS) {
              for (let at = 0; at < payload.length; at += 6)
                if (payload.readUInt16BE(at) === SETTINGS_HEADER_TABLE_SIZE)
                  peer.onTableSize?.(payload.readUInt32BE(at + 2));
              socket.write(frame(SETTINGS, ACK, 0, EMPTY));
            } else if (type === HEADERS || type === CONTINUATION) {
              if (type === HEADERS && (flags & PADDED) !== 0)
                payload = payload.subarray(1, payload.length - (payload[0] ?? 0));
              if (type === HEADERS && (flags & PRIORITY) !== 0) payload = payload.subarray(5);
              fragments = Buffer.concat([fragments, payload]);
              if ((flags & END_HEADERS) === 0) continue;
              const whole = fragments;
              fragments = EMPTY;
              peer.onHeaders(socket, stream, whole);
            }
          } catch (thrown) {
            failure ??= thrown as Error;
            socket.destroy();
          }
        }
      });
      resolve(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { settings });
  client.on('error', () => undefined);
  try {
    await run(client, await accepted);
  } catch (thrown) {
    throw failure ?? (thrown as Error);
  } finally {
    client.destroy();
    (await accepted).destroy();
    server.close();
  }
  if (failure !== undefined) throw failure;
}

interface Response {
  readonly headers: IncomingHttpHeaders & { readonly [sensitiveHeaders]?: string[] };
}

/** A request, and what has come of it. */
async function request(
  client: ClientHttp2Session,
  fields: Readonly<Record<string, unknown>>,
): Promise<Response> {
  const stream = client.request(fields as Record<string, string>, { endStream: true });
  const [headers] = (await once(stream, 'response')) as [Response['headers']];
  stream.resume();
  await once(stream, 'close');
  return { headers };
}

const VISIBLE = String.fromCharCode(
  ...Array.from({ length: 0x5e }, (_, i) => 0x21 + i),
  ...Array.from({ length: 0x80 }, (_, i) => 0x80 + i),
);

function valueOf(random: SeededRandom): string {
  const visible = VISIBLE.split('');
  return Array.from({ length: random.between(1, 60) }, () => random.pick(visible)).join('');
}

function namesAndValues(random: SeededRandom): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let count = random.between(0, 12); count > 0; count -= 1) {
    const name = random.pick([
      'accept',
      'user-agent',
      'cookie',
      'x-a',
      'x-b',
      'authorization',
      'referer',
      'x-c',
      'server',
    ]);
    fields[name] = random.next() < 0.5 ? random.pick(['a', 'text/html', 'gzip', '*/*']) : valueOf(random);
  }
  return fields;
}

const lookedUp = (fields: readonly string[]): Record<string, string> =>
  Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : [])));

describe("Node's HTTP/2", () => {
  it('encodes what our decoder reads, with tables of all sizes', async () => {
    const random = new SeededRandom(11);
    const decoder: HpackDecoder = anyDecoder();
    const seen: Record<string, string>[] = [];
    const secrets: string[][] = [];
    let size = 4_096;
    let acknowledged = 0;
    await withClient(
      {
        onHeaders(socket, stream, block) {
          const { fields, neverIndexedNames } = decoder.decode(block);
          seen.push(lookedUp(fields));
          secrets.push([...neverIndexedNames]);
          socket.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, Buffer.from([0x88])));
        },
        onSettingsAck() {
          acknowledged += 1;
          // The first one is that of the greeting, which says nothing.
          if (acknowledged > 1) decoder.changeMaxTableBytes(size);
        },
      },
      {},
      async (client, socket) => {
        for (let i = 0; i < 300; i++) {
          if (i % 25 === 24) {
            size = random.pick([0, 40, 100, 300, 1_000, 4_096, 8_192]);
            socket.write(tableSize(size));
          }
          const fields = namesAndValues(random);
          const sent = { ':path': `/${i}`, ...fields, [sensitiveHeaders]: ['x-c'] };
          await request(client, sent);
          const { ':method': method, ':path': path, ...rest } = seen.at(-1) ?? {};
          expect([method, path]).to.deep.equal(['GET', `/${i}`]);
          delete rest[':authority'];
          delete rest[':scheme'];
          expect(rest).to.deep.equal(fields);
          expect(secrets.at(-1)?.includes('x-c')).to.equal('x-c' in fields);
        }
        expect(acknowledged).to.equal(13);
        expect(decoder.tableBytes).to.be.at.most(size);
      },
    );
  });

  it('has the same static table', async () => {
    const names = STATIC_NAMES.slice(1).filter((name) => !/^:|^transfer-encoding$/.test(name));
    const fields = Object.fromEntries(names.map((name) => [name, `of ${name}`]));
    fields['content-length'] = '0';
    const statuses = ['200', '204', '206', '304', '400', '404', '500'];
    const asked = [
      { ':method': 'GET', ':path': '/', ':scheme': 'http', ':authority': 'a', ...fields },
      { ':method': 'POST', ':path': '/index.html', ':scheme': 'https', 'accept-encoding': 'gzip, deflate' },
      ...statuses.map(() => ({ ':path': '/' })),
    ];
    const decoder = anyDecoder();
    const seen: Record<string, string>[] = [];
    await withClient(
      {
        onHeaders(socket, stream, block) {
          seen.push(lookedUp(decoder.decode(block).fields));
          // None of it is in a dynamic table.
          const answer = [
            ':status',
            statuses[seen.length % statuses.length] ?? '',
            ...Object.entries(fields).flat(),
          ];
          const response = new HpackEncoder().encode(answer, names);
          expect(response[0]).to.equal(0x80 + 8 + (seen.length % statuses.length));
          socket.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, response));
        },
      },
      {},
      async (client) => {
        for (const [i, sent] of asked.entries()) {
          const { headers } = await request(client, sent);
          expect(seen.at(-1)).to.include(sent);
          const { ':status': status, ...rest } = headers;
          expect(String(status)).to.equal(statuses[(i + 1) % statuses.length]);
          // Node has a list of one, and drops the other of a 204.
          const expected: Record<string, unknown> = { ...fields, 'set-cookie': [fields['set-cookie']] };
          if (String(status) === '204') delete expected['content-length'];
          expect(Object.fromEntries(Object.entries(rest))).to.deep.equal(expected);
        }
      },
    );
  });

  it('decodes what our encoder has made, with tables of all sizes', async () => {
    for (const headerTableSize of [undefined, 0, 100, 1_000, 65_536]) {
      const random = new SeededRandom(headerTableSize ?? 1);
      const encoder = new HpackEncoder({ maxTableBytes: random.pick([256, 4_096, 16_384]) });
      let answer: Record<string, string> = {};
      await withClient(
        {
          onHeaders(socket, stream) {
            const block = encoder.encode([':status', '200', ...Object.entries(answer).flat()], ['x-c']);
            socket.write(frame(HEADERS, END_STREAM | END_HEADERS, stream, block));
          },
          onTableSize: (bytes) => encoder.changePeerMaxTableBytes(bytes),
        },
        headerTableSize === undefined ? {} : { headerTableSize },
        async (client) => {
          for (let i = 0; i < 150; i++) {
            // A change while it goes on.
            if (i === 75) client.settings({ headerTableSize: 50 });
            answer = namesAndValues(random);
            const { headers } = await request(client, { ':path': `/${i}` });
            const { ':status': status, ...rest } = headers;
            expect(status).to.equal(200);
            expect(Object.fromEntries(Object.entries(rest))).to.deep.equal(answer);
            const secret = Object.keys(answer).filter((name) => /^(?:x-c|cookie|authorization)$/.test(name));
            expect([...(headers[sensitiveHeaders] ?? [])].sort()).to.deep.equal(secret.sort());
          }
        },
      );
    }
  });
});
