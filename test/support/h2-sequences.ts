/**
 * Sequences of HTTP/2 frames, right and wrong, from a seed: requests whose frames are mixed, and among them one thing at a time that may
 * be wrong.
 */
import { BlockWriter, madeHead, type HeadOptions } from './h2-field-cases.js';
import { count } from './http1-messages.js';
import {
  CONTINUATION,
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
  type Field,
  setting,
} from './raw-h2.js';
import type { SeededRandom } from './truth-random.js';

/** What a sequence does with one stream. */
export interface StreamPlan {
  readonly id: number;
  readonly mark: string;
  readonly label: string;
  /** The client has given it up: what comes of it is nobody's business any more. */
  isCancelled: boolean;
}

/** What is sent at once, and what is waited for behind it. */
export interface Stretch {
  /** What may be wrong with it, but for what its streams' labels say. */
  readonly label: string;
  readonly frames: readonly Buffer[];
  /** The same octets, as they are written. */
  readonly pieces: readonly Buffer[];
  readonly streams: readonly StreamPlan[];
}

export interface Sequence {
  readonly stretches: readonly Stretch[];
  readonly frameCount: number;
}

const HIGHEST_PRIORITY_FLAG = 0x20;
const PRIORITY_UPDATE = 0x10;
const MAX_FRAME_BYTES = 16_384;
/** nghttp2 takes no block of more than nine frames. */
const MAX_PARTS = 3;

export class SequenceMaker {
  readonly random: SeededRandom;
  readonly blocks: BlockWriter;
  #nextId = 1;
  readonly #name: string;
  #frames: Buffer[] = [];
  #streams: StreamPlan[] = [];
  readonly #stretches: Stretch[] = [];

  /** @param name no other sequence's. */
  constructor(random: SeededRandom, name: string) {
    this.random = random;
    this.blocks = new BlockWriter(random);
    this.#name = name;
  }

  /** The number of the next stream. @param step some numbers may be left out */
  takeId(step = 0): number {
    const id = this.#nextId + 2 * step;
    this.#nextId = id + 2;
    return id;
  }

  markOf(id: number): string {
    return `${this.#name}-${id}`;
  }

  /** Such a stream is asked for: something comes of it. */
  expects(id: number, label: string): StreamPlan {
    const plan = { id, mark: this.markOf(id), label, isCancelled: false };
    this.#streams.push(plan);
    return plan;
  }

  push(...frames: readonly Buffer[]): void {
    this.#frames.push(...frames);
  }

  /** HEADERS of some fields, in any number of frames. */
  head(id: number, fields: readonly Field[], isLast: boolean): Buffer[] {
    const { random } = this;
    let rest = this.blocks.write(fields);
    const isCut = random.next() < 0.2 || rest.length > MAX_FRAME_BYTES - 300;
    const first = isCut
      ? rest.subarray(0, Math.min(count(random, rest.length + 1), MAX_FRAME_BYTES - 300))
      : rest;
    rest = rest.subarray(first.length);
    let flags = isLast ? END_STREAM : 0;
    const parts = [first];
    if (random.next() < 0.15) {
      flags |= HIGHEST_PRIORITY_FLAG;
      parts.unshift(u32(count(random, 2) * 0x8000_0000 + (id + 2)), Buffer.from([count(random, 256)]));
    }
    if (random.next() < 0.15) {
      const padding = count(random, 40);
      flags |= PADDED;
      parts.unshift(Buffer.from([padding]));
      parts.push(Buffer.alloc(padding));
    }
    if (!isCut) return [frame(HEADERS, flags | END_HEADERS, id, Buffer.concat(parts))];
    const frames = [frame(HEADERS, flags, id, Buffer.concat(parts))];
    do {
      const isLastPart = frames.length === MAX_PARTS && rest.length <= MAX_FRAME_BYTES;
      const bytes = isLastPart ? rest.length : Math.min(count(random, rest.length + 1), MAX_FRAME_BYTES);
      const part = rest.subarray(0, frames.length < MAX_PARTS ? bytes : MAX_FRAME_BYTES);
      rest = rest.subarray(part.length);
      frames.push(frame(CONTINUATION, rest.length === 0 ? END_HEADERS : 0, id, part));
    } while (rest.length > 0);
    return frames;
  }

  data(id: number, text: string | Buffer, isLast: boolean): Buffer {
    const flags = isLast ? END_STREAM : 0;
    if (this.random.next() < 0.8) return frame(DATA, flags, id, Buffer.from(text));
    const padding = count(this.random, 256);
    const parts = [Buffer.from([padding]), Buffer.from(text), Buffer.alloc(padding)];
    return frame(DATA, flags | PADDED, id, Buffer.concat(parts));
  }

  /** A request in one or several frames. What goes before a block is written in that order. */
  request(options: Partial<HeadOptions> = {}): void {
    const id = this.takeId(this.random.next() < 0.05 ? 1 : 0);
    const { label, fields } = madeHead(this.random, { mark: this.markOf(id), ...options });
    this.expects(id, label);
    this.push(...this.head(id, fields, true));
  }

