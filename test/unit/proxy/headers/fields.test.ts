import { expect } from 'chai';
import { eachField, fieldLines } from '../../../../lib/proxy/headers/fields.js';

describe('A flat list of fields', () => {
  it('is walked in its order, what is repeated and what is empty included', () => {
    const seen: string[] = [];
    eachField(['A', '1', 'b', '', 'A', '2'], (name, value) => seen.push(`${name}=${value}`));
    expect(seen).to.deep.equal(['A=1', 'b=', 'A=2']);
  });

  it('has nothing behind its last pair', () => {
    const seen: string[] = [];
    for (const list of [[], ['A'], ['A', '1', 'b']])
      eachField(list, (name, value) => seen.push(name + value));
    expect(seen).to.deep.equal(['A1']);
  });

  it('is written as lines', () => {
    expect(fieldLines(['A', '1', 'b', '2'])).to.equal('A: 1\r\nb: 2\r\n');
    expect(fieldLines([])).to.equal('');
  });
});
