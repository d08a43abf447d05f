import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { LineSink, STDOUT, type SinkWatch } from '../../../lib/log/line-sink.js';
import { makeTempDir } from '../../support/certificates.js';

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

describe('LineSink, watched', () => {
  let reader: Reader;
  let told: string[];
  let sink: LineSink;
  beforeEach(() => {
    reader = new Reader();
    told = [];
    const watch: SinkWatch = {
      onFailed: (code) => told.push(code),
      onLost: (lines) => told.push(`lost ${lines}`),
      onWritten: () => told.push('written'),
    };
    sink = new LineSink(undefined, reader.write, { fd: STDOUT, flagName: '--access-log', watch });
  });

  it('tells at once that a disk is full, and when all that waited is written', () => {
    reader.code = 'ENOSPC';
    reader.room = 0;
    sink.write('one\n');
    expect(told).to.deep.equal(['ENOSPC']);
    reader.room = Infinity;
    sink.write('two\n');
    expect(told).to.deep.equal(['ENOSPC', 'written']);
  });

  it('tells of a reader that is behind when lines are lost by it, and not before', () => {
    reader.room = 0;
    const line = 'x'.repeat(MIB - 1);
    sink.write(line);
    expect(told).to.deep.equal([]);
    sink.write(line);
    expect(told).to.deep.equal(['EAGAIN', 'lost 1']);
  });

  it('tells how many lines are lost when it is closed', () => {
    reader.code = 'ENOSPC';
    reader.room = 0;
    sink.write('one\n');
    sink.write('two\n');
    told = [];
    sink.close();
    expect(told).to.deep.equal(['ENOSPC', 'lost 2']);
  });
});

describe('LineSink, with a pipe that has a path', () => {
  /** Less than the readers below wait before they take anything. */
  const AT_ONCE_MS = 2000;
  let dir: string;
  let remove: () => Promise<void>;
  let pipe: string;
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    pipe = join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
  });
  afterEach(() => remove());

  /** A shell, to be ended at the end of a test. A write or an opening that waits for it goes on after three seconds. */
  function startReader(script: string): Disposable & { readonly hasBegun: Promise<unknown> } {
    const child = spawn('sh', ['-c', script, 'sh', pipe], { detached: true });
    const hasBegun = once(child.stdout, 'data');
    return {
      hasBegun,
      [Symbol.dispose]: () => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      },
    };
  }

  it('goes on at once when its reader takes nothing', async () => {
    using reader = startReader('exec 3<>"$1"; echo begun; sleep 3; cat <&3 >/dev/null');
    await reader.hasBegun;
    const sink = new LineSink(pipe);
    const startMs = Date.now();
    for (let index = 0; index < 200; index++) sink.write(`${'x'.repeat(999)}\n`);
    sink.close();
    expect(Date.now() - startMs).to.be.below(AT_ONCE_MS);
  });

  it('says at once that it has no reader, when it is opened', async () => {
    using late = startReader('echo begun; sleep 3; exec cat <"$1"');
    await late.hasBegun;
    const startMs = Date.now();
    expect(() => new LineSink(pipe)).to.throw(
      `--log-file names ${pipe}, which cannot be written: ENXIO, nobody reads from this pipe`,
    );
    expect(Date.now() - startMs).to.be.below(AT_ONCE_MS);
  });

  it('says what to do instead where the path is a socket', async () => {
    const path = join(dir, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    try {
      expect(() => new LineSink(path)).to.throw(
        'ENXIO, it is a socket, which no path opens; without the flag, lines go to standard error',
      );
      expect(() => new LineSink(path, undefined, { fd: STDOUT, flagName: '--access-log' })).to.throw(
        `--access-log names ${path}, which cannot be written: ENXIO, it is a socket, which no path opens; - is standard output`,
      );
    } finally {
      server.close();
    }
  });
});
