import { expect } from 'chai';
import { LineSink } from '../../../lib/log/line-sink.js';

const MIB = 1024 * 1024;

/** A file descriptor that takes `room` bytes and then fails with `code`. */
class Reader {
  taken = '';
  room = Infinity;
  code = 'EAGAIN';
  readonly write = (_fd: number, bytes: Buffer): number => {
    if (this.room <= 0) throw Object.assign(new Error(this.code), { code: this.code });
    const part = bytes.subarray(0, this.room);
    this.room -= part.length;
    this.taken += part.toString();
    return part.length;
  };
}

describe('LineSink', () => {
  let reader: Reader;
  let sink: LineSink;
  beforeEach(() => {
    reader = new Reader();
    sink = new LineSink(undefined, reader.write);
  });

  it('writes each line before the call returns', () => {
    sink.write('one\n');
    expect(reader.taken).to.equal('one\n');
  });

  for (const code of ['EAGAIN', 'ENOSPC', 'EPIPE']) {
    it(`goes on where it stopped, in order, when writing works again after ${code}`, () => {
      reader.code = code;
      reader.room = 6;
      sink.write('one\n');
      sink.write('two\n');
      sink.write('three\n');
      expect(reader.taken).to.equal('one\ntw');
      reader.room = Infinity;
      sink.write('four\n');
      expect(reader.taken).to.equal('one\ntwo\nthree\nfour\n');
    });
  }

  it('keeps a bounded amount and drops whole lines beyond it', () => {
    reader.room = 0;
    const line = `${'x'.repeat(999)}\n`;
    for (let index = 0; index < 2000; index++) sink.write(line);
    reader.room = Infinity;
    sink.flush();
    expect(reader.taken).to.equal(line.repeat(Math.floor(MIB / 1000)));
    sink.write('after\n');
    expect(reader.taken.endsWith('\nafter\n')).to.equal(true);
  });

  it('waits in flush for a reader that is behind', () => {
    let refused = 0;
    const behind = new LineSink(undefined, (fd, bytes) => {
      if (refused++ < 3) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
      return reader.write(fd, bytes);
    });
    behind.write('two\n');
    behind.flush();
    expect(reader.taken).to.equal('two\n');
  });

  it('does not wait in flush for a disk that is full', () => {
    reader.code = 'ENOSPC';
    reader.room = 0;
    let attempts = 0;
    const full = new LineSink(undefined, (fd, bytes) => {
      attempts++;
      return reader.write(fd, bytes);
    });
    full.write('one\n');
    full.flush();
    expect(attempts).to.equal(2);
  });
});
