/**
 * What a server on HTTP/2 owes (RFC 9113, RFC 7541), case by case as h2spec asks for it, with the very error that each calls for. Sections are
 * those of RFC 9113 unless they say otherwise.
 */
import { expect } from 'chai';
import { startBackend, type Backend } from '../../support/backend.js';
import { connectTls } from '../../support/client.js';
import { startFront, type Front } from '../../support/front.js';
import { NAME, type Outcome, get, settings, ping } from '../../support/h2-conformance.js';
import { FIELD_CASES } from '../../support/h2-conformance-fields.js';
import { FRAME_CASES } from '../../support/h2-conformance-frames.js';
import {
  ACK,
  DATA,
  EMPTY,
  END_STREAM,
  frame,
  FrameClient,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  setting,
} from '../../support/raw-h2.js';

describe('A server on HTTP/2', () => {
  let backend: Backend;
  let front: Front;

  before(async () => {
    backend = await startBackend((incoming, response) => {
      incoming.resume();
      if (incoming.url !== '/held') incoming.on('end', () => response.end('hello'));
    });
    front = await startFront({ backends: [backend.url], settings: { http2Engine: 'own' } });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const connect = async (): Promise<FrameClient> => {
    const client = await FrameClient.connect(front.port, NAME);
    // What a test sends must not be more than the window that holds before this.
    await client.until('it is greeted', (seen) => seen.of(SETTINGS, 0).length >= 2);
    client.send(frame(SETTINGS, ACK, 0, EMPTY));
    return client;
  };
  const isAlive = async (client: FrameClient): Promise<void> => {
    const opaque = Buffer.from('is alive');
    client.send(frame(PING, 0, 0, opaque));
    const isAnswer = ({ flags, payload }: { flags: number; payload: Buffer }): boolean =>
      (flags & ACK) !== 0 && payload.equals(opaque);
    await client.until('it answers', (seen) => seen.isClosed || seen.of(PING, 0).some(isAnswer));
    expect(client.isClosed, 'the connection is closed').to.equal(false);
  };
  const codesOf = (client: FrameClient, type: number, id: number, at: number): number[] =>
    client.of(type, id).map(({ payload }) => payload.readUInt32BE(at));
  const isOver = (client: FrameClient, id: number): boolean =>
    client.frames.some(
      (each) => each.stream === id && each.type <= HEADERS && (each.flags & END_STREAM) !== 0,
    );

  const check = async (client: FrameClient, outcome: Outcome): Promise<void> => {
    if (outcome === 'nothing') {
      await isAlive(client);
      expect(client.of(GOAWAY, 0)).to.deep.equal([]);
    } else if ('connection' in outcome) {
      await client.until('it is closed', ({ isClosed }) => isClosed);
      expect(codesOf(client, GOAWAY, 0, 4)).to.deep.equal([outcome.connection]);
    } else if ('stream' in outcome) {
      await client.until(
        'it is reset',
        (seen) => seen.isClosed || seen.of(RST_STREAM, outcome.stream).length > 0,
      );
      expect(codesOf(client, RST_STREAM, outcome.stream, 0)).to.deep.equal([outcome.code]);
      await isAlive(client);
    } else {
      const id = outcome.answered;
      await client.until('it is answered', (seen) => seen.isClosed || isOver(seen, id));
      expect(client.of(HEADERS, id)).to.have.length(1);
      await isAlive(client);
    }
  };
  const saying = (outcome: Outcome): string => {
    if (outcome === 'nothing') return 'goes on after';
    if ('connection' in outcome) return `ends the connection with ${outcome.connection} for`;
    return 'stream' in outcome ? `resets the stream with ${outcome.code} for` : 'answers';
  };

  for (const [section, what, outcome, first, then] of [...FRAME_CASES, ...FIELD_CASES]) {
    it(`§${section} ${saying(outcome)} ${what}`, async () => {
      using client = await connect();
      client.send(...first);
      if (then !== undefined) {
        await client.until('the first part is answered', (seen) => isOver(seen, 1));
        client.send(...then);
      }
      await check(client, outcome);
    });
  }

  it('§3.4 begins with SETTINGS, and acknowledges those of the client', async () => {
    using client = await FrameClient.connect(front.port, NAME);
    await client.until('both have come', (seen) => seen.of(SETTINGS, 0).length >= 2);
    expect(client.frames[0]).to.include({ type: SETTINGS, flags: 0, stream: 0 });
    expect(client.of(SETTINGS, 0)[1]).to.deep.include({ flags: ACK, payload: EMPTY });
  });

  it('§3.4 ends a connection that begins with something else', async () => {
    const socket = await connectTls({ port: front.port, servername: NAME, ALPNProtocols: ['h2'] });
    const closed = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
    socket.resume().write(Buffer.from(PREFACE.toString('latin1').replace('PRI', 'GET'), 'latin1'));
    await closed;
  });

  it('§6.7 answers PING with what it says, and no answer to one', async () => {
    using client = await connect();
    client.send(ping(ACK), ping());
    await isAlive(client);
    expect(client.of(PING, 0).map(({ payload }) => payload.toString())).to.deep.equal([
      'h2 tests',
      'is alive',
    ]);
  });

  const bodyOf = (client: FrameClient): string[] =>
    client
      .of(DATA, 1)
      .map(({ payload }) => payload.toString())
      .filter((piece) => piece !== '');

  it('§6.5.3 takes the last of several values of a setting, and §6.9.1 sends no more than its window', async () => {
    using client = await connect();
    client.send(settings(setting(4, 100), setting(4, 1)), get());
    await client.until('an octet has come', (seen) => bodyOf(seen).length === 1);
    await isAlive(client);
    expect(bodyOf(client)).to.deep.equal(['h']);
  });

  it('§6.9.2 makes the windows of streams larger by settings, and smaller, below nothing', async () => {
    using client = await connect();
    client.send(settings(setting(4, 3)), get());
    await client.until('what may come has come', (seen) => bodyOf(seen).length === 1);
    client.send(settings(setting(4, 1)), frame(WINDOW_UPDATE, 0, 1, u32(2)));
    // 3 are sent of a window of 1 and 2.
    await isAlive(client);
    expect(bodyOf(client)).to.deep.equal(['hel']);
    client.send(settings(setting(4, 2)));
    await client.until('one more has come', (seen) => bodyOf(seen).length === 2);
    client.send(settings(setting(4, 65_535)));
    await client.until('all has come', (seen) => isOver(seen, 1));
    expect(bodyOf(client)).to.deep.equal(['hel', 'l', 'o']);
  });
});
