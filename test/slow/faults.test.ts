/**
 * The fault table: what a client of either protocol sees when a backend or a client breaks off or stands still, and that the
 * worker has as many sockets open afterwards as before.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { AnyClient, PROTOCOLS, type Course, type SendOptions } from '../support/any-client.js';
import { startBackend } from '../support/backend.js';
import { startBrokenBackend, type Break, type BrokenBackend } from '../support/broken-backend.js';
import { connectTls } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startProgram, type Program } from '../support/program.js';
import { unusedPort } from '../support/unused-port.js';
import { countSockets, untilSockets } from '../support/worker-sockets.js';

const NAME = 'a.localhost';
const OK = 'HTTP/1.1 200 OK\r\n';
const SIZED = `${OK}Content-Length: 10\r\n\r\n`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
/** More than all the buffers on its way. */
const MUCH_BYTES = 32 * 1024 ** 2;

/** A program with one worker, and the sockets that this has while nothing is under way. */
interface Subject extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
  /** Waits until the worker has as many sockets as at the start. */
  isClean(): Promise<void>;
}

async function startSubject(flags: readonly string[]): Promise<Subject> {
  const program = await startProgram(flags);
  const [worker = 0] = await program.workerPids();
  const sockets = await countSockets(worker);
  return {
    program,
    port: program.port,
    isClean: () => untilSockets(worker, sockets),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

for (const protocol of PROTOCOLS) {
  describe(`A client over ${protocol}, when the backend`, () => {
    let backend: BrokenBackend;
    let subject: Subject;

    before(async () => {
      backend = await startBrokenBackend();
      subject = await startSubject(['--backend', backend.url]);
    });

    after(async () => {
      await subject[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    });

    /** Makes one request on a connection of its own, which is closed by the client in the end. */
    async function visit(act: (course: Course) => Promise<void>, options: SendOptions = {}): Promise<string> {
      let course: Course;
      {
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        course = client.send('/', options);
        await act(course);
        await course.over();
      }
      await subject.isClean();
      return course.outcome;
    }

    const atOnce: [fault: string, bytes: string, then: Break, seen: string][] = [
      ['resets before its head', '', 'reset', '502'],
      ['closes before its head', '', 'end', '502'],
      ['closes in the middle of its head', `${OK}Content-Le`, 'end', '502'],
      ['sends less than its Content-Length', `${SIZED}half`, 'end', '200 cut'],
      ['closes in the middle of a chunk', `${CHUNKED}a\r\nhalf`, 'end', '200 cut'],
      ['closes between two chunks', `${CHUNKED}4\r\nhalf\r\n`, 'end', '200 cut'],
      ['sends a chunk whose size is none', `${CHUNKED}4\r\nhalf\r\nxyz\r\n`, 'end', '200 cut'],
      [
        'sends two lengths that differ',
        `${OK}Content-Length: 4\r\nContent-Length: 5\r\n\r\nhalf`,
        'end',
        '502',
      ],
      ['ends a body without length by closing', `${OK}\r\nhalf`, 'end', '200 whole'],
    ];
    for (const [fault, bytes, then, seen] of atOnce) {
      it(`${fault}, sees ${seen}`, async () => {
        backend.answer('/', bytes, then);
        expect(await visit(() => Promise.resolve())).to.equal(seen);
      });
    }

    const afterwards: [fault: string, bytes: string, body: string][] = [
      ['resets after its head', SIZED, ''],
      ['resets in the middle of a sized body', `${SIZED}half`, 'half'],
      ['resets in the middle of a chunked body', `${CHUNKED}4\r\nhalf\r\n`, 'half'],
      ['resets a body without length', `${OK}\r\nhalf`, 'half'],
    ];
    for (const [fault, bytes, body] of afterwards) {
      it(`${fault}, sees 200 cut`, async () => {
        backend.answer('/', bytes);
        const outcome = await visit(async (course) => {
          await course.until('it has come', (seen) => seen.status === 200 && seen.body === body);
          backend.breakOff('reset');
        });
        expect(outcome).to.equal('200 cut');
      });
    }

    it('sends more than its Content-Length, sees what was announced and nothing of the rest', async () => {
      backend.answer('/', `${OK}Content-Length: 4\r\n\r\nhalf${SIZED}stray body`, 'end');
      await using client = await AnyClient.connect(protocol, subject.port, NAME);
      expect(await client.send('/').over()).to.include({ body: 'half', isWhole: true });
      backend.answer('/', `${OK}Content-Length: 4\r\n\r\nnext`, 'end');
      expect(await client.send('/').over()).to.include({ body: 'next', isWhole: true });
    });

    it('resets in the middle of an upload, sees 502', async () => {
      backend.answer('/', '');
      const asked = backend.requests.length;
      const outcome = await visit(
        async () => {
          // Not when a connection is open: that may be one that the pool keeps for later.
          await eventually('the backend has it', () => backend.requests.length > asked);
          backend.breakOff('reset');
        },
        { method: 'POST', body: false },
      );
      expect(outcome).to.equal('502');
    });

    it('has answered nothing or half and the client goes away, leaves nothing open at either side', async () => {
      for (const bytes of ['', `${SIZED}half`]) {
        backend.answer('/', bytes);
        const asked = backend.requests.length;
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        client.send('/');
        await eventually('the backend has it', () => backend.requests.length > asked);
      }
      // The pool opens a connection in place of one that it has cut, and keeps it for some seconds.
      await eventually('the backend knows', () => backend.open === 0);
      await subject.isClean();
    });
  });

  describe(`Over ${protocol}, of those who stand still`, () => {
    it('a backend without head costs 504, one that stops in its body a cut, one that is slow nothing', async () => {
      await using backend = await startBrokenBackend();
      const limits = ['--backend-headers-timeout', '1.5', '--backend-body-timeout', '1.5'];
      await using subject = await startSubject(['--backend', backend.url, ...limits]);
      backend.answer('/half', `${SIZED}half`);
      const outcomes: string[] = [];
      for (const path of ['/mute', '/half']) {
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        outcomes.push((await client.send(path).over()).outcome);
      }
      expect(outcomes).to.deep.equal(['504', '200 cut']);
      await eventually('the backend knows', () => backend.open === 0);
      {
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        const course = client.send('/mute');
        await eventually('the backend has it', () => backend.requests.length === 3);
        for (const piece of [SIZED, 'first', 'later']) {
          const { body } = course;
          backend.write(piece);
          if (piece !== SIZED) await course.until('it has come', (seen) => seen.body.length > body.length);
        }
        expect(await course.over()).to.include({ body: 'firstlater', isWhole: true });
        backend.breakOff('end');
      }
      await subject.isClean();
    });

    it('a client that sends half its body is answered 408, and one that reads nothing is cut off', async () => {
      await using backend = await startBackend((incoming, response) => {
        response.setHeader('Connection', 'close');
        if (incoming.method === 'GET') response.end(Buffer.alloc(MUCH_BYTES));
        else incoming.resume();
      });
      await using subject = await startSubject(['--backend', backend.url, '--body-timeout', '0.5']);
      {
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        const course = await client.send('/', { method: 'POST', body: false }).over();
        expect(course.outcome).to.equal('408');
      }
      {
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        const course = client.send('/', { isMute: true });
        await course.until('the head is there', ({ status }) => status === 200);
        await subject.program.logged('client given up', {
          reason: 'the client takes no more of the response',
        });
      }
      await subject.isClean();
    });
  });

  describe(`Of backends that are dead, over ${protocol}`, () => {
    it('one alone costs 502, all of several 503', async () => {
      const [one, two] = [await unusedPort(), await unusedPort()];
      await using subject = await startSubject([
        ...['--backend', `alone.localhost=http://127.0.0.1:${one}`],
        ...['--backend', `http://127.0.0.1:${one}`, '--backend', `http://127.0.0.1:${two}`],
      ]);
      const seen: string[] = [];
      for (const name of ['alone.localhost', NAME]) {
        await using client = await AnyClient.connect(protocol, subject.port, name);
        // More often than it takes to be left out.
        for (let count = 0; count < 5; count++) seen.push((await client.send('/').over()).outcome);
      }
      expect(seen.slice(0, 5)).to.deep.equal(Array(5).fill('502'));
      expect(seen.slice(5)).to.deep.equal(Array(5).fill('503'));
      await subject.isClean();
    });

    it('one of two is not noticed by clients, is left out after failures, and used again when it is back', async () => {
      const deadPort = await unusedPort();
      await using alive = await startBackend((_, response) => {
        response.setHeader('Connection', 'close').end('alive');
      });
      await using subject = await startSubject([
        ...['--backend', `http://127.0.0.1:${deadPort}`, '--backend', alive.url],
      ]);
      const { program } = subject;
      {
        await using client = await AnyClient.connect(protocol, subject.port, NAME);
        const ask = async (): Promise<string> => {
          const { outcome, body } = await client.send('/').over();
          expect(outcome).to.equal('200 whole');
          return body;
        };
        const isLeftOut = (): boolean => program.log.some(({ msg }) => msg === 'backend left out');
        while (!isLeftOut()) expect(await ask()).to.equal('alive');
        const line = await program.logged('backend left out');
        expect(line['backend']).to.equal(`http://127.0.0.1:${deadPort}`);
        await using back = await startBrokenBackend(deadPort);
        back.answer('/', `${OK}Connection: close\r\nContent-Length: 4\r\n\r\nback`, 'end');
        await eventually('it is used again', async () => (await ask()) === 'back');
        await program.logged('backend used again', { backend: back.url });
      }
      await subject.isClean();
    });
  });
}

describe('A client that closes its half of the connection', () => {
  it('is taken for gone while it waits, as by nginx: the backend gets to know, and nothing stays open', async () => {
    await using backend = await startBrokenBackend();
    await using subject = await startSubject(['--backend', backend.url]);
    const socket = await connectTls({ port: subject.port, servername: NAME });
    socket.on('error', () => undefined);
    socket.resume().write(`GET /late HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
    await eventually('the backend has it', () => backend.requests.length === 1);
    socket.end();
    if (!socket.closed) await once(socket, 'close');
    await eventually('the backend knows', () => backend.open === 0);
    await subject.isClean();
  });

  it('in the middle of a request leaves nothing open', async () => {
    await using backend = await startBrokenBackend();
    await using subject = await startSubject(['--backend', backend.url]);
    const halves = [
      'GET / HTTP/1.1\r\nHost:',
      `POST / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 10\r\n\r\nhalf`,
    ];
    for (const half of halves) {
      const socket = await connectTls({ port: subject.port, servername: NAME });
      socket.on('error', () => undefined);
      socket.resume().end(half);
      if (!socket.closed) await once(socket, 'close');
    }
    await eventually('the backend knows', () => backend.open === 0);
    await subject.isClean();
  });
});

describe('A client that has gone without a word', () => {
  it('is given up when it is idle, in either protocol, and after half a head', async () => {
    await using backend = await startBackend((_, response) => {
      response.setHeader('Connection', 'close').end('hello');
    });
    const limits = ['--idle-timeout', '0.5', '--header-timeout', '0.5'];
    await using subject = await startSubject(['--backend', backend.url, ...limits]);
    const mute = await connectTls({ port: subject.port, servername: NAME });
    mute.on('error', () => undefined);
    mute.write('GET / HTTP/1.1\r\nHo');
    await using one = await AnyClient.connect('HTTP/1.1', subject.port, NAME);
    await using two = await AnyClient.connect('HTTP/2', subject.port, NAME);
    for (const client of [one, two]) expect((await client.send('/').over()).body).to.equal('hello');
    // None of the three does anything more.
    await subject.isClean();
    mute.destroy();
  });
});
