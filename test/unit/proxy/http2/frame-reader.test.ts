import { expect } from 'chai';
import { FrameReader, type FrameListener } from '../../../../lib/proxy/http2/frame-reader.js';
import { ErrorCode, Http2ConnectionError } from '../../../../lib/proxy/http2/frames.js';
import {
  CONTINUATION,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  GREETING,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
} from '../../../support/raw-h2.js';
import { splits } from '../../../support/splits.js';
import { SeededRandom } from '../../../support/truth-random.js';

const PRIORITY_FLAG = 0x20;
const ACK = 1;
const LIMITS = { maxBlockBytes: 64, maxContinuations: 4 };

/** Notes what it is told, DATA as one text however many pieces it came in. */
class Notes implements FrameListener {
  readonly told: unknown[][] = [];
  #data = '';
  frames = 0;

  onFrame(): void {
    this.frames += 1;
  }
  onData(streamId: number, flowBytes: number): void {
    this.#data = '';
    this.told.push(['data', streamId, flowBytes]);
  }
  onDataPiece(piece: Buffer): void {
    expect(piece.length).to.be.above(0);
    this.#data += piece.toString('latin1');
  }
  onDataEnd(isLast: boolean): void {
    this.told.at(-1)?.push(this.#data, isLast);
  }
  onHeaders(streamId: number, block: Buffer, isLast: boolean, dependsOn: number | undefined): void {
    this.told.push(['headers', streamId, block.toString('latin1'), isLast, dependsOn]);
  }
  onPriority(streamId: number, dependsOn: number): void {
    this.told.push(['priority', streamId, dependsOn]);
  }
  onReset(streamId: number, code: number): void {
    this.told.push(['reset', streamId, code]);
  }
  onSettings(settings: Buffer): void {
    this.told.push(['settings', settings.toString('hex')]);
  }
  onSettingsAck(): void {
    this.told.push(['settings ack']);
  }
  onPing(opaque: Buffer): void {
    this.told.push(['ping', opaque.toString('latin1')]);
  }
  onPingAck(opaque: Buffer): void {
    this.told.push(['ping ack', opaque.toString('latin1')]);
  }
  onGoaway(lastStreamId: number, code: number): void {
    this.told.push(['goaway', lastStreamId, code]);
  }
  onWindowUpdate(streamId: number, increment: number): void {
    this.told.push(['window', streamId, increment]);
  }
  onPriorityUpdate(streamId: number, value: string): void {
    this.told.push(['priority update', streamId, value]);
  }
  onStreamError(streamId: number, code: number): void {
    this.told.push(['stream error', streamId, code]);
  }
}

function readAll(pieces: readonly Buffer[]): Notes {
  const notes = new Notes();
  const reader = new FrameReader(notes, LIMITS);
  for (const piece of pieces) reader.read(piece);
  return notes;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What each is told as, behind a greeting. */
const FRAMES: readonly (readonly [title: string, bytes: Buffer, told: unknown[][]])[] = [
  ['DATA', frame(DATA, 0, 1, latin1('hello')), [['data', 1, 5, 'hello', false]]],
  ['the last DATA', frame(DATA, END_STREAM, 3, latin1('x')), [['data', 3, 1, 'x', true]]],
  ['empty DATA', frame(DATA, END_STREAM, 3, EMPTY), [['data', 3, 0, '', true]]],
  ['padded DATA', frame(DATA, PADDED, 1, latin1('\x02abc\0\0')), [['data', 1, 6, 'abc', false]]],
  ['DATA of padding alone', frame(DATA, PADDED, 1, latin1('\x02\0\0')), [['data', 1, 3, '', false]]],
  ['DATA with no padding, padded', frame(DATA, PADDED, 1, latin1('\0')), [['data', 1, 1, '', false]]],
  [
    'HEADERS',
    frame(HEADERS, END_HEADERS | END_STREAM, 1, latin1('block')),
    [['headers', 1, 'block', true, undefined]],
  ],
  ['empty HEADERS', frame(HEADERS, END_HEADERS, 1, EMPTY), [['headers', 1, '', false, undefined]]],
  [
    'HEADERS with padding and priority',
    frame(HEADERS, END_HEADERS | PADDED | PRIORITY_FLAG, 5, latin1('\x03\x80\0\0\x07\x10block\0\0\0')),
    [['headers', 5, 'block', false, 7]],
  ],
  [
    'HEADERS and its CONTINUATIONs',
    Buffer.concat([
      frame(HEADERS, END_STREAM, 1, latin1('one ')),
      frame(CONTINUATION, 0, 1, latin1('two ')),
      frame(CONTINUATION, END_HEADERS, 1, latin1('three')),
    ]),
    [['headers', 1, 'one two three', true, undefined]],
  ],
  ['PRIORITY', frame(PRIORITY, 0, 3, latin1('\0\0\0\x01\x10')), [['priority', 3, 1]]],
  ['PRIORITY of another length', frame(PRIORITY, 0, 3, u32(1)), [['stream error', 3, 6]]],
  ['RST_STREAM', frame(RST_STREAM, 0, 3, u32(8)), [['reset', 3, 8]]],
  ['SETTINGS', frame(SETTINGS, 0, 0, latin1('\0\x04\0\0\0\x01')), [['settings', '000400000001']]],
  ['an acknowledgement of SETTINGS', frame(SETTINGS, ACK, 0, EMPTY), [['settings ack']]],
  ['PING', frame(PING, 0, 0, latin1('12345678')), [['ping', '12345678']]],
  ['an answer to PING', frame(PING, ACK, 0, latin1('12345678')), [['ping ack', '12345678']]],
  ['GOAWAY', frame(GOAWAY, 0, 0, Buffer.concat([u32(5), u32(2), latin1('bye')])), [['goaway', 5, 2]]],
  ['WINDOW_UPDATE', frame(WINDOW_UPDATE, 0, 0, u32(0x8000_0001)), [['window', 0, 1]]],
  ['WINDOW_UPDATE of nothing', frame(WINDOW_UPDATE, 0, 7, u32(0)), [['window', 7, 0]]],
  [
    'PRIORITY_UPDATE',
    frame(0x10, 0, 0, Buffer.concat([u32(3), latin1('u=1, i')])),
    [['priority update', 3, 'u=1, i']],
  ],
  ['a type that nobody knows', frame(0x42, 0xff, 9, latin1('whatever')), []],
  ['a reserved bit', frame(PING, 0, 0x8000_0000, latin1('12345678')), [['ping', '12345678']]],
];

/** What ends the connection, behind a greeting. */
const ERRORS: readonly (readonly [title: string, bytes: Buffer, code: keyof typeof ErrorCode])[] = [
  ['a frame that is too long', frame(DATA, 0, 1, Buffer.alloc(16_385)), 'frameSizeError'],
  ['DATA without a stream', frame(DATA, 0, 0, latin1('x')), 'protocolError'],
  ['HEADERS without a stream', frame(HEADERS, END_HEADERS, 0, EMPTY), 'protocolError'],
  ['PRIORITY without a stream', frame(PRIORITY, 0, 0, latin1('\0\0\0\x01\x10')), 'protocolError'],
  ['RST_STREAM without a stream', frame(RST_STREAM, 0, 0, u32(0)), 'protocolError'],
  ['SETTINGS of a stream', frame(SETTINGS, 0, 1, EMPTY), 'protocolError'],
  ['PING of a stream', frame(PING, 0, 1, Buffer.alloc(8)), 'protocolError'],
  ['GOAWAY of a stream', frame(GOAWAY, 0, 1, Buffer.alloc(8)), 'protocolError'],
  ['PRIORITY_UPDATE of a stream', frame(0x10, 0, 1, Buffer.alloc(8)), 'protocolError'],
  ['PUSH_PROMISE', frame(PUSH_PROMISE, END_HEADERS, 1, u32(2)), 'protocolError'],
  ['CONTINUATION alone', frame(CONTINUATION, END_HEADERS, 1, EMPTY), 'protocolError'],
  ['RST_STREAM of another length', frame(RST_STREAM, 0, 1, Buffer.alloc(5)), 'frameSizeError'],
  ['SETTINGS of another length', frame(SETTINGS, 0, 0, Buffer.alloc(5)), 'frameSizeError'],
  ['an acknowledgement that says something', frame(SETTINGS, ACK, 0, Buffer.alloc(6)), 'frameSizeError'],
  ['PING of another length', frame(PING, 0, 0, Buffer.alloc(7)), 'frameSizeError'],
  ['GOAWAY that is too short', frame(GOAWAY, 0, 0, Buffer.alloc(7)), 'frameSizeError'],
  ['WINDOW_UPDATE of another length', frame(WINDOW_UPDATE, 0, 0, Buffer.alloc(3)), 'frameSizeError'],
  ['PRIORITY_UPDATE that is too short', frame(0x10, 0, 0, Buffer.alloc(3)), 'frameSizeError'],
  ['DATA with more padding than there is', frame(DATA, PADDED, 1, latin1('\x03ab')), 'protocolError'],
  ['DATA that is padded, and empty', frame(DATA, PADDED, 1, EMPTY), 'frameSizeError'],
  [
    'HEADERS with more padding than there is',
    frame(HEADERS, PADDED | END_HEADERS, 1, latin1('\x04ab')),
    'protocolError',
  ],
  ['HEADERS that is padded, and empty', frame(HEADERS, PADDED | END_HEADERS, 1, EMPTY), 'frameSizeError'],
  [
    'HEADERS too short for its priority',
    frame(HEADERS, PRIORITY_FLAG | END_HEADERS, 1, u32(1)),
    'frameSizeError',
  ],
  [
    'HEADERS with padding where its priority is',
    frame(HEADERS, PADDED | PRIORITY_FLAG | END_HEADERS, 1, latin1('\x01\0\0\0\x01\x10')),
    'protocolError',
  ],
  [
    'another stream within a block',
    Buffer.concat([frame(HEADERS, 0, 1, EMPTY), frame(CONTINUATION, END_HEADERS, 3, EMPTY)]),
    'protocolError',
  ],
  [
    'another type within a block',
    Buffer.concat([frame(HEADERS, 0, 1, EMPTY), frame(0x42, 0, 0, EMPTY)]),
    'protocolError',
  ],
  [
    'a block that is too long',
    Buffer.concat([frame(HEADERS, 0, 1, Buffer.alloc(60)), frame(CONTINUATION, 0, 1, Buffer.alloc(5))]),
    'enhanceYourCalm',
  ],
  [
    'a block of too many frames',
    Buffer.concat([
      frame(HEADERS, 0, 1, EMPTY),
      ...Array.from({ length: 5 }, () => frame(CONTINUATION, 0, 1, EMPTY)),
    ]),
    'enhanceYourCalm',
  ],
];

/** The code of the error that the connection ends with; undefined: it goes on. */
function codeOf(pieces: readonly Buffer[]): number | undefined {
  try {
    readAll(pieces);
    return undefined;
  } catch (thrown) {
    expect(thrown).to.be.instanceOf(Http2ConnectionError);
    return (thrown as Http2ConnectionError).code;
  }
}

function anyFrame(random: SeededRandom, types: readonly number[]): Buffer {
  const length = random.pick([0, 1, 4, 4, 5, 6, 8, 8, 12]);
  return frame(
    random.pick(types),
    random.pick([0, 1, 4, 5, 8, 9, 0x20, 0x25, 0x2d]),
    random.pick([0, 1, 1, 3]),
    Buffer.from(Array.from({ length }, () => random.pick([0, 1, 2, 255]))),
  );
}

const inPieces = (bytes: Buffer): Buffer[][] =>
  splits(bytes.toString('latin1')).map((pieces) => pieces.map((piece) => latin1(piece)));

describe('Frames of HTTP/2', () => {
  for (const [title, bytes, told] of FRAMES) {
    it(`tell ${title}, in whatever pieces it comes`, () => {
      for (const pieces of inPieces(Buffer.concat([GREETING, bytes]))) {
        const notes = readAll(pieces);
        expect(notes.told).to.deep.equal([['settings', ''], ...told]);
      }
    });
  }

  for (const [title, bytes, code] of ERRORS) {
    it(`end the connection: ${title}`, () => {
      for (const pieces of bytes.length > 1_000
        ? [[GREETING, bytes]]
        : inPieces(Buffer.concat([GREETING, bytes])))
        expect(codeOf(pieces)).to.equal(ErrorCode[code]);
    });
  }

  it('are all counted before they are read', () => {
    const bytes = Buffer.concat([GREETING, ...FRAMES.map(([, each]) => each)]);
    expect(readAll([bytes]).frames).to.equal(FRAMES.length + 3);
  });

  it('begin with the preface and SETTINGS', () => {
    const { protocolError } = ErrorCode;
    expect(codeOf([latin1('GET / HTTP/1.1\r\n\r\n')])).to.equal(protocolError);
    expect(codeOf([latin1('PRI * HTTP/2.0\r\n\r\nSX')])).to.equal(protocolError);
    expect(codeOf([PREFACE, frame(PING, 0, 0, Buffer.alloc(8))])).to.equal(protocolError);
    expect(codeOf([PREFACE, frame(SETTINGS, ACK, 0, EMPTY)])).to.equal(protocolError);
  });

  it('are told no more once the reader is stopped', () => {
    const notes = new Notes();
    const reader = new FrameReader(notes, LIMITS);
    notes.onPing = () => reader.stop();
    const ping = frame(PING, 0, 0, Buffer.alloc(8));
    reader.read(Buffer.concat([GREETING, ping, frame(RST_STREAM, 0, 1, u32(0))]));
    reader.read(ping);
    expect(notes.told).to.deep.equal([['settings', '']]);
  });

  it('of any bytes are told alike in any pieces, or end the connection alike', () => {
    const random = new SeededRandom(20_261_126);
    const types = [...Array(11).keys(), 0x10, 0x42];
    let errors = 0;
    for (let run = 0; run < 3_000; run++) {
      const frames = Array.from({ length: 4 }, () =>
        random.next() < 0.8 ? random.pick(FRAMES)[1] : anyFrame(random, types),
      );
      const bytes = Buffer.concat([GREETING, ...frames]);
      const outcome = (pieces: readonly Buffer[]): unknown => {
        const notes = new Notes();
        const reader = new FrameReader(notes, LIMITS);
        try {
          for (const piece of pieces) reader.read(piece);
          return notes.told;
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(Http2ConnectionError);
          return [notes.told.slice(0, 2), (thrown as Http2ConnectionError).code];
        }
      };
      const at = Math.floor(random.between(1, bytes.length));
      const whole = outcome([bytes]);
      errors += Array.isArray(whole) && whole.length === 2 && typeof whole[1] === 'number' ? 1 : 0;
      expect(outcome([bytes.subarray(0, at), bytes.subarray(at)])).to.deep.equal(whole);
      expect(outcome([...bytes].map((octet) => Buffer.of(octet)))).to.deep.equal(whole);
    }
    expect(errors).to.be.within(500, 2_900);
  });
});
