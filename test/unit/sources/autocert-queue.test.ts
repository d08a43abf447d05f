import { expect } from 'chai';
import {
  ABSENT,
  AutocertHarness,
  FAILED,
  NAME,
  follow,
  settle,
  type FakeDesk,
} from '../../support/autocert-harness.js';

describe('Autocert, with several orders at a time', () => {
  let harness: AutocertHarness;
  let desk: FakeDesk;
  beforeEach(() => {
    harness = new AutocertHarness();
    ({ desk } = harness);
  });

  describe('one order at a time', () => {
    it('a second look-up for a name being ordered is pending at once', async () => {
      desk.isHeld = true;
      const autocert = harness.make();
      const first = follow(autocert);
      await settle();
      const second = await follow(autocert);
      expect(second.kind).to.equal('pending');
      desk.release();
      expect((await first).kind).to.equal('found');
      expect(desk.placed).to.have.length(1);
    });
    it('names being ordered are listed, those in the queue too, until their order ends', async () => {
      desk.isHeld = true;
      const autocert = harness.make({ concurrency: 1 });
      const lookups = ['a.test', 'b.test'].map((name) => follow(autocert, ABSENT, name));
      await settle();
      expect(autocert.ordering()).to.deep.equal(['a.test', 'b.test']);
      desk.release();
      await lookups[0];
      await settle();
      expect(autocert.ordering()).to.deep.equal(['b.test']);
      desk.release();
      await lookups[1];
      expect(autocert.ordering()).to.deep.equal([]);
    });
    it('a starter that goes away cancels nothing', async () => {
      desk.isHeld = true;
      const autocert = harness.make();
      const controller = new AbortController();
      const lookup = follow(autocert, ABSENT, NAME, { signal: controller.signal });
      await settle();
      controller.abort();
      expect((await lookup).kind).to.equal('unavailable');
      expect(autocert.ordering()).to.deep.equal([NAME]);
      desk.release();
      await settle();
      expect(autocert.ordering()).to.deep.equal([]);
      expect(harness.errors).to.deep.equal([]);
    });
  });

  describe('the queue', () => {
    it('lets so many orders run at once, and the others follow in the order in which they came', async () => {
      desk.isHeld = true;
      const autocert = harness.make({ concurrency: 2 });
      const names = ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'];
      let entered = 0;
      const lookups = names.map((name) => follow(autocert, ABSENT, name, { onOrder: () => (entered += 1) }));
      await settle();
      expect([desk.placed.length, entered]).to.deep.equal([2, 5]);
      for (const placed of [3, 4, 5, 5, 5]) {
        desk.release(1);
        await settle();
        expect(desk.placed).to.deep.equal(names.slice(0, placed));
      }
      expect((await Promise.all(lookups)).every(({ kind }) => kind === 'found')).to.equal(true);
    });
    it('an order in the queue stays there when its starter goes away', async () => {
      desk.isHeld = true;
      const autocert = harness.make({ concurrency: 1 });
      const controller = new AbortController();
      const lookups = [
        follow(autocert, ABSENT, 'a.test'),
        follow(autocert, ABSENT, 'b.test', { signal: controller.signal }),
      ];
      await settle();
      controller.abort();
      await lookups[1];
      desk.release();
      await settle();
      expect(desk.placed).to.deep.equal(['a.test', 'b.test']);
    });
    it('takes no more than its bound: those beyond it are pending and start nothing', async () => {
      desk.isHeld = true;
      const autocert = harness.make({ concurrency: 1 }, 2);
      const names = ['a.test', 'b.test', 'c.test', 'd.test'];
      const lookups = names.map((name) => follow(autocert, ABSENT, name));
      expect((await lookups[3])?.kind).to.equal('pending');
      expect(autocert.ordering()).to.deep.equal(names.slice(0, 3));
      desk.release();
    });
    it('is let go by closing, without a word about the names', async () => {
      desk.isHeld = true;
      desk.verdict = FAILED;
      const autocert = harness.make({ concurrency: 1 });
      const lookups = ['a.test', 'b.test'].map((name) => follow(autocert, ABSENT, name));
      await settle();
      autocert.close();
      desk.release();
      expect((await Promise.all(lookups)).map(({ kind }) => kind)).to.deep.equal([
        'unavailable',
        'unavailable',
      ]);
      expect([desk.placed, harness.errors]).to.deep.equal([['a.test'], []]);
    });
  });

  describe('the ask URL', () => {
    const settings = { askUrl: 'http://ask.test/' };
    it('that says yes lets the order go', async () => {
      expect((await follow(harness.make(settings))).kind).to.equal('found');
      expect(desk.asked).to.deep.equal([NAME]);
    });
    it('that says no leaves the query’s own result', async () => {
      desk.permission = 'no';
      expect(await follow(harness.make(settings))).to.equal(ABSENT.lookup);
      expect(desk.placed).to.deep.equal([]);
    });
    it('that gives no verdict makes the name unavailable, and it may be asked again', async () => {
      desk.permission = { failure: 'it did not answer in time' };
      const autocert = harness.make(settings);
      const lookup = await follow(autocert);
      expect(lookup).to.deep.include({ kind: 'unavailable', scope: 'name' });
      desk.permission = 'yes';
      expect((await follow(autocert)).kind).to.equal('found');
    });
    it('is not asked about names that may not be ordered anyway, or are held off', async () => {
      desk.verdict = FAILED;
      const autocert = harness.make(settings);
      await follow(autocert, ABSENT, 'a_b.test');
      await follow(autocert);
      await follow(autocert);
      expect(desk.asked).to.deep.equal([NAME]);
    });
    it('is asked once about a name that many want, and nobody is let go before it has answered', async () => {
      desk.isHeld = true;
      const autocert = harness.make(settings);
      let entered = 0;
      const first = follow(autocert, ABSENT, NAME, { onOrder: () => (entered += 1) });
      expect((await follow(autocert)).kind).to.equal('pending');
      expect([entered, autocert.ordering()]).to.deep.equal([0, []]);
      desk.isHeld = false;
      desk.release();
      await first;
      expect([entered, desk.asked.length]).to.deep.equal([1, 1]);
    });
  });
});
