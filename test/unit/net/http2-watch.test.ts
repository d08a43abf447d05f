import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { Http2Watch, type WatchableSession } from '../../../lib/net/http2-watch.js';
import type { SendQueues } from '../../../lib/net/send-queues.js';

const PING_BYTES = 17;

/** A session whose frames go out at once, unless it has come to its end in silence. */
class FakeSession extends EventEmitter implements WatchableSession {
  closed = false;
  destroyed = false;
  isDead = false;
  streams = 1;
  isCut = false;
  readonly socket = { bytesRead: 100, bytesWritten: 100 };
  queues: SendQueues = { inTls: 0, inKernel: 0 };
  readonly sent: string[] = [];
  readonly #answers: (() => void)[] = [];

  ping(onAnswer: (error: Error | null) => void): boolean {
    this.#send('PING');
    this.#answers.push(() => onAnswer(null));
    return true;
  }

  goaway(): void {
    this.#send('GOAWAY');
  }

  destroy(): void {
    this.destroyed = true;
  }

  receive(bytes: number): void {
    this.socket.bytesRead += bytes;
  }

  /** The peer answers the PINGs so far. */
  answer(): void {
    for (const answer of this.#answers.splice(0)) {
      this.receive(PING_BYTES);
      answer();
    }
  }

  #send(frame: string): void {
    this.sent.push(frame);
    if (this.isDead) return;
    process.nextTick(() => (this.socket.bytesWritten += PING_BYTES));
  }
}

describe('The watch over HTTP/2 sessions', () => {
  let tick: () => void;
  let clocks: number;
  let watch: Http2Watch;
  let session: FakeSession;

  beforeEach(() => {
    clocks = 0;
    watch = new Http2Watch((onTick) => {
      tick = onTick;
      clocks += 1;
      return () => (clocks -= 1);
    });
    session = watched();
  });

  function watched(isProbed = true): FakeSession {
    const made = new FakeSession();
    watch.add(made, {
      socket: made.socket,
      stallMs: 20_000,
      isProbed,
      streams: () => made.streams,
      queues: () => made.queues,
      cut: () => (made.isCut = true),
    });
    return made;
  }

  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('asks one that is silent for a sign of life once, whether or not the peer answers', async () => {
    await pass(3);
    expect(session.sent).to.deep.equal([]);
    await pass(1);
    expect(session.sent).to.deep.equal(['PING']);
    await pass(30);
    session.answer();
    await pass(30);
    expect(session.sent).to.deep.equal(['PING']);
    session.receive(50);
    await pass(10);
    expect(session).to.deep.include({ sent: ['PING', 'PING'], isCut: false, destroyed: false });
  });

  it('ends one that sends nothing any more', async () => {
    session.isDead = true;
    await pass(4);
    expect(session).to.include({ isCut: true, destroyed: true });
  });

  it('ends one that has broken off behind its answer', async () => {
    await pass(4);
    session.answer();
    session.receive(16);
    session.isDead = true;
    await pass(4);
    expect(session).to.include({ isCut: true });
  });

  it('asks one that finishes what it has begun with another GOAWAY', async () => {
    session.closed = true;
    await pass(10);
    expect(session).to.deep.include({ sent: ['GOAWAY'], isCut: false });
  });

  it('asks none of which something comes again and again', async () => {
    for (let i = 0; i < 10; i++) {
      session.receive(13);
      await pass(2);
    }
    expect(session.sent).to.deep.equal([]);
  });

  it('asks no backend: its streams have time-outs', async () => {
    const backend = watched(false);
    await pass(30);
    expect(backend).to.deep.include({ sent: [], isCut: false });
  });

  it('does not take a slow peer for a dead one, until it has taken nothing for the time it has', async () => {
    for (let left = 1_000; left > 900; left -= 10) {
      session.queues = { inTls: 5_000, inKernel: left };
      await pass(15);
    }
    expect(session).to.deep.include({ sent: [], isCut: false });
    await pass(6);
    expect(session).to.include({ isCut: true });
  });

  it('ends one whose write is lost: it waits for the kernel, which has nothing of it', async () => {
    session.queues = { inTls: 70, inKernel: 0 };
    await pass(4);
    expect(session).to.include({ isCut: true });
  });

  it('gives the peer of one that is over some seconds to close the connection', async () => {
    await pass(60);
    session.closed = true;
    session.streams = 0;
    await pass(5);
    expect(session.isCut).to.equal(false);
    session.receive(10);
    await pass(1);
    expect(session).to.include({ isCut: true });
  });

  it('waits for what one that is over has still to send, as long as something of it goes out', async () => {
    session.closed = true;
    session.streams = 0;
    for (let left = 100; left >= 0; left -= 10) {
      session.queues = { inTls: 0, inKernel: left };
      await pass(4);
    }
    expect(session.isCut).to.equal(false);
    await pass(4);
    expect(session.isCut).to.equal(true);
  });

  it('stops its clock when there is none', async () => {
    session.emit('close');
    await pass(1);
    expect(clocks).to.equal(0);
    watched();
    expect(clocks).to.equal(1);
  });
});
