import { expect } from 'chai';
import { FairTokenBucket, type FairTokenBucketOptions } from '../../../../lib/sources/limits/token-bucket.js';
import { ManualTime, settled } from '../../../support/manual-time.js';

function openStage(options: Partial<FairTokenBucketOptions> = {}) {
  const time = new ManualTime(0);
  const { now, startTimer } = time;
  const bucket = new FairTokenBucket({ ratePerSecond: 10, burst: 2, now, startTimer, ...options });
  /** What became of each request so far: `client+` with a token, `client-` without. */
  const log: string[] = [];
  const ask = (client: string, signal = new AbortController().signal) => {
    void bucket.acquire(client, signal).then((ok) => log.push(`${client}${ok ? '+' : '-'}`));
  };
  return { time, bucket, log, ask };
}

describe('FairTokenBucket', () => {
  it('gives its burst at once, and then tokens at its rate', async () => {
    const { time, log, ask } = openStage();
    for (let i = 0; i < 4; i += 1) ask('a');
    await settled();
    expect(log).to.have.length(2);
    await time.advance(99);
    expect(log).to.have.length(2);
    await time.advance(1);
    expect(log).to.have.length(3);
    await time.advance(100);
    expect(log).to.deep.equal(['a+', 'a+', 'a+', 'a+']);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('saves up no more than its burst', async () => {
    const { time, log, ask } = openStage();
    time.nowMs = 1e6;
    for (let i = 0; i < 5; i += 1) ask('a');
    await settled();
    expect(log).to.have.length(2);
  });

  it('gives fractions of a token a second their due', async () => {
    const { time, log, ask } = openStage({ ratePerSecond: 0.5, burst: 1 });
    ask('a');
    ask('a');
    await time.advance(1999);
    expect(log).to.have.length(1);
    await time.advance(1);
    expect(log).to.have.length(2);
  });

  it('takes no token away when the clock is set back', async () => {
    const { time, log, ask } = openStage();
    time.nowMs = -5000;
    ask('a');
    ask('a');
    await settled();
    expect(log).to.deep.equal(['a+', 'a+']);
  });

  it('serves waiting clients in turns, so that a scanner waits for itself', async () => {
    const { time, log, ask } = openStage({ burst: 1 });
    for (let i = 0; i < 100; i += 1) ask('scanner');
    ask('b');
    ask('c');
    ask('b');
    await time.advance(600);
    expect(log.slice(0, 7).join(' ')).to.equal('scanner+ scanner+ b+ c+ scanner+ b+ scanner+');
  });

  it('passes nobody by who waits already', async () => {
    const { time, log, ask } = openStage({ burst: 1 });
    ask('a');
    ask('a');
    time.nowMs += 100; // the token is due, its timer has not run
    ask('late');
    await settled();
    expect(log).to.deep.equal(['a+', 'a+']);
    await time.advance(100);
    expect(log).to.deep.equal(['a+', 'a+', 'late+']);
  });

  it('ends a wait without a token when its signal aborts, and costs the others none', async () => {
    const { time, log, ask, bucket } = openStage({ burst: 1 });
    const controller = new AbortController();
    ask('a');
    ask('b', controller.signal);
    ask('c');
    controller.abort();
    await settled();
    expect(log).to.deep.equal(['a+', 'b-']);
    expect(bucket.waiting).to.equal(1);
    await time.advance(100);
    expect(log).to.deep.equal(['a+', 'b-', 'c+']);
  });

  it('gives nothing to a signal that has aborted before', async () => {
    const { log, ask, time } = openStage();
    ask('a', AbortSignal.abort());
    ask('b');
    ask('b');
    await settled();
    expect(log).to.deep.equal(['a-', 'b+', 'b+']);
    expect(time.delaysMs).to.deep.equal([]);
  });

  it('hands a refunded token to whoever waits, and saves it up to its burst otherwise', async () => {
    const { log, ask, bucket, time } = openStage({ burst: 1 });
    ask('a');
    ask('b');
    bucket.refund();
    await settled();
    expect(log).to.deep.equal(['a+', 'b+']);
    expect(time.delaysMs).to.deep.equal([]);
    bucket.refund();
    bucket.refund();
    ask('c');
    ask('c');
    await settled();
    expect(log).to.deep.equal(['a+', 'b+', 'c+']);
  });

  describe('with as many waiting as it allows', () => {
    it('answers one client more of the same at once, without a token', async () => {
      const { log, ask, bucket } = openStage({ burst: 1, maxWaiters: 3 });
      for (let i = 0; i < 6; i += 1) ask('scanner');
      await settled();
      expect(log).to.deep.equal(['scanner+', 'scanner-', 'scanner-']);
      expect(bucket.waiting).to.equal(3);
    });

    it('lets another client in, at the cost of the one with the most', async () => {
      const { log, ask, bucket, time } = openStage({ burst: 1, maxWaiters: 3 });
      for (let i = 0; i < 4; i += 1) ask('scanner');
      ask('b');
      await time.advance(200);
      expect(log).to.deep.equal(['scanner+', 'scanner-', 'scanner+', 'b+']);
      expect(bucket.waiting).to.equal(1);
    });

    it('displaces nobody who has no more than the newcomer would', async () => {
      const { log, ask } = openStage({ burst: 1, maxWaiters: 2 });
      for (const client of ['a', 'b', 'c', 'd']) ask(client);
      await settled();
      expect(log).to.deep.equal(['a+', 'd-']);
    });
  });

  it('ends every wait when it is closed, leaves no timer, and gives nothing from then on', async () => {
    const { log, ask, bucket, time } = openStage({ burst: 1 });
    for (const client of ['a', 'b', 'b', 'c']) ask(client);
    bucket.close();
    ask('d');
    bucket.refund();
    await time.advance(1000);
    expect(log.sort()).to.deep.equal(['a+', 'b-', 'b-', 'c-', 'd-']);
    expect([bucket.waiting, time.delaysMs]).to.deep.equal([0, []]);
  });
});
