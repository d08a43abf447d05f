import { expect } from 'chai';
import {
  ABSENT,
  AutocertStage,
  FAILED,
  NAME,
  follow,
  settle,
  type FakeOrderClient,
} from '../../../support/autocert-stage.js';

describe('Autocert, with several orders at a time', () => {
  let stage: AutocertStage;
  let orderClient: FakeOrderClient;
  beforeEach(() => {
    stage = new AutocertStage();
    ({ orderClient } = stage);
  });

  describe('one order at a time', () => {
    it('a second look-up for a name being ordered is pending at once', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make();
      const first = follow(autocert);
      await settle();
      const second = await follow(autocert);
      expect(second.kind).to.equal('pending');
      orderClient.release();
      expect((await first).kind).to.equal('found');
      expect(orderClient.placed).to.have.length(1);
    });
    it('names being ordered are listed, those in the queue too, until their order ends', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 });
      const lookups = ['a.test', 'b.test'].map((name) => follow(autocert, ABSENT, name));
      await settle();
      expect(autocert.ordering()).to.deep.equal(['a.test', 'b.test']);
      orderClient.release();
      await lookups[0];
      await settle();
      expect(autocert.ordering()).to.deep.equal(['b.test']);
      orderClient.release();
      await lookups[1];
      expect(autocert.ordering()).to.deep.equal([]);
    });
    it('a starter that goes away cancels nothing', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make();
      const controller = new AbortController();
      const lookup = follow(autocert, ABSENT, NAME, { signal: controller.signal });
      await settle();
      controller.abort();
      expect((await lookup).kind).to.equal('unavailable');
      expect(autocert.ordering()).to.deep.equal([NAME]);
      orderClient.release();
      await settle();
      expect(autocert.ordering()).to.deep.equal([]);
      expect(stage.errors).to.deep.equal([]);
    });
  });

  describe('the queue', () => {
    it('lets so many orders run at once, and the others follow in the order in which they came', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 2 });
      const names = ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'];
      let entered = 0;
      const lookups = names.map((name) => follow(autocert, ABSENT, name, { onOrder: () => (entered += 1) }));
      await settle();
      expect([orderClient.placed.length, entered]).to.deep.equal([2, 5]);
      for (const placed of [3, 4, 5, 5, 5]) {
        orderClient.release(1);
        await settle();
        expect(orderClient.placed).to.deep.equal(names.slice(0, placed));
      }
      expect((await Promise.all(lookups)).every(({ kind }) => kind === 'found')).to.equal(true);
    });
    it('an order in the queue stays there when its starter goes away', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 });
      const controller = new AbortController();
      const lookups = [
        follow(autocert, ABSENT, 'a.test'),
        follow(autocert, ABSENT, 'b.test', { signal: controller.signal }),
      ];
      await settle();
      controller.abort();
      await lookups[1];
      orderClient.release();
      await settle();
      expect(orderClient.placed).to.deep.equal(['a.test', 'b.test']);
    });
    it('takes no more than its bound: those beyond it are pending and start nothing', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 }, { max: 2 });
      const names = ['a.test', 'b.test', 'c.test', 'd.test'];
      const lookups = names.map((name) => follow(autocert, ABSENT, name));
      expect((await lookups[3])?.kind).to.equal('pending');
      expect(autocert.ordering()).to.deep.equal(names.slice(0, 3));
      orderClient.release();
    });
    it('serves clients in turns: one with many names keeps nobody waiting', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 });
      const many = Array.from({ length: 20 }, (_, i) =>
        follow(autocert, ABSENT, `n${i}.test`, { client: '192.0.2.1' }),
      );
      await settle();
      const other = follow(autocert, ABSENT, 'other.test', { client: '192.0.2.2' });
      await settle();
      for (let i = 0; i < 2; i++) {
        orderClient.release(1);
        await settle();
      }
      expect(orderClient.placed).to.include('other.test');
      expect(orderClient.placed.length).to.be.at.most(3);
      for (let i = 0; i < 25; i++) {
        orderClient.release(1);
        await settle();
      }
      await Promise.all([...many, other]);
      expect(orderClient.placed).to.have.length(21);
    });
    it('takes an IPv6 client for its /64', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 }, { maxPerClient: 2 });
      void follow(autocert, ABSENT, 'first.test', { client: '2001:db8::9' });
      await settle();
      const kinds = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map((client, i) =>
        follow(autocert, ABSENT, `n${i}.test`, { client }),
      );
      expect((await kinds[2])?.kind).to.equal('pending');
      await settle();
      expect(autocert.ordering()).to.deep.equal(['first.test', 'n0.test', 'n1.test', 'n3.test']);
      orderClient.release();
    });
    it('has bounds for one client and for the names below one parent, and says whose they are', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 }, { maxPerClient: 3, maxPerParent: 2 });
      const ask = (name: string, client: string) => follow(autocert, ABSENT, name, { client });
      void ask('first.test', '192.0.2.9');
      await settle();
      for (const name of ['a.one.test', 'b.one.test']) void ask(name, '192.0.2.1');
      expect((await ask('c.one.test', '192.0.2.2')).kind).to.equal('pending');
      void ask('a.two.test', '192.0.2.1');
      expect((await ask('a.three.test', '192.0.2.1')).kind).to.equal('pending');
      void ask('a.three.test', '192.0.2.2');
      await settle();
      expect(autocert.ordering()).to.deep.equal([
        'first.test',
        'a.one.test',
        'b.one.test',
        'a.two.test',
        'a.three.test',
      ]);
      expect(stage.notices[0]).to.match(
        /2 orders for names below one\.test .*192\.0\.2\.2|192\.0\.2\.2.*2 orders for names below one\.test/,
      );
      expect(stage.notices[1]).to.match(/3 orders of this client/);
      orderClient.release();
    });
    it('lets the one who starts an order wait for it only where its turn will come in time', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 2, timeoutMs: 30_000 });
      const mayWait: boolean[] = [];
      for (let i = 0; i < 14; i++) {
        void follow(autocert, ABSENT, `n${i}.test`, {
          client: '192.0.2.1',
          onOrder: (order) => void mayWait.push(order.mayWait),
        });
        await settle();
      }
      // Two run, and those of the next four rounds of five seconds come within thirty.
      expect(mayWait.filter(Boolean)).to.have.length(12);
      void follow(autocert, ABSENT, 'other.test', {
        client: '192.0.2.2',
        onOrder: (order) => void mayWait.push(order.mayWait),
      });
      await settle();
      expect(mayWait.slice(-3)).to.deep.equal([false, false, true]);
      orderClient.release();
    });
    it('is let go by closing, without a word about the names', async () => {
      orderClient.isHeld = true;
      orderClient.verdict = FAILED;
      const autocert = stage.make({ concurrency: 1 });
      const lookups = ['a.test', 'b.test'].map((name) => follow(autocert, ABSENT, name));
      await settle();
      autocert.close();
      orderClient.release();
      expect((await Promise.all(lookups)).map(({ kind }) => kind)).to.deep.equal([
        'unavailable',
        'unavailable',
      ]);
      expect([orderClient.placed, stage.errors]).to.deep.equal([['a.test'], []]);
    });
  });

  describe('the ask URL', () => {
    const settings = { askUrl: 'http://ask.test/' };
    it('that says yes lets the order go', async () => {
      expect((await follow(stage.make(settings))).kind).to.equal('found');
      expect(orderClient.asked).to.deep.equal([NAME]);
    });
    it('that says no leaves the query’s own result', async () => {
      orderClient.permission = 'no';
      expect(await follow(stage.make(settings))).to.equal(ABSENT.lookup);
      expect(orderClient.placed).to.deep.equal([]);
    });
    it('that gives no verdict makes the name unavailable, and it may be asked again', async () => {
      orderClient.permission = { failure: 'it did not answer in time' };
      const autocert = stage.make(settings);
      const lookup = await follow(autocert);
      expect(lookup).to.deep.include({ kind: 'unavailable', scope: 'name' });
      orderClient.permission = 'yes';
      expect((await follow(autocert)).kind).to.equal('found');
    });
    it('is not asked about names that may not be ordered anyway, or are held off', async () => {
      orderClient.verdict = FAILED;
      const autocert = stage.make(settings);
      await follow(autocert, ABSENT, 'a_b.test');
      await follow(autocert);
      await follow(autocert);
      expect(orderClient.asked).to.deep.equal([NAME]);
    });
    it('is asked once about a name that many want, and nobody is let go before it has answered', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make(settings);
      let entered = 0;
      const first = follow(autocert, ABSENT, NAME, { onOrder: () => (entered += 1) });
      expect((await follow(autocert)).kind).to.equal('pending');
      expect([entered, autocert.ordering()]).to.deep.equal([0, []]);
      orderClient.isHeld = false;
      orderClient.release();
      await first;
      expect([entered, orderClient.asked.length]).to.deep.equal([1, 1]);
    });
  });
});
