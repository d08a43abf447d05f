/**
 * How long what is known of a name is kept, with look-ups that end when the test says so.
 */
import { expect } from 'chai';
import type { Found } from '../../../../lib/net/names/found.js';
import { KnownName } from '../../../../lib/net/names/known-name.js';
import { ManualTime, settled } from '../../../support/manual-time.js';

class Stage {
  readonly time = new ManualTime();
  readonly health: (string | undefined)[] = [];
  lookUps = 0;
  readonly #ends: ((found: Found) => void)[] = [];
  readonly name = new KnownName('a.test', {
    lookUp: () => {
      this.lookUps += 1;
      return new Promise((resolve) => this.#ends.push(resolve));
    },
    now: this.time.now,
    startTimer: this.time.startTimer,
    onHealth: (_, failure) => this.health.push(failure),
  });

  /** What is answered, or undefined while there is no answer. */
  ask(): { told: string | undefined } {
    const asked: { told: string | undefined } = { told: undefined };
    this.name.ask((error, addresses) => (asked.told = error === null ? addresses.join(' ') : error.message));
    return asked;
  }

  /** Ends the oldest look-up that is under way. */
  async end(found: Found): Promise<void> {
    this.#ends.shift()?.(found);
    await settled();
  }

  /** A look-up from its beginning to its end. */
  async learn(found: Found): Promise<void> {
    this.ask();
    await this.end(found);
  }
}

const found = (ttlSeconds: number, ...addresses: string[]): Found => ({
  kind: 'found',
  addresses,
  ttlMs: ttlSeconds * 1000,
});
const FAILED: Found = { kind: 'failed', reason: 'no name server answers' };
const ABSENT: Found = { kind: 'absent' };

describe('A name of a backend', () => {
  let stage: Stage;
  beforeEach(() => (stage = new Stage()));

  it('is looked up once for all who wait', async () => {
    const all = [stage.ask(), stage.ask(), stage.ask()];
    expect(stage.lookUps).to.equal(1);
    await stage.end(found(30, '10.0.0.1'));
    expect(all.map(({ told }) => told)).to.deep.equal(['10.0.0.1', '10.0.0.1', '10.0.0.1']);
    expect(stage.time.delaysMs).to.deep.equal([]);
  });

  for (const [ttlSeconds, keptMs] of [
    [0, 5_000],
    [7, 7_000],
    [60, 60_000],
    [86_400, 60_000],
  ] as const) {
    it(`with a TTL of ${ttlSeconds} s is known for ${keptMs} ms`, async () => {
      await stage.learn(found(ttlSeconds, '10.0.0.1'));
      await stage.time.advance(keptMs - 1);
      expect(stage.ask().told).to.equal('10.0.0.1');
      expect(stage.lookUps).to.equal(1);
      await stage.time.advance(1);
      stage.ask();
      expect(stage.lookUps).to.equal(2);
    });
  }

  it('has IPv4 addresses in front, each once', async () => {
    await stage.learn(found(30, '::1', '10.0.0.2', '10.0.0.1', '10.0.0.2'));
    expect(stage.ask().told).to.equal('10.0.0.2 10.0.0.1 ::1');
  });

  it('keeps the addresses of a family that has not been answered', async () => {
    await stage.learn(found(5, '10.0.0.1', '::1'));
    await stage.time.advance(5_000);
    await stage.learn({ ...found(5, '10.0.0.2'), missing: 6 } as Found);
    expect(stage.ask().told).to.equal('10.0.0.2 ::1');
  });

  describe('that cannot be looked up any more', () => {
    beforeEach(async () => {
      await stage.learn(found(5, '10.0.0.1'));
      await stage.time.advance(5_000);
    });

    it('keeps its last good addresses, and is looked up every five seconds', async () => {
      await stage.learn(FAILED);
      expect(stage.ask().told).to.equal('10.0.0.1');
      await stage.time.advance(4_999);
      stage.ask();
      expect(stage.lookUps).to.equal(2);
      await stage.time.advance(1);
      // Nobody waits for a look-up that is likely to fail.
      expect(stage.ask().told).to.equal('10.0.0.1');
      expect(stage.lookUps).to.equal(3);
    });

    it('is waited for a second, and not by those who come later', async () => {
      const asked = stage.ask();
      await stage.time.advance(999);
      expect(asked.told).to.equal(undefined);
      await stage.time.advance(1);
      expect(asked.told).to.equal('10.0.0.1');
      expect(stage.ask().told).to.equal('10.0.0.1');
      expect(stage.lookUps).to.equal(2);
    });

    it('is told of once, and when it can be again', async () => {
      await stage.learn(FAILED);
      await stage.time.advance(5_000);
      await stage.learn(FAILED);
      await stage.time.advance(5_000);
      await stage.learn(found(5, '10.0.0.1'));
      expect(stage.health).to.deep.equal(['no name server answers', undefined]);
    });
  });

  it('that is gone has no address, and is looked up again after a second', async () => {
    await stage.learn(found(5, '10.0.0.1'));
    await stage.time.advance(5_000);
    await stage.learn(ABSENT);
    const message = 'the name a.test cannot be looked up: there is no such name, or it has no address';
    expect(stage.ask().told).to.equal(message);
    await stage.time.advance(999);
    stage.ask();
    expect(stage.lookUps).to.equal(2);
    await stage.time.advance(1);
    await stage.learn(found(5, '10.0.0.2'));
    expect(stage.ask().told).to.equal('10.0.0.2');
  });

  it('that was never known is given up after four seconds', async () => {
    const asked = stage.ask();
    await stage.time.advance(3_999);
    expect(asked.told).to.equal(undefined);
    await stage.time.advance(1);
    expect(asked.told).to.equal('the name a.test cannot be looked up: no answer in time');
    await stage.end(FAILED);
    expect(stage.ask().told).to.equal('the name a.test cannot be looked up: no name server answers');
    expect(stage.health).to.deep.equal([]);
  });

  describe('that is followed', () => {
    it('is looked up whenever its TTL is over, until that is stopped', async () => {
      await stage.learn(found(5, '10.0.0.1'));
      const stop = stage.name.follow(() => undefined);
      await stage.time.advance(5_000);
      expect(stage.lookUps).to.equal(2);
      await stage.end(found(7, '10.0.0.1'));
      await stage.time.advance(7_000);
      expect(stage.lookUps).to.equal(3);
      await stage.end(found(5, '10.0.0.1'));
      stop();
      expect(stage.time.delaysMs).to.deep.equal([]);
    });

    it('tells of other addresses, and of them alone', async () => {
      let changes = 0;
      await stage.learn(found(5, '10.0.0.1', '10.0.0.2'));
      stage.name.follow(() => (changes += 1));
      for (const answer of [found(5, '10.0.0.2', '10.0.0.1'), FAILED]) {
        await stage.time.advance(5_000);
        await stage.end(answer);
        expect(changes).to.equal(0);
      }
      await stage.time.advance(5_000);
      await stage.end(found(5, '10.0.0.2'));
      expect(changes).to.equal(1);
      expect([stage.name.has('10.0.0.1'), stage.name.has('10.0.0.2')]).to.deep.equal([false, true]);
    });

    it('is looked up once at a time, however long that takes', async () => {
      await stage.learn(found(5, '10.0.0.1'));
      stage.name.follow(() => undefined);
      await stage.time.advance(120_000);
      stage.ask();
      expect(stage.lookUps).to.equal(2);
    });
  });
});
