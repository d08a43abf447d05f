import { expect } from 'chai';
import { Restarts } from '../../../lib/primary/restarts.js';
import { ManualTime } from '../../support/manual-time.js';

const YOUNG = { livedMs: 4_999, othersAccept: true };
const ALONE = { livedMs: 0, othersAccept: false };
const OLD = { livedMs: 5_000, othersAccept: true };

describe('Restarts', () => {
  let time: ManualTime;
  let restarts: Restarts;
  let starts: number;
  beforeEach(() => {
    time = new ManualTime();
    starts = 0;
    restarts = new Restarts({ startTimer: time.startTimer, start: () => starts++ });
  });

  it('replace a worker at once that has lived for a while', () => {
    expect(restarts.schedule(OLD)).to.equal(0);
    expect(time.delaysMs).to.deep.equal([0]);
  });

  it('hold back those that die young, twice as long each time, up to ten seconds', async () => {
    const delays: number[] = [];
    for (let count = 0; count < 9; count++) {
      delays.push(restarts.schedule(YOUNG));
      await time.advance(delays.at(-1) ?? 0);
    }
    expect(delays).to.deep.equal([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    expect(starts).to.equal(9);
  });

  it('begin anew with a worker that has lived for a while', () => {
    for (let count = 0; count < 5; count++) restarts.schedule(YOUNG);
    restarts.schedule(OLD);
    expect(restarts.schedule(YOUNG)).to.equal(200);
  });

  it('are a second away at most while no worker accepts, and hold back all the same afterwards', async () => {
    const delays = Array.from({ length: 8 }, () => restarts.schedule(ALONE));
    expect(delays).to.deep.equal([200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000]);
    expect(restarts.schedule(YOUNG)).to.equal(10_000);
    await time.advance(1_000);
    expect(starts).to.equal(8);
  });

  it('do not come any more after a stop', async () => {
    restarts.schedule(YOUNG);
    restarts.schedule(ALONE);
    restarts.stop();
    await time.advance(60_000);
    expect(starts).to.equal(0);
  });
});
