/**
 * gRPC by grpc-js, client and server, with the proxy between them.
 */
import { expect } from 'chai';
import {
  type CallOptions,
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type MetadataValue,
  Server,
  ServerCredentials,
  status,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.js';
import { startFront, type Front } from '../../support/front.js';

const same = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  ...{ requestStream, responseStream, originalName: name },
  ...{ requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same },
});
const SERVICE = {
  Unary: method('Unary', false, false),
  Refuse: method('Refuse', false, false),
  Never: method('Never', false, false),
  Many: method('Many', false, true),
  Break: method('Break', false, true),
  Sum: method('Sum', true, false),
  Chat: method('Chat', true, true),
} satisfies ServiceDefinition;

/** Nothing in it is a character of its own in a `grpc-message`. */
const DETAILS = 'nö: 100 % / \u{1f512}';
const MIB = 1024 ** 2;

function trailers(): Metadata {
  const metadata = new Metadata();
  metadata.set('x-after', 'ok');
  metadata.set('x-after-bin', Buffer.from([0, 255, 13, 10]));
  return metadata;
}

/** @param cancelled gets the name of each call that its client has given up */
function implementation(cancelled: string[]): UntypedServiceImplementation {
  const refusal = (): Partial<ServiceError> => ({
    ...{ code: status.FAILED_PRECONDITION, details: DETAILS, metadata: trailers() },
  });
  const service: Record<keyof typeof SERVICE, (...args: never[]) => void> = {
    Unary: (
      call: { request: Buffer; metadata: Metadata; sendMetadata(m: Metadata): void },
      callback: Unary,
    ) => {
      const before = new Metadata();
      for (const key of ['x-text', 'x-raw-bin']) {
        for (const value of call.metadata.get(key)) before.add(key, value);
      }
      call.sendMetadata(before);
      callback(null, call.request, trailers());
    },
    Refuse: (_: unknown, callback: Unary) => callback(refusal()),
    Never: (call: Duplex) => call.on('cancelled', () => cancelled.push('Never')),
    Many: (call: Duplex & { request: Buffer }) => {
      const count = call.request.readUInt32BE();
      for (let i = 0; i < count; i++) call.write(Buffer.from(`message ${i}`));
      call.end();
    },
    Break: (call: Duplex) => {
      call.write(Buffer.from('one'));
      call.emit('error', refusal());
    },
    Sum: (call: Duplex, callback: Unary) => {
      let bytes = 0;
      call.on('data', (piece: Buffer) => (bytes += piece.length));
      call.on('end', () => callback(null, Buffer.from(String(bytes))));
    },
    Chat: (call: Duplex) => {
      call.on('cancelled', () => cancelled.push('Chat'));
      call.on('data', (piece: Buffer) => call.write(piece));
      call.on('end', () => call.end());
    },
  };
  return service as unknown as UntypedServiceImplementation;
}

type Unary = (error: Partial<ServiceError> | null, value?: Buffer, trailer?: Metadata) => void;

/** What a unary call has come to. */
interface Outcome {
  readonly error: ServiceError | null;
  readonly value: Buffer | undefined;
  readonly before: Metadata | undefined;
  readonly after: Metadata | undefined;
}

