import { expect } from 'chai';
import type { AutocertSettings } from '../../../../lib/config/settings.js';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { Autocert } from '../../../../lib/sources/manager/autocert.js';
import type { OrderVerdict, QueryVerdict } from '../../../../lib/sources/manager/schema.js';
import type { LookupContext, ServedAbove } from '../../../../lib/sources/source.js';
import {
  ABSENT,
  ACTIVE,
  AMBIGUOUS,
  AutocertStage,
  DOWN,
  FAILED,
  FOUND,
  ISSUED,
  NAME,
  REFUSED,
  follow,
  settle,
  type FakeOrderClient,
} from '../../../support/autocert-stage.js';

const HOUR_MS = 3_600_000;

describe('Autocert', () => {
  let stage: AutocertStage;
  let orderClient: FakeOrderClient;
  beforeEach(() => {
    stage = new AutocertStage();
    ({ orderClient } = stage);
  });

  describe('orders', () => {
    const cases: [
      string,
      boolean,
      QueryVerdict,
      string,
      Partial<LookupContext>,
      Partial<AutocertSettings>,
    ][] = [
      ['a name that is absent', true, ABSENT, 'a.test', {}, {}],
      ['an absent name of which a certificate is known', true, ABSENT, 'a.test', { known: true }, {}],
      ['a name with the ambiguous 500', true, AMBIGUOUS, 'a.test', {}, {}],
      ['a name with the ambiguous 500 that is not known', true, AMBIGUOUS, 'a.test', { known: false }, {}],
      [
        'a name with the ambiguous 500 of which a certificate is known',
        false,
        AMBIGUOUS,
        'a.test',
        { known: true },
        {},
      ],
      ['a name that was found', false, FOUND, 'a.test', {}, {}],
      ['a name that nobody could tell of', false, DOWN, 'a.test', {}, {}],
      ['a name with an underscore', false, ABSENT, 'a_b.test', {}, {}],
      ['a wildcard', false, ABSENT, '*.a.test', {}, {}],
      ['a name that no pattern covers', false, ABSENT, 'a.test', {}, { allow: ['b.test', '*.a.test'] }],
      ['a name below a pattern', true, ABSENT, 'x.a.test', {}, { allow: ['b.test', '*.a.test'] }],
      ['a name that the list has', true, ABSENT, 'b.test', {}, { allow: ['b.test', '*.a.test'] }],
      ['any name of an empty list', false, ABSENT, 'a.test', {}, { allow: [] }],
      ['a name whose look-up was given up', false, ABSENT, 'a.test', { signal: AbortSignal.abort() }, {}],
    ];
    for (const [what, isOrdered, query, name, context, settings] of cases) {
      it(`${isOrdered ? 'are placed for' : 'are not placed for'} ${what}`, async () => {
        let entered = 0;
        const lookup = await follow(stage.make(settings), query, name, {
          ...context,
          onOrder: () => (entered += 1),
        });
        expect(orderClient.placed).to.deep.equal(isOrdered ? [name] : []);
        expect(entered).to.equal(isOrdered ? 1 : 0);
        if (isOrdered) expect(lookup.kind).to.equal('found');
        else if (context.signal === undefined) expect(lookup).to.equal(query.lookup);
      });
    }
  });

  describe('an order that is', () => {
    const cases: [string, OrderVerdict, QueryVerdict, Lookup['kind'], boolean][] = [
      ['issued', ISSUED, ABSENT, 'found', false],
      ['refused after absent', REFUSED, ABSENT, 'absent', true],
      ['refused after the ambiguous 500', REFUSED, AMBIGUOUS, 'unavailable', true],
      ['failed after absent', FAILED, ABSENT, 'unavailable', true],
      ['failed after the ambiguous 500', FAILED, AMBIGUOUS, 'unavailable', true],
      ['active already', ACTIVE, ABSENT, 'pending', false],
    ];
    for (const [what, verdict, query, kind, isError] of cases) {
      it(`${what} makes the look-up ${kind}${isError ? ', and is logged as an error' : ''}`, async () => {
        orderClient.verdict = verdict;
        const lookup = await follow(stage.make(), query);
        expect(lookup.kind).to.equal(kind);
        if (lookup.kind === 'unavailable') expect(lookup.scope).to.equal('name');
        expect(stage.errors.length).to.equal(isError ? 1 : 0);
      });
    }
    it('refused is logged in the words of the manager, with the name and the hold-off', async () => {
      orderClient.verdict = REFUSED;
      await follow(stage.make());
      expect(stage.errors[0]).to.include('blocklisted').and.include(NAME).and.include('900000');
    });
  });

  describe('a manager that cannot order at all', () => {
    const UNABLE: OrderVerdict = { kind: 'unable', message: 'no account' };

    it('is left alone for a minute, with every name, which are tried again then: none is held off', async () => {
      const autocert = stage.make();
      orderClient.verdict = UNABLE;
      expect(await follow(autocert)).to.deep.include({ kind: 'unavailable', scope: 'name' });
      orderClient.verdict = ISSUED;
      stage.nowMs += 59_999;
      expect((await follow(autocert)).kind).to.equal('unavailable');
      expect((await follow(autocert, ABSENT, 'b.test')).kind).to.equal('unavailable');
      expect(orderClient.placed).to.have.length(1);
      stage.nowMs += 1;
      expect((await follow(autocert)).kind).to.equal('found');
      expect((await follow(autocert, ABSENT, 'b.test')).kind).to.equal('found');
    });

    it('is said once, and once when it orders again', async () => {
      const autocert = stage.make();
      orderClient.verdict = UNABLE;
      for (let i = 0; i < 3; i++) {
        await follow(autocert);
        stage.nowMs += 60_000;
      }
      expect(orderClient.placed).to.have.length(3);
      expect(stage.errors).to.have.length(1);
      orderClient.verdict = ISSUED;
      await follow(autocert);
      expect(stage.notices[0]).to.include('the manager orders certificates again');
    });
  });

  it('orders nothing that the default certificate covers, nor where the caller does not want it', async () => {
    const autocert = stage.make({}, undefined, (name) => name === 'pool.test');
    expect(await follow(autocert, ABSENT, 'pool.test')).to.equal(ABSENT.lookup);
    expect(await follow(autocert, ABSENT, 'a.test', { mayOrder: false })).to.equal(ABSENT.lookup);
    expect(orderClient.placed).to.deep.equal([]);
    expect(stage.infos.join()).to.match(/not ordered .*pool\.test.*the default certificate covers it/);
  });

  it('orders nothing that the wildcard above serves, and waits where that is not known', async () => {
    const autocert = stage.make();
    const served = (isServedAbove: ServedAbove) =>
      follow(autocert, ABSENT, 'x.a.test', { isServedAbove: () => Promise.resolve(isServedAbove) });
    expect(await served('yes')).to.equal(ABSENT.lookup);
    expect(stage.infos.join()).to.include('the certificate of the wildcard above it serves it');
    expect(await served('unknown')).to.include({ kind: 'pending' });
    expect(orderClient.placed).to.deep.equal([]);
    expect((await served('no')).kind).to.equal('found');
    expect(orderClient.placed).to.deep.equal(['x.a.test']);
  });

  it('orders nothing where its caller knows of an obstacle, and says which', async () => {
    const orderObstacle = 'source directory could not tell whether it has one';
    expect(await follow(stage.make(), ABSENT, NAME, { orderObstacle })).to.equal(ABSENT.lookup);
    expect(orderClient.placed).to.deep.equal([]);
    expect(stage.infos.join()).to.include(orderObstacle);
  });

  describe('says why a name is not ordered:', () => {
    for (const [name, reason] of [
      ['*.a.test', 'it is a wildcard'],
      ['a_b.a.test', 'it has an underscore'],
      ['pool.a.test', 'the default certificate covers it'],
      ['a.other', '--autocert-allow does not have it'],
    ] as const) {
      it(reason, async () => {
        const autocert = stage.make({ allow: ['*.a.test'] }, undefined, (one) => one === 'pool.a.test');
        expect(await follow(autocert, ABSENT, name)).to.equal(ABSENT.lookup);
        expect(orderClient.placed).to.deep.equal([]);
        expect(stage.infos).to.deep.equal([`not ordered ${JSON.stringify({ name, reason })}`]);
      });
    }
  });

  describe('the hold-off', () => {
    /** The times, in seconds after the start, at which an order was placed when a look-up comes every 100 s. */
    const orderTimes = async (autocert: Autocert, hours: number) => {
      const startMs = stage.nowMs;
      const times: number[] = [];
      for (; stage.nowMs < startMs + hours * HOUR_MS; stage.nowMs += 100_000) {
        const before = orderClient.placed.length;
        await follow(autocert);
        if (orderClient.placed.length > before) times.push((stage.nowMs - startMs) / 1000);
      }
      return times;
    };
    for (const [what, verdict] of [
      ['refusals', REFUSED],
      ['failures', FAILED],
    ] as const) {
      it(`doubles with ${what} in a row, up to four hours`, async () => {
        orderClient.verdict = verdict;
        expect(await orderTimes(stage.make(), 17)).to.deep.equal([
          0, 900, 2700, 6300, 13_500, 27_900, 42_300, 56_700,
        ]);
      });
    }
    it('leaves the query’s own result as it is', async () => {
      orderClient.verdict = FAILED;
      const autocert = stage.make();
      await follow(autocert);
      expect(await follow(autocert)).to.equal(ABSENT.lookup);
      expect(await follow(autocert, AMBIGUOUS)).to.equal(AMBIGUOUS.lookup);
    });
    it('of one name does not hold another', async () => {
      orderClient.verdict = FAILED;
      const autocert = stage.make();
      await follow(autocert);
      await follow(autocert, ABSENT, 'b.test');
      expect(orderClient.placed).to.deep.equal(['a.test', 'b.test']);
    });
    it('follows a success as well, so that a useless certificate is not ordered over and over', async () => {
      expect(await orderTimes(stage.make(), 1)).to.deep.equal([0, 900, 1800, 2700]);
    });
    it('starts afresh after a success', async () => {
      const autocert = stage.make();
      orderClient.verdict = FAILED;
      await orderTimes(autocert, 0.5);
      orderClient.verdict = ISSUED;
      stage.nowMs += 4 * HOUR_MS;
      await follow(autocert);
      orderClient.verdict = FAILED;
      stage.nowMs += HOUR_MS;
      expect((await orderTimes(autocert, 0.5)).slice(0, 2)).to.deep.equal([0, 900]);
    });
    it('ends by hand, for one name or for all', async () => {
      orderClient.verdict = FAILED;
      const autocert = stage.make();
      const both = async () => {
        await follow(autocert);
        await follow(autocert, ABSENT, 'b.test');
      };
      await both();
      autocert.forget(NAME);
      await both();
      autocert.forget();
      await both();
      expect(orderClient.placed).to.deep.equal(['a.test', 'b.test', 'a.test', 'a.test', 'b.test']);
    });
    it('is measured from the end of the order', async () => {
      orderClient.verdict = FAILED;
      orderClient.isHeld = true;
      const autocert = stage.make();
      const lookup = follow(autocert);
      await settle();
      stage.nowMs += 800_000;
      orderClient.release();
      await lookup;
      orderClient.isHeld = false;
      stage.nowMs += 899_999;
      await follow(autocert);
      expect(orderClient.placed).to.have.length(1);
    });
  });

  describe('an order that somebody else has under way', () => {
    it('is looked at again after two seconds, and pending until then', async () => {
      orderClient.verdict = ACTIVE;
      const autocert = stage.make();
      await follow(autocert);
      stage.nowMs += 1_999;
      expect((await follow(autocert)).kind).to.equal('pending');
      expect(orderClient.placed).to.have.length(1);
      stage.nowMs += 1;
      orderClient.verdict = ISSUED;
      expect((await follow(autocert)).kind).to.equal('found');
    });
    it('is looked at less and less often while the manager goes on saying so, at least once a minute', async () => {
      orderClient.verdict = ACTIVE;
      const autocert = stage.make();
      const startMs = stage.nowMs;
      const times: number[] = [];
      for (; stage.nowMs < startMs + 200_000; stage.nowMs += 1_000) {
        const before = orderClient.placed.length;
        expect((await follow(autocert)).kind).to.equal('pending');
        if (orderClient.placed.length > before) times.push((stage.nowMs - startMs) / 1000);
      }
      expect(times).to.deep.equal([0, 2, 6, 14, 30, 62, 122, 182]);
    });
    it('does not hide a certificate that the query finds', async () => {
      orderClient.verdict = ACTIVE;
      const autocert = stage.make();
      await follow(autocert);
      expect(await follow(autocert, FOUND)).to.equal(FOUND.lookup);
    });
    it('is forgotten by hand', async () => {
      orderClient.verdict = ACTIVE;
      const autocert = stage.make();
      await follow(autocert);
      autocert.forget(NAME);
      await follow(autocert);
      expect(orderClient.placed).to.have.length(2);
    });
  });

  it('tells in each line the handshake that has caused the order', async () => {
    const autocert = stage.make();
    await follow(autocert, ABSENT, NAME, { handshake: '1-a' });
    stage.orderClient.verdict = REFUSED;
    await follow(autocert, ABSENT, 'b.test', { handshake: '1-b' });
    const of = (id: string, lines: readonly string[]): string[] =>
      lines.filter((line) => line.includes(`"handshake":"${id}"`)).map((line) => line.replace(/ \{.*/, ''));
    expect(of('1-a', stage.infos)).to.deep.equal(['ordering a certificate']);
    expect(of('1-a', stage.notices)).to.deep.equal(['a certificate was issued']);
    expect(of('1-b', stage.infos)).to.deep.equal(['ordering a certificate']);
    expect(of('1-b', stage.errors)).to.deep.equal(['the order was refused']);
  });

  describe('tells', () => {
    it('how each order has ended, and after how long', async () => {
      const autocert = stage.make();
      await follow(autocert);
      orderClient.verdict = REFUSED;
      orderClient.isHeld = true;
      const refused = follow(autocert, ABSENT, 'b.test');
      await settle();
      stage.nowMs += 4_000;
      orderClient.release();
      await refused;
      expect(stage.ended).to.deep.equal(['issued 0', 'refused 4000']);
    });

    it('how many run, wait and are held off', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make({ concurrency: 1 });
      const all = ['a.test', 'b.test', 'c.test'].map((name) => follow(autocert, ABSENT, name));
      await settle();
      expect(autocert.load).to.deep.equal({ running: 1, queued: 2, heldOff: 0 });
      orderClient.isHeld = false;
      orderClient.release();
      await Promise.all(all);
      expect(autocert.load).to.deep.equal({ running: 0, queued: 0, heldOff: 3 });
      stage.nowMs += 900_000;
      expect(autocert.load.heldOff).to.equal(0);
    });

    it('nothing of an order that failed because it was closed', async () => {
      orderClient.isHeld = true;
      const autocert = stage.make();
      const given = follow(autocert);
      await settle();
      autocert.close();
      orderClient.release();
      await given;
      expect(stage.ended).to.deep.equal([]);
    });
  });
});
