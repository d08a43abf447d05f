import { expect } from 'chai';
import { WaitingBytes } from '../../../../../lib/proxy/downstream/http2/waiting-bytes.js';
import { SeededRandom } from '../../../../support/truth-random.js';

const KIB = 1_024;

describe('What waits on a stream of HTTP/2', () => {
  it('comes out as it came in, whatever the pieces, and what is shared may be overwritten', () => {
    const random = new SeededRandom(9_113);
    for (let run = 0; run < 40; run++) {
      const waiting = new WaitingBytes();
      const [given, moved]: [Buffer[], Buffer[]] = [[], []];
      const move = (count: number): void => {
        const target = Buffer.alloc(count + 2, '.');
        waiting.moveTo(target, 1, count);
        expect(target.subarray(0, 1).toString() + target.subarray(count + 1).toString()).to.equal('..');
        moved.push(target.subarray(1, count + 1));
      };
      for (let i = 0; i < 20; i++) {
        const bytes = Math.ceil(random.pick([random.between(0, 100), random.between(0, 70 * KIB)]));
        const chunk = Buffer.alloc(
          bytes,
          Buffer.from(Array.from({ length: 251 }, (_, at) => (at + i) % 251)),
        );
        given.push(Buffer.from(chunk));
        const isShared = random.next() < 0.5;
        waiting.add(chunk, isShared);
        if (isShared) chunk.fill(0xff);
        move(Math.floor(random.next() * waiting.length));
      }
      move(waiting.length);
      expect(waiting.length).to.equal(0);
      expect(Buffer.concat(moved).equals(Buffer.concat(given))).to.equal(true);
    }
  });

  it('is nothing when it is cleared, and its memory is used again', () => {
    const waiting = new WaitingBytes();
    waiting.add(Buffer.alloc(64 * KIB, 'a'), true);
    waiting.clear();
    expect(waiting.length).to.equal(0);
    waiting.add(Buffer.from('b'), false);
    const target = Buffer.alloc(1);
    waiting.moveTo(target, 0, 1);
    expect(target.toString()).to.equal('b');
    expect(() => waiting.moveTo(target, 0, 1)).to.throw(RangeError);
  });
});
