/**
 * The memory that a connection is read into: what has been passed on stays what it was.
 */
import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import { Inflow, type InflowListener } from '../../../../../lib/proxy/downstream/http1/inflow.js';

const RECORD = 16_384;

class Listener implements InflowListener {
  mayWait = true;
  readonly inflow = new Inflow(this);
  readonly pieces: Buffer[] = [];
  readonly shared: boolean[] = [];

  onBytes(bytes: Buffer, isShared: boolean): boolean {
    // As a session does with what it keeps.
    this.pieces.push(isShared ? Buffer.from(bytes) : bytes);
    this.shared.push(isShared);
    return true;
  }

  /** As a socket reads: into the buffer that it was given last, which it asks for before each read. */
  read(letter: string, length: number): void {
    const buffer = this.inflow.buffer();
    expect(buffer.length).to.be.at.least(Math.min(length, RECORD));
    this.inflow.onRead(buffer.subarray(0, length).fill(letter));
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

  get lengths(): number[] {
    return this.pieces.map(({ length }) => length);
  }
}

describe('What is read from a client', () => {
  let listener: Listener;
  beforeEach(() => (listener = new Listener()));

  it('is in shared memory while it comes in small pieces', () => {
    listener.read('a', 100);
    listener.read('b', 100);
    expect(listener.shared).to.deep.equal([true, true]);
    expect(listener.inflow.buffer().buffer).to.equal(new Inflow(listener).buffer().buffer);
  });

  it('is passed on together while full records come', async () => {
    for (const letter of 'abcdefghi') listener.read(letter, RECORD);
    await turn();
    expect(listener.lengths).to.deep.equal([RECORD, 4 * RECORD, 4 * RECORD]);
    expect(listener.text).to.equal(Array.from('abcdefghi', (letter) => letter.repeat(RECORD)).join(''));
  });

  it('is passed on at the end of the turn at the latest', async () => {
    listener.read('a', RECORD);
    listener.read('b', RECORD);
    expect(listener.lengths).to.deep.equal([RECORD]);
    await turn();
    expect(listener.lengths).to.deep.equal([RECORD, RECORD]);
    listener.read('c', RECORD);
    await turn();
    expect(listener.text).to.equal('a'.repeat(RECORD) + 'b'.repeat(RECORD) + 'c'.repeat(RECORD));
  });

  it('is passed on at once with the small piece behind the records, and is in shared memory afterwards', () => {
    for (const letter of 'ab') listener.read(letter, RECORD);
    listener.read('c', 10);
    expect(listener.lengths).to.deep.equal([RECORD, RECORD + 10]);
    listener.read('d', 10);
    expect(listener.shared).to.deep.equal([true, false, true]);
  });

  it('is passed on at once when nothing may wait', () => {
    listener.mayWait = false;
    listener.read('a', RECORD);
    listener.read('b', RECORD);
    expect(listener.shared).to.deep.equal([true, true]);
  });

  it('is passed on when it is asked for, once', async () => {
    for (const letter of 'ab') listener.read(letter, RECORD);
    listener.inflow.flush();
    listener.inflow.flush();
    await turn();
    expect(listener.lengths).to.deep.equal([RECORD, RECORD]);
  });

  it('comes in its order, whatever the pieces', async () => {
    const other = new Listener();
    let sent = '';
    for (let i = 0; i < 500; i++) {
      const letter = String.fromCharCode(97 + (i % 26));
      const length = [1, 100, RECORD - 1, RECORD, RECORD, RECORD][(i * 7) % 6] ?? 1;
      listener.mayWait = i % 11 !== 0;
      listener.read(letter, length);
      other.read('!', RECORD);
      sent += letter.repeat(length);
      if (i % 5 === 0) await turn();
      if (i % 13 === 0) listener.inflow.flush();
    }
    await turn();
    expect(listener.text === sent).to.equal(true);
    expect(/[^!]/.test(other.text)).to.equal(false);
  });
});
