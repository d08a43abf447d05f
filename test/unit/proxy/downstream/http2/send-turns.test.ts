import { expect } from 'chai';
import { SendTurns } from '../../../../../lib/proxy/downstream/http2/send-turns.js';
import type { Http2Stream } from '../../../../../lib/proxy/downstream/http2/stream.js';

/** Streams that send a frame of one octet. */
class Stage {
  readonly turns = new SendTurns();
  /** Which have sent, in their order. */
  sent = '';
  room = 0;
  /** Called when one has sent. */
  onSent: (id: number) => void = () => undefined;

  wait(
    id: number,
    urgency: number,
    isIncremental: boolean,
    waitingBytes: number,
    isShut = false,
  ): Http2Stream {
    const stream = {
      id,
      waitingBytes,
      isShut,
      priority: { urgency, isIncremental },
      sendSome: (): number => {
        if (stream.isShut || stream.waitingBytes === 0) return 0;
        stream.waitingBytes -= 1;
        this.room -= 1;
        this.sent += String(id);
        this.onSent(id);
        return 1;
      },
    };
    const one = stream as unknown as Http2Stream;
    this.turns.wait(one);
    return one;
  }

  pump(room: number): string {
    this.sent = '';
    this.room = room;
    this.turns.pump(() => this.room > 0);
    return this.sent;
  }
}

describe('Whose turn it is to send', () => {
  it('is that of the most urgent, then of the next', () => {
    const stage = new Stage();
    stage.wait(1, 5, false, 2);
    stage.wait(3, 0, false, 2);
    stage.wait(5, 3, true, 2);
    expect(stage.pump(100)).to.equal('335511');
    expect(stage.pump(100)).to.equal('');
  });

  it('goes round among those that are incremental, also where there is room for some only', () => {
    const stage = new Stage();
    for (const id of [1, 3, 5]) stage.wait(id, 3, true, 4);
    expect(stage.pump(5)).to.equal('13513');
    expect(stage.pump(2)).to.equal('51');
    expect(stage.pump(2)).to.equal('35');
    expect(stage.pump(100)).to.equal('135');
  });

  it('is one after another, as they were opened, among those that are not, and in turns with those that are', () => {
    const stage = new Stage();
    stage.wait(5, 3, false, 2);
    stage.wait(3, 3, false, 2);
    expect(stage.pump(3)).to.equal('335');
    stage.wait(1, 3, true, 2);
    stage.wait(7, 3, false, 1);
    expect(stage.pump(100)).to.equal('5171');
  });

  it('is not kept by one whose window is shut, of whatever urgency', () => {
    const stage = new Stage();
    const shut = stage.wait(1, 0, false, 2, true);
    stage.wait(3, 0, false, 1);
    stage.wait(5, 7, true, 2);
    expect(stage.pump(100)).to.equal('355');
    Object.assign(shut, { isShut: false });
    expect(stage.pump(100)).to.equal('11');
  });

  it('is that of a more urgent one as soon as that has something', () => {
    const stage = new Stage();
    stage.wait(1, 5, true, 4);
    stage.onSent = () => {
      if (stage.sent === '1') stage.wait(3, 2, false, 2);
    };
    expect(stage.pump(100)).to.equal('133111');
  });

  it('changes with its priority, and is over with its stream', () => {
    const stage = new Stage();
    const [first, second] = [stage.wait(1, 3, false, 2), stage.wait(3, 3, false, 2)];
    stage.turns.change(first, { urgency: 6, isIncremental: false });
    expect(stage.pump(3)).to.equal('331');
    stage.turns.delete(first);
    expect(stage.pump(100)).to.equal('');
    // It has nothing to send: it is not put among those that have.
    stage.turns.change(second, { urgency: 0, isIncremental: true });
    Object.assign(second, { waitingBytes: 1 });
    expect(stage.pump(100)).to.equal('');
  });
});
