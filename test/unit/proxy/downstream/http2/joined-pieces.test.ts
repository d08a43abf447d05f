import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import { JoinedPieces } from '../../../../../lib/proxy/downstream/http2/joined-pieces.js';
import {
  RequestBody,
  type BodySink,
  type BodySource,
} from '../../../../../lib/proxy/downstream/request-body.js';

const FRAME = Buffer.alloc(16_384, 'x');
/** What is passed on together at the most. */
const FRAMES = 4;

/** A body that comes in frames, and whoever takes it: in which memory each piece was. */
class Stage implements BodySource, BodySink {
  readonly body = new RequestBody(this);
  readonly pieces = new JoinedPieces(this.body, () => undefined);
  readonly memories: ArrayBufferLike[] = [];
  readonly kept: Buffer[] = [];
  /** Whether what it is given is needed still when it has been given. */
  keeps = false;

  async send(): Promise<void> {
    for (let i = 0; i < FRAMES; i++) this.pieces.add(FRAME);
    await turn();
  }

  onBodyPiece(piece: Buffer): boolean {
    expect(piece.equals(Buffer.alloc(FRAMES * FRAME.length, 'x'))).to.equal(true);
    this.memories.push(piece.buffer);
    if (this.keeps) this.kept.push(piece);
    return this.keeps;
  }
  onPieceFree(piece: Buffer): void {
    this.pieces.free(piece);
  }
  setReading(): void {
    // It sends on.
  }
  onBodyWanted(): void {
    // It sends at once.
  }
  onBodyEnd(): void {
    // Nothing follows.
  }
  onBodyFailure(): void {
    // Nothing follows.
  }
}

describe('The pieces of a body on HTTP/2, joined', () => {
  it('are in memory that is used again, also that of those that had to wait', async () => {
    const stage = new Stage();
    await stage.send();
    await stage.send();
    stage.body.start(stage);
    const [first, second] = stage.memories;
    expect(second).to.not.equal(first);
    await stage.send();
    await stage.send();
    expect(stage.memories).to.have.length(4);
    expect(stage.memories.slice(2).every((memory) => memory === first || memory === second)).to.equal(true);
  });

  it('are in memory that is used for nothing else while somebody needs it', async () => {
    const stage = new Stage();
    stage.keeps = true;
    await stage.send();
    stage.body.start(stage);
    for (let i = 0; i < 3; i++) await stage.send();
    expect(new Set(stage.memories)).to.have.property('size', 4);
  });

  it('are in memory that is used again when they are needed no more', async () => {
    const stage = new Stage();
    stage.keeps = true;
    stage.body.start(stage);
    await stage.send();
    for (const piece of stage.kept.splice(0)) stage.body.release(piece);
    await stage.send();
    expect(new Set(stage.memories)).to.have.property('size', 1);
  });

  it('give the memory back of what waited and is dropped', async () => {
    const [dropped, next] = [new Stage(), new Stage()];
    await dropped.send();
    await next.send();
    next.body.start(next);
    dropped.body.discard();
    next.body.pause();
    for (let i = 0; i < 2; i++) await next.send();
    next.body.resume();
    // Both of the memories, and no third one.
    expect(new Set(next.memories)).to.have.property('size', 2);
  });
});