describe('gRPC', () => {
  let server: Server;
  let front: Front;
  let client: Client;
  const cancelled: string[] = [];

  const clientOf = ({ port }: Front, options = {}): Client =>
    new Client(`127.0.0.1:${port}`, credentials.createSsl(null, null, null, { rejectUnauthorized: false }), {
      'grpc.ssl_target_name_override': 'a.test',
      'grpc.default_authority': 'a.test',
      ...options,
    });

  before(async () => {
    server = new Server({ 'grpc.max_receive_message_length': -1 });
    server.addService(SERVICE, implementation(cancelled));
    const bind = promisify(server.bindAsync.bind(server));
    const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    front = await startFront({ backends: [`h2+http://127.0.0.1:${port}`] });
    client = clientOf(front, { 'grpc.max_receive_message_length': -1 });
  });
  beforeEach(() => (cancelled.length = 0));
  after(async () => {
    client.close();
    server.forceShutdown();
    await front[Symbol.asyncDispose]();
  });

  function unary(
    name: keyof typeof SERVICE,
    value: Buffer,
    {
      metadata = new Metadata(),
      by = client,
      ...options
    }: CallOptions & { metadata?: Metadata; by?: Client } = {},
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      let before: Metadata | undefined;
      let after: Metadata | undefined;
      const { path } = SERVICE[name];
      const call = by.makeUnaryRequest(path, same, same, value, metadata, options, (error, answer) =>
        // The status comes in the same turn, perhaps behind it.
        setImmediate(() => resolve({ error, value: answer, before, after })),
      );
      call.on('metadata', (got) => (before = got));
      call.on('status', (end) => (after = end.metadata));
    });
  }

  async function messagesOf(call: Duplex): Promise<string[]> {
    const messages: string[] = [];
    for await (const message of call) messages.push(String(message));
    return messages;
  }

  const first = (metadata: Metadata | undefined, key: string): MetadataValue | undefined =>
    metadata?.get(key)[0];

  it('calls have their metadata before and after the answer, of text and of octets', async () => {
    const metadata = new Metadata();
    const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    metadata.set('x-text', 'a b,c');
    metadata.set('x-raw-bin', octets);
    const { error, value, before, after } = await unary('Unary', Buffer.from('hello'), { metadata });
    expect(error).to.equal(null);
    expect(String(value)).to.equal('hello');
    expect(first(before, 'x-text')).to.equal('a b,c');
    expect(first(before, 'x-raw-bin')).to.deep.equal(octets);
    expect(first(after, 'x-after')).to.equal('ok');
    expect(first(after, 'x-after-bin')).to.deep.equal(Buffer.from([0, 255, 13, 10]));
  });

  it('messages pass empty, of 8 MiB, and compressed', async () => {
    using zipping = Object.assign(
      clientOf(front, {
        'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
        'grpc.max_receive_message_length': -1,
      }),
      { [Symbol.dispose]: () => zipping.close() },
    );
    for (const by of [client, zipping]) {
      for (const bytes of [0, 1, 8 * MIB]) {
        const sent = Buffer.alloc(bytes, 'abc');
        const { error, value } = await unary('Unary', sent, { by });
        expect(error).to.equal(null);
        expect(value?.equals(sent)).to.equal(true);
      }
    }
  });

  it('a thousand messages come in their order', async () => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(1_000);
    const call = client.makeServerStreamRequest(SERVICE.Many.path, same, same, count);
    const messages = await messagesOf(call as unknown as Duplex);
    expect(messages).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => `message ${i}`));
  });

  it('an upload of a thousand messages waits for who takes them, and arrives whole', async () => {
    const piece = Buffer.alloc(16_000);
    const sum = await new Promise<Buffer | undefined>((resolve, reject) => {
      const call = client.makeClientStreamRequest(SERVICE.Sum.path, same, same, (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
      void (async () => {
        for (let i = 0; i < 1_000; i++) if (!call.write(piece)) await once(call, 'drain');
        call.end();
      })();
    });
    expect(Number(sum)).to.equal(1_000 * piece.length);
  });

  it('both sides of a stream speak in turns, on a hundred streams at once', async () => {
    const talk = async (): Promise<void> => {
      const call = client.makeBidiStreamRequest(SERVICE.Chat.path, same, same);
      const answers = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      for (const word of ['one', 'two', 'three']) {
        call.write(Buffer.from(word));
        expect(String((await answers.next()).value)).to.equal(word);
      }
      call.end();
      expect((await answers.next()).done).to.equal(true);
    };
    await Promise.all(Array.from({ length: 100 }, talk));
  });

  it('errors come with their code, their words and their metadata, at once and behind a message', async () => {
    const { error } = await unary('Refuse', Buffer.alloc(0));
    const call = client.makeServerStreamRequest(SERVICE.Break.path, same, same, Buffer.alloc(0));
    const messages: string[] = [];
    call.on('data', (message: Buffer) => messages.push(String(message)));
    const [late] = (await once(call, 'error')) as [ServiceError];
    expect(messages).to.deep.equal(['one']);
    for (const one of [error, late]) {
      expect(one).to.include({ code: status.FAILED_PRECONDITION, details: DETAILS });
      expect(first(one?.metadata, 'x-after')).to.equal('ok');
      expect(first(one?.metadata, 'x-after-bin')).to.deep.equal(Buffer.from([0, 255, 13, 10]));
    }
  });

  it('a method that is not there is UNIMPLEMENTED', async () => {
    const path = '/test.Echo/Nothing';
    const code = await new Promise((resolve) =>
      client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error) => resolve(error?.code)),
    );
    expect(code).to.equal(status.UNIMPLEMENTED);
  });

  it('a deadline ends a call on both sides', async () => {
    const { error } = await unary('Never', Buffer.alloc(0), { deadline: Date.now() + 300 });
    expect(error?.code).to.equal(status.DEADLINE_EXCEEDED);
    await eventually('the server hears of it', () => cancelled.includes('Never'));
  });

  it('a call that its client gives up is given up at the server, and those beside it go on', async () => {
    const kept = client.makeBidiStreamRequest(SERVICE.Chat.path, same, same);
    const given = client.makeBidiStreamRequest(SERVICE.Chat.path, same, same);
    for (const call of [kept, given]) {
      call.write(Buffer.from('hello'));
      await once(call, 'data');
    }
    given.on('error', () => undefined).cancel();
    await eventually('the server hears of it', () => cancelled.length > 0);
    expect(cancelled).to.deep.equal(['Chat']);
    kept.write(Buffer.from('more'));
    const [message] = (await once(kept, 'data')) as [Buffer];
    expect(String(message)).to.equal('more');
    kept.end();
    await once(kept.resume(), 'end');
  });

  it('a backend that cannot be connected is UNAVAILABLE', async () => {
    const limits = { backendRestartWaitMs: 0 };
    await using down = await startFront({ backends: ['h2+http://127.0.0.1:1'], limits });
    const by = clientOf(down);
    const { error } = await unary('Unary', Buffer.alloc(0), { by });
    by.close();
    expect(error?.code).to.equal(status.UNAVAILABLE);
  });
});
