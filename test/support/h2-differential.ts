/**
 * Sends the same octets to both HTTP/2 engines, and compares what has come of them: what arrives at the backend, what each stream is
 * answered, and whether the connection lives.
 *
 * Nothing is answered while a stretch of a sequence is sent: what a frame means to a stream does not depend on how fast its backend is. A
 * PING behind each stretch says that it is read. So each difference is one between the engines, and must be in `ALLOWANCES`.
 */
import type { WorkerSettings } from '../../lib/config/worker-settings.js';
import { allowanceFor, type Allowance, type Seen, type Subject } from './h2-allowances.js';
import { MARK } from './h2-field-cases.js';
import type { Sequence, Stretch, StreamPlan } from './h2-sequences.js';
import { startFront, type Front } from './front.js';
import { anyDecoder } from './hpack.js';
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
  RST_STREAM,
  SETTINGS,
} from './raw-h2.js';
import { startRecordingBackend, type RecordedRequest, type RecordingBackend } from './recording-backend.js';

/** Far above what anything takes on a loaded machine. */
const TIMEOUT_MS = 15_000;
const PADDED_FLAG = 8;
/** What the proxy says of a request by itself; a key of a WebSocket is made up. */
const OURS = /^(?:x-request-id|x-forwarded-.*|x-real-ip|forwarded|via|sec-websocket-key)$/;

type EngineName = WorkerSettings['http2Engine'];

interface Engine extends AsyncDisposable {
  readonly front: Front;
  readonly backend: RecordingBackend;
}

/** Both engines, each before a backend of its own. */
export interface EnginePair extends AsyncDisposable {
  readonly own: Engine;
  readonly node: Engine;
}

interface Result {
  /** What each stretch has left: `alive`, or `ended`. */
  readonly ends: readonly string[];
  /** Of the GOAWAY, if there was one. */
  readonly errorCode: number | undefined;
  /** By their numbers: a status, with `cut` where it has not come to its end, or `reset`. */
  readonly answers: ReadonlyMap<number, string>;
  /** The same for the bodies of answers. */
  readonly bodies: ReadonlyMap<number, string>;
  /** The requests with a mark, as they have arrived. */
  askedFor(this: void, mark: string): readonly string[];
  /** What no strict reader takes for a request. */
  readonly errors: readonly string[];
}

export interface Difference extends Seen {
  readonly allowed: Allowance | undefined;
}

