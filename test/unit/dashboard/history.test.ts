import { expect } from 'chai';
import { History } from '../../../lib/dashboard/history.js';

describe('The history of the dashboard', () => {
  it('stacks parts, the topmost first', () => {
    const history = new History();
    history.add(1_000, [1, 0, 5]);
    history.add(2_000, [2, 0, 6]);
    expect(history.shown(3)).to.deep.equal([0, 2]);
    expect(history.stacked(history.shown(3))).to.deep.equal([
      [1, 2],
      [6, 8],
      [1, 2],
    ]);
  });

  it('leaves a part out, and takes it in again', () => {
    const history = new History();
    history.add(1_000, [1, 5]);
    expect(history.toggle(1)).to.equal(false);
    expect(history.shown(2)).to.deep.equal([0]);
    expect(history.toggle(1)).to.equal(true);
    expect(history.shown(2)).to.deep.equal([0, 1]);
  });

  it('keeps five minutes', () => {
    const history = new History();
    for (let i = 1; i <= 400; i += 1) history.add(i * 1_000, [i]);
    expect(history.length).to.equal(300);
    expect(history.at(undefined)).to.deep.equal([400]);
    expect(history.at(0)).to.deep.equal([101]);
  });

  it('begins anew where the clock was set back', () => {
    const history = new History();
    history.add(9_000, [1]);
    history.add(2_000, [2]);
    expect(history.length).to.equal(1);
  });
});
