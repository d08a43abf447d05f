import { expect } from 'chai';
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