export async function startEnginePair(): Promise<EnginePair> {
  const own = await startEngine('own');
  const node = await startEngine('node');
  return {
    ...{ own, node },
    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

async function startEngine(http2Engine: EngineName): Promise<Engine> {
  const backend = await startRecordingBackend();
  const front = await startFront({ backends: [backend.url], settings: { http2Engine } });
  return {
    ...{ backend, front },
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** @returns what is different, allowed or not. */
export async function compare({ own, node }: EnginePair, sequence: Sequence): Promise<Difference[]> {
  const [mine, other] = await Promise.all([run(own, sequence), run(node, sequence)]);
  const differences: Difference[] = [];
  const note = (subject: Subject, label: string, ownText: string, nodeText: string): void => {
    if (ownText === nodeText) return;
    const seen = { subject, label, own: ownText, node: nodeText };
    differences.push({ ...seen, allowed: allowanceFor(seen) });
  };
  note('backend', 'what is no request', mine.errors.join(), other.errors.join());
  note('backend', 'what nobody has asked for', mine.askedFor('').join(), other.askedFor('').join());
  for (const [i, stretch] of sequence.stretches.entries()) {
    const [ownEnd, nodeEnd] = [mine.ends[i], other.ends[i]];
    if (ownEnd === undefined || nodeEnd === undefined) break;
    const sent = [stretch.label, ...stretch.streams.map(({ label }) => label)].join(' + ');
    note('connection', sent, ownEnd, nodeEnd);
    if (ownEnd === 'ended') note('code', stretch.label, ...codes(mine, other, nodeEnd));
    const isWhole = ownEnd === 'alive' && nodeEnd === 'alive';
    for (const plan of stretch.streams) {
      const [asked, otherAsked] = [mine.askedFor(plan.mark), other.askedFor(plan.mark)];
      if (isWhole && !plan.isCancelled) {
        note(
          ...(['answer', plan.label] as const),
          outcome(mine.answers.get(plan.id), asked),
          outcome(other.answers.get(plan.id), otherAsked),
        );
        note('body', plan.label, ...bodies(mine, other, plan.id));
      }
      if (asked.length === otherAsked.length) note('request', plan.label, asked.join(), otherAsked.join());
    }
    if (!isWhole) break;
  }
  return differences;
}

function outcome(answer = 'none', requests: readonly string[]): string {
  return `${answer}, ${requests.length === 0 ? 'not asked' : `asked ${requests.length}`}`;
}

/** What is told of either connection's end, where both have one to tell of. Ours is never silent. */
function codes(mine: Result, other: Result, nodeEnd: string): [own: string, node: string] {
  const own = String(mine.errorCode ?? 'none');
  if (own !== 'none' && nodeEnd !== 'ended') return [own, own];
  return [own, String(other.errorCode ?? 'none')];
}

/** What the backend has answered, to either. Our own pages tell of the request's id. */
function bodies(mine: Result, other: Result, id: number): [own: string, node: string] {
  if (mine.answers.get(id) !== '200' || other.answers.get(id) !== '200') return ['', ''];
  return [mine.bodies.get(id) ?? '', other.bodies.get(id) ?? ''];
}

async function run({ front, backend }: Engine, { stretches }: Sequence): Promise<Result> {
  backend.clear();
  using client = await FrameClient.connect(front.port, 'a.test');
  client.socket.setNoDelay(true);
  const view = new View(client);
  await view.until('it is greeted', () => client.of(SETTINGS, 0).length > 0);
  client.send(frame(SETTINGS, ACK, 0, EMPTY));
  const ends: string[] = [];
  for (const [i, stretch] of stretches.entries()) {
    await send(view, backend, stretch, i);
    ends.push(view.isOver ? 'ended' : 'alive');
    if (view.isOver) break;
  }
  const markOf = ({ fields }: RecordedRequest): string => fields.find(([name]) => name === MARK)?.[1] ?? '';
  const requests = [...backend.requests];
  return {
    ...{ ends, errorCode: view.errorCode, answers: view.answers, bodies: view.bodies },
    errors: [...backend.errors],
    askedFor: (mark) => requests.filter((request) => markOf(request) === mark).map(textOf),
  };
}

/** Sends a stretch, and waits until it is read and all that it has asked for has an end. */
async function send(
  view: View,
  backend: RecordingBackend,
  { pieces, streams }: Stretch,
  index: number,
): Promise<void> {
  const { client } = view;
  const opaque = Buffer.from(`part${String(index).padStart(4, '0')}`);
  backend.hold();
  for (const piece of pieces) if (!view.isOver) await write(client, piece);
  if (!view.isOver) await write(client, frame(PING, 0, 0, opaque));
  const isRead = (): boolean => client.of(PING, 0).some(({ payload }) => payload.equals(opaque));
  await view.until('the PING is answered', () => view.isOver || isRead());
  backend.release();
  const isDone = ({ id, isCancelled }: StreamPlan): boolean => isCancelled || view.isEnded(id);
  await view.until('all streams are answered', () => view.isOver || streams.every(isDone));
}

/** Resolves when the piece is out, so that the next one comes by itself. */
function write({ socket }: FrameClient, piece: Buffer): Promise<void> {
  return new Promise((resolve) => socket.write(piece, () => resolve()));
}

/** What a client has seen. */
class View {
  readonly client: FrameClient;
  readonly answers = new Map<number, string>();
  readonly bodies = new Map<number, string>();
  /** Of the GOAWAY. */
  errorCode: number | undefined;
  readonly #ended = new Set<number>();
  readonly #decoder = anyDecoder(65_536);
  #seen = 0;
  #isGoingAway = false;

  constructor(client: FrameClient) {
    this.client = client;
  }

  get isOver(): boolean {
    this.#look();
    return this.client.isClosed || this.#isGoingAway;
  }

  isEnded(id: number): boolean {
    this.#look();
    return this.#ended.has(id);
  }

  /** Looks whenever something has come. */
  until(what: string, holds: () => boolean): Promise<void> {
    const { socket } = this.client;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        for (const event of ['data', 'close']) socket.off(event, look);
      };
      const look = (): void => {
        if (!holds()) return;
        stop();
        resolve();
      };
      const timer = setTimeout(() => {
        stop();
        reject(
          new Error(`time is up while waiting until ${what}; answers: ${JSON.stringify([...this.answers])}`),
        );
      }, TIMEOUT_MS);
      for (const event of ['data', 'close']) socket.on(event, look);
      look();
    });
  }

  #look(): void {
    for (const { frames } = this.client; this.#seen < frames.length; this.#seen++) {
      const { type, flags, stream, payload } = frames[this.#seen]!;
      if (type === GOAWAY) {
        this.#isGoingAway = true;
        this.errorCode = payload.readUInt32BE(4);
      } else if (type === RST_STREAM) {
        const status = this.answers.get(stream);
        if (status === undefined) this.answers.set(stream, 'reset');
        else if (!this.#ended.has(stream)) this.answers.set(stream, `${status} cut`);
        this.#ended.add(stream);
      } else if (type === DATA) {
        this.bodies.set(stream, (this.bodies.get(stream) ?? '') + payload.toString('latin1'));
      } else if (type === HEADERS) {
        if ((flags & PADDED_FLAG) !== 0) throw new Error('a response with padding');
        const { fields } = this.#decoder.decode(payload);
        const status = fields[fields.indexOf(':status') + 1] ?? '';
        if (!status.startsWith('1') && !this.answers.has(stream)) this.answers.set(stream, status);
      }
      if (type <= HEADERS && (flags & END_STREAM) !== 0) this.#ended.add(stream);
    }
  }
}

function textOf({ line, fields, body, trailers }: RecordedRequest): string {
  const told = fields.filter(([name]) => !OURS.test(name));
  return JSON.stringify([line, told, body, trailers]);
}
