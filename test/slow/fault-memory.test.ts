/**
 * The fault table once more, in numbers: what breaks off and what stands still leaves nothing in the worker's memory, not a
 * connection and not so much as one buffer, however often it happens. (What a client sees of each fault: `faults.test.ts`.)
 */
import { expect } from 'chai';
import { AnyClient, PROTOCOLS, type Course, type SendOptions } from '../support/any-client.js';
import { startBackend, type Backend } from '../support/backend.js';
import { startBrokenBackend, type BrokenBackend } from '../support/broken-backend.js';
import { eventually } from '../support/eventually.js';
import { startProgram, type Program } from '../support/program.js';
import { liveBytes, PROBE_FLAGS } from '../support/worker-memory.js';
import { countSockets, untilSockets } from '../support/worker-sockets.js';

const NAME = 'a.localhost';
/** Its backend sends more than all the buffers on its way. */
const MUCH_NAME = 'much.localhost';
const KIB = 1024;
const MUCH_BYTES = 16 * KIB * KIB;
const PIECE = 'x'.repeat(64 * KIB);
const head = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;

const BATCH = 40;
/** Batches between two looks. One batch goes before, for what is kept for good: code, caches, the pool. */
const BATCHES = 2;
const LOOKS = 2;
/**
 * What is left behind from one look to the next, at least: a leak goes on, and what is compiled a little late does not. Of
 * one kind of fault, a connection that is not let go is 6 KB and more, 480 in all, and a buffer 16 or 64.
 */
const ALLOWED_BYTES = 320 * KIB;

interface Fault {
  readonly what: string;
  readonly path?: string;
  readonly name?: string;
  readonly options?: SendOptions;
  /** The client goes away then; else it waits until its request is over. */
  readonly leavesWhen?: (course: Course) => boolean;
}

const BREAKS: readonly Fault[] = [
  { what: 'a backend resets before its head', path: '/reset' },
  { what: 'a backend resets after its head', path: '/head' },
  { what: 'a backend resets in the middle of its body', path: '/piece' },
  { what: 'a backend closes in the middle of its body', path: '/short' },
  {
    what: 'a backend resets while it is sent a request',
    path: '/reset',
    options: { method: 'POST', body: false },
  },
];

describe('Memory comes back after', () => {
  let backend: BrokenBackend;
  let much: Backend;
  /** Responses of that backend which are under way. */
  let muchOpen = 0;

  const STANDSTILLS: readonly Fault[] = [
    { what: 'a backend says nothing', path: '/mute' },
    { what: 'a backend stops in its body', path: '/stops' },
    { what: 'a client stops in its body', path: '/mute', options: { method: 'POST', body: false } },
    {
      what: 'a client reads nothing',
      name: MUCH_NAME,
      options: { isMute: true },
      leavesWhen: ({ status }) => status !== 0 && muchOpen === 0,
    },
    { what: 'a client goes before the head', path: '/mute', leavesWhen: () => backend.open > 0 },
    {
      what: 'a client goes in the middle of the body',
      path: '/stops',
      leavesWhen: ({ body }) => body !== '',
    },
  ];

  before(async () => {
    const body = Buffer.alloc(MUCH_BYTES);
    much = await startBackend((_, response) => {
      muchOpen += 1;
      response.on('close', () => (muchOpen -= 1));
      response.end(body);
    });
    backend = await startBrokenBackend();
    backend.answer('/reset', '', 'reset');
    backend.answer('/head', head(10), 'reset');
    backend.answer('/piece', head(10 * PIECE.length) + PIECE, 'reset');
    backend.answer('/short', head(10 * PIECE.length) + PIECE, 'end');
    backend.answer('/stops', head(10 * PIECE.length) + PIECE);
  });

  after(async () => {
    await much[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  for (const protocol of PROTOCOLS) {
    describe(`${BATCH * (1 + BATCHES * LOOKS)} times over ${protocol}`, () => {
      let program: Program;
      let worker: number;
      let sockets: number;

      before(async () => {
        program = await startProgram(
          [
            ...['--backend', backend.url, '--backend', `${MUCH_NAME}=${much.url}`, '--log-level', 'notice'],
            ...['--body-timeout', '0.3', '--backend-headers-timeout', '0.3', '--backend-body-timeout', '0.3'],
          ],
          { nodeFlags: PROBE_FLAGS },
        );
        worker = (await program.workerPids())[0] ?? 0;
        sockets = await countSockets(worker);
        await batch(BREAKS);
      });

      after(() => program[Symbol.asyncDispose]());

      async function suffer({ what, name = NAME, path = '/', options, leavesWhen }: Fault): Promise<void> {
        await using client = await AnyClient.connect(protocol, program.port, name);
        const course = client.send(path, options);
        await eventually(what, () => course.isOver || leavesWhen?.(course) === true);
      }

      /** Lets all of them happen as often as in a batch, all at once. */
      async function batch(faults: readonly Fault[]): Promise<void> {
        await Promise.all(faults.flatMap((fault) => Array.from({ length: BATCH }, () => suffer(fault))));
      }

      /** What the worker keeps when no socket is open any more: those of the pool are, for some seconds. */
      async function rest(): Promise<number> {
        await untilSockets(worker, sockets);
        return liveBytes(program, worker);
      }

      async function measure(faults: readonly Fault[]): Promise<void> {
        await batch(faults);
        const grown: number[] = [];
        let before = await rest();
        for (let look = 0; look < LOOKS; look++) {
          for (let count = 0; count < BATCHES; count++) await batch(faults);
          const now = await rest();
          grown.push(now - before);
          before = now;
        }
        expect(Math.min(...grown), `grown by ${grown.join(', then ')}`).to.be.below(ALLOWED_BYTES);
      }

      for (const fault of BREAKS) {
        it(fault.what, () => measure([fault]));
      }

      // Together, for most of it is waiting.
      it(STANDSTILLS.map(({ what }) => what).join('; '), () => measure(STANDSTILLS));
    });
  }
});
