import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Remembered } from '../../../lib/base/remembered.js';

function remembered(): { of: (text: string) => string; made: string[] } {
  const made: string[] = [];
  const memory = new Remembered((text) => {
    made.push(text);
    return text.toUpperCase();
  });
  return { of: (text) => memory.of(text), made };
}

describe('What is remembered of texts', () => {
  it('is worked out once for each', () => {
    const { of, made } = remembered();
    expect([of('a'), of('b'), of('a')]).to.deep.equal(['A', 'B', 'A']);
    expect(made).to.deep.equal(['a', 'b']);
  });

  it('is not kept for a long one', () => {
    const { of, made } = remembered();
    const long = 'x'.repeat(65);
    expect([of(long), of(long)]).to.deep.equal([long.toUpperCase(), long.toUpperCase()]);
    expect(made).to.have.length(2);
  });

  it('keeps nothing that the texts were part of', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const memory = new Remembered((text) => text.toLowerCase());
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 400; i++) {
      // As a name is part of the head that it came in.
      const whole = Buffer.alloc(100_000, `a-rather-long-name-${i}:`).toString('latin1');
      memory.of(whole.slice(0, whole.indexOf(':')));
    }
    collect();
    expect(process.memoryUsage().heapUsed - before).to.be.below(10_000_000);
  });

  it('is forgotten when there are too many', () => {
    const { of, made } = remembered();
    for (let i = 0; i < 513; i++) of(`name-${i}`);
    made.length = 0;
    of('name-512');
    expect(made).to.deep.equal([]);
    of('name-0');
    expect(made).to.deep.equal(['name-0']);
  });
});
