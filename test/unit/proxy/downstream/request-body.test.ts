/**
 * The body of a request between its connection and whoever takes it.
 */
import { expect } from 'chai';
import { mock } from 'node:test';
import {
  RequestBody,
  type BodySink,
  type BodySource,
} from '../../../../lib/proxy/downstream/request-body.js';

class Stage implements BodySource, BodySink {
  readonly told: string[] = [];
  readonly body = new RequestBody(this);
  isReading = false;
  /** Called with each piece. */
  onPiece: () => void = () => undefined;

  setReading(isWanted: boolean): void {
    expect(isWanted).to.not.equal(this.isReading);
    this.isReading = isWanted;
  }
  onBodyWanted(): void {
    this.told.push('wanted');
  }
  onBodyPiece(piece: Buffer): boolean {
    this.told.push(piece.toString());
    this.onPiece();
    return true;
  }
  onBodyEnd(trailers: readonly string[]): void {
    this.told.push(`end ${trailers.join('|')}`);
  }
  onBodyFailure(reason: string): void {
    this.told.push(`failure ${reason}`);
  }
  push(...pieces: string[]): void {
    for (const piece of pieces) this.body.push(Buffer.from(piece));
  }
}

describe('The body of a request', () => {
  let stage: Stage;
  beforeEach(() => (stage = new Stage()));

  it('is not read before somebody takes it, and then until its end', () => {
    expect(stage.isReading).to.equal(false);
    stage.body.start(stage);
    expect(stage.isReading).to.equal(true);
    stage.push('a', 'b');
    stage.body.finish([]);
    expect(stage.isReading).to.equal(false);
    expect(stage.told).to.deep.equal(['wanted', 'a', 'b', 'end ']);
  });

  it('that has come whole is given whole, though its client goes before it is taken', () => {
    stage.body.start(stage);
    stage.body.pause();
    stage.push('a', 'b');
    stage.body.finish(['X-Sum', '1']);
    stage.body.fail('gone');
    expect(stage.told).to.deep.equal(['wanted']);
    expect(stage.body.waitingBytes).to.equal(2);
    stage.body.resume();
    expect(stage.told).to.deep.equal(['wanted', 'a', 'b', 'end X-Sum|1']);
    expect(stage.body.waitingBytes).to.equal(0);
  });

  it('that is empty ends for another sink as well', () => {
    stage.body.start(stage);
    stage.body.finish(['X-Sum', '1']);
    stage.body.stop();
    stage.body.start(stage);
    expect(stage.told).to.deep.equal(['wanted', 'end X-Sum|1', 'end X-Sum|1']);
    const other = new Stage();
    other.body.start(other);
    other.push('a');
    other.body.finish([]);
    other.body.start(other);
    expect(other.told).to.deep.equal(['wanted', 'a', 'end ']);
  });

  it('waits with its end for whoever takes it', () => {
    stage.push('a', 'b');
    stage.body.finish(['X-Sum', '1']);
    expect(stage.body.hasBegun).to.equal(false);
    stage.body.start(stage);
    expect(stage.told).to.deep.equal(['wanted', 'a', 'b', 'end X-Sum|1']);
    expect(stage.body.hasBegun).to.equal(true);
  });

  it('has only those trailers that may pass', () => {
    const trailers = [
      'Host',
      'x',
      'Content-Length',
      '1',
      'X-Forwarded-For',
      'y',
      'X-Sum',
      '1',
      'Connection',
      'z',
    ];
    stage.body.start(stage);
    stage.body.finish(trailers);
    expect(stage.told.at(-1)).to.equal('end X-Sum|1');
  });

  it('waits while it is paused, and is not read', () => {
    stage.body.start(stage);
    stage.body.pause();
    expect(stage.isReading).to.equal(false);
    stage.push('a', 'b');
    stage.body.finish([]);
    expect(stage.told).to.deep.equal(['wanted']);
    stage.body.resume();
    expect(stage.told).to.deep.equal(['wanted', 'a', 'b', 'end ']);
  });

  it('may be paused and given up with any piece', () => {
    stage.push('a', 'b', 'c');
    stage.onPiece = () => stage.body.pause();
    stage.body.start(stage);
    expect(stage.told).to.deep.equal(['wanted', 'a']);
    stage.body.resume();
    expect(stage.told).to.deep.equal(['wanted', 'a', 'b']);
    stage.onPiece = () => stage.body.discard();
    stage.body.resume();
    stage.body.finish([]);
    expect(stage.told).to.deep.equal(['wanted', 'a', 'b', 'c']);
  });

  it('goes to another taker where the first has had nothing, and is asked for once', () => {
    stage.body.start(stage);
    stage.body.stop();
    expect(stage.isReading).to.equal(false);
    stage.push('a');
    const other = new Stage();
    stage.body.start(other);
    stage.body.finish([]);
    expect(stage.told).to.deep.equal(['wanted']);
    expect(other.told).to.deep.equal(['a', 'end ']);
  });

  it('that was paused by one taker is not for the next', () => {
    stage.body.start(stage);
    stage.body.pause();
    stage.body.stop();
    stage.push('a');
    const other = new Stage();
    stage.body.start(other);
    expect(other.told).to.deep.equal(['a']);
  });

  it('that nobody wants is read and dropped', () => {
    stage.push('a');
    stage.body.discard();
    stage.body.discard();
    expect(stage.isReading).to.equal(true);
    stage.push('b');
    stage.body.finish([]);
    expect(stage.isReading).to.equal(false);
    expect(stage.told).to.deep.equal([]);
  });

  it('that will never be whole says so at once, and keeps back what was waiting', () => {
    stage.body.start(stage);
    stage.body.pause();
    stage.push('a');
    stage.body.fail('the client has gone');
    stage.body.fail('again');
    stage.body.finish([]);
    expect(stage.told).to.deep.equal(['wanted', 'failure the client has gone']);
  });

  it('that is over does not fail', () => {
    stage.body.start(stage);
    stage.body.finish([]);
    stage.body.fail('the client has gone');
    expect(stage.told).to.deep.equal(['wanted', 'end ']);
  });

  describe('with a watch', () => {
    let stalls = 0;
    /** It has more time until it has stalled so often. */
    let more = 0;
    beforeEach(() => {
      mock.timers.enable({ apis: ['setTimeout'] });
      stalls = 0;
      more = 0;
      stage.body.watch({ timeoutMs: 100, onStalled: () => ++stalls < more });
    });
    afterEach(() => mock.timers.reset());

    it('tells of a client that sends nothing while it is waited for', () => {
      stage.body.start(stage);
      mock.timers.tick(99);
      expect(stalls).to.equal(0);
      mock.timers.tick(1);
      expect(stalls).to.equal(1);
    });

    it('gives it as long again where it is told to', () => {
      more = 3;
      stage.body.start(stage);
      for (let count = 1; count <= 3; count++) {
        mock.timers.tick(99);
        expect(stalls).to.equal(count - 1);
        mock.timers.tick(1);
        expect(stalls).to.equal(count);
      }
      mock.timers.tick(1_000);
      expect(stalls).to.equal(3);
    });

    const unhurried: [when: string, act: (body: RequestBody) => void][] = [
      ['while it is paused', (body) => body.pause()],
      ['when nobody wants it', (body) => body.discard()],
      ['when it is whole', (body) => body.finish([])],
      ['when it is taken from its taker', (body) => body.stop()],
    ];
    for (const [when, act] of unhurried)
      it(`does not hurry its client ${when}`, () => {
        stage.body.start(stage);
        act(stage.body);
        mock.timers.tick(1_000);
        expect(stalls).to.equal(0);
      });

    it('does not hurry its client before it is taken', () => {
      mock.timers.tick(1_000);
      expect(stalls).to.equal(0);
    });

    it('gives a client its whole time again behind a pause', () => {
      stage.body.start(stage);
      mock.timers.tick(60);
      stage.body.pause();
      stage.body.resume();
      mock.timers.tick(60);
      expect(stalls).to.equal(0);
      mock.timers.tick(40);
      expect(stalls).to.equal(1);
    });
  });
});