  /** Requests whose bodies are mixed with each other, and with what harms nobody. */
  traffic(requests: number): void {
    const { random } = this;
    const bodies: (() => void)[][] = [];
    for (let left = requests; left > 0; left--) {
      this.#harmless();
      if (random.next() < 0.5) this.request();
      else bodies.push(this.#upload());
      this.#some(bodies);
    }
    while (bodies.length > 0) this.#some(bodies);
  }

  /** Ends the stretch. */
  end(label: string): void {
    const octets = Buffer.concat(this.#frames);
    this.#stretches.push({
      ...{ label, frames: this.#frames, streams: this.#streams },
      pieces: cut(this.random, octets),
    });
    this.#frames = [];
    this.#streams = [];
  }

  finish(): Sequence {
    const stretches = this.#stretches;
    return { stretches, frameCount: stretches.reduce((sum, { frames }) => sum + frames.length, 0) };
  }

  /** The next step of one body, or of several. */
  #some(bodies: (() => void)[][]): void {
    for (let left = count(this.random, 4); left > 0 && bodies.length > 0; left--) {
      const at = count(this.random, bodies.length);
      bodies[at]?.shift()?.();
      if (bodies[at]?.length === 0) bodies.splice(at, 1);
      if (this.random.next() < 0.2) this.#harmless();
    }
  }

  /** A request with a body. @returns what is still to be sent. */
  #upload(): (() => void)[] {
    const { random } = this;
    const id = this.takeId();
    const pieces = Array.from({ length: count(random, 4) }, () =>
      'b'.repeat(count(random, random.next() < 0.1 ? 3_000 : 20)),
    );
    const length = pieces.join('').length;
    const off = random.next() < 0.7 ? 0 : random.pick([-1, 1, 1_000]);
    const saysLength = random.next() < 0.5 && length + off >= 0;
    const more: Field[] = saysLength ? [['content-length', String(length + off)]] : [];
    const isPlain = saysLength || random.next() < 0.7;
    const head = madeHead(random, { mark: this.markOf(id), hasBody: true, more, isPlain });
    const trailers = random.next() < 0.25 ? madeTrailers(random) : undefined;
    const label = [
      head.label,
      ...(saysLength && off !== 0 ? [off > 0 ? 'a body below its length' : 'a body above its length'] : []),
    ];
    const plan = this.expects(id, [...label, ...(trailers ? [trailers.label] : [])].join(' + '));
    this.push(...this.head(id, head.fields, false));
    const isLastEmpty = pieces.length === 0 || random.next() < 0.3;
    const steps = pieces.map((piece, i) => () => {
      this.push(this.data(id, piece, trailers === undefined && !isLastEmpty && i === pieces.length - 1));
    });
    if (random.next() < 0.08) {
      plan.isCancelled = true;
      steps.splice(count(random, steps.length + 1));
      steps.push(() => this.push(frame(RST_STREAM, 0, id, u32(count(random, 16)))));
    } else if (trailers !== undefined) steps.push(() => this.push(...this.head(id, trailers.fields, true)));
    else if (isLastEmpty) steps.push(() => this.push(this.data(id, EMPTY, true)));
    return steps;
  }

  /** Something that nobody minds, or nothing. */
  #harmless(): void {
    const { random } = this;
    const id = count(random, 40) * 2 + 1;
    const kinds: (() => Buffer)[] = [
      () => frame(PING, 0, 0, Buffer.from('harmless')),
      () => frame(PRIORITY, 0, id, Buffer.concat([u32(id + 2), Buffer.from([7])])),
      () =>
        frame(0xb + count(random, 5), count(random, 256), count(random, 9), Buffer.alloc(count(random, 30))),
      () => frame(0xfa, count(random, 256), count(random, 9), EMPTY),
      () => frame(WINDOW_UPDATE, 0, 0, u32(1 + count(random, 1_000))),
      () => frame(SETTINGS, 0, 0, setting(0xfa, 1)),
      () =>
        frame(
          SETTINGS,
          0,
          0,
          Buffer.concat([setting(1, random.pick([0, 100, 4_096, 65_536])), setting(2, 0)]),
        ),
      () => frame(SETTINGS, 0, 0, Buffer.concat([setting(4, count(random, 70_000)), setting(4, 65_535)])),
      () =>
        frame(
          SETTINGS,
          0,
          0,
          Buffer.concat([setting(5, 16_384 + count(random, 1_000)), setting(6, 100_000)]),
        ),
      () => frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([u32(id), Buffer.from('u=2')])),
    ];
    const kind = random.next();
    if (kind < 0.4) this.push(random.pick(kinds)());
    else if (kind < 0.45) this.blocks.resize(random.pick([0, 50, 200, 1_000, 4_096]));
  }
}

const TRAILERS: readonly (readonly [label: string, fields: readonly Field[]])[] = [
  ['trailers', [['x-trailer', '1']]],
  [
    'trailers',
    [
      ['x-trailer', '1'],
      ['x-other', '\xe4'],
    ],
  ],
  ['no trailers', []],
  [
    'trailers with a pseudo field',
    [
      ['x-trailer', '1'],
      [':path', '/'],
    ],
  ],
  ['trailers with a capital', [['X-Trailer', '1']]],
  ['trailers with a line end', [['x-trailer', 'a\r\nb: c']]],
  ['trailers with connection', [['connection', 'x']]],
  ['trailers with a length', [['content-length', '1']]],
  ['trailers with Host', [['host', 'c.test']]],
  ['trailers with an empty name', [['', '1']]],
  ['trailers with TE', [['te', 'gzip']]],
];

function madeTrailers(random: SeededRandom): { readonly label: string; readonly fields: readonly Field[] } {
  const [label, fields] = random.next() < 0.4 ? (TRAILERS[0] ?? ['', []]) : random.pick(TRAILERS);
  return { label, fields };
}

/** At any places. */
function cut(random: SeededRandom, octets: Buffer): Buffer[] {
  const places = Array.from({ length: count(random, 6) }, () => count(random, octets.length + 1));
  const ends = [...new Set(places.filter((at) => at > 0 && at < octets.length))].sort((a, b) => a - b);
  return [...ends, octets.length].map((end, i) => octets.subarray(ends[i - 1] ?? 0, end));
}
