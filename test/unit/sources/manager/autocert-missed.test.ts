import { expect } from 'chai';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import type { Autocert } from '../../../../lib/sources/manager/autocert.js';
import {
  ABSENT,
  AutocertStage,
  FAILED,
  follow,
  ISSUED,
  NAME,
  REFUSED,
  settle,
  type FakeOrderClient,
} from '../../../support/autocert-stage.js';

const SHORT_MS = 60_000;

describe('Autocert, when a challenge could not be answered in time', () => {
  let stage: AutocertStage;
  let orderClient: FakeOrderClient;
  beforeEach(() => {
    stage = new AutocertStage();
    ({ orderClient } = stage);
    orderClient.isHeld = true;
  });

  /** Lets an order of the name fail, with a challenge of it missed meanwhile. */
  async function miss(autocert: Autocert, verdict = REFUSED, name = NAME) {
    orderClient.verdict = verdict;
    const lookup = follow(autocert, ABSENT, name);
    await settle();
    autocert.challengeMissed(name);
    orderClient.release();
    return await lookup;
  }

  for (const verdict of [REFUSED, FAILED]) {
    it(`an order that is ${verdict.kind} is tried again after a minute, once; then the hold-off is the usual one`, async () => {
      const autocert = stage.make();
      expect(await miss(autocert, verdict)).to.deep.include({ kind: 'unavailable', scope: 'name' });
      expect(stage.errors.at(-1)).to.include('"holdoffMs":60000');
      stage.nowMs += SHORT_MS - 1;
      await follow(autocert);
      expect(orderClient.placed).to.have.length(1);
      stage.nowMs += 1;
      await miss(autocert, verdict);
      expect(orderClient.placed).to.have.length(2);
      expect(stage.errors.at(-1)).to.include('"holdoffMs":900000');
      stage.nowMs += 900_000;
      await miss(autocert, verdict);
      expect(stage.errors.at(-1)).to.include('"holdoffMs":1800000');
    });
  }

  it('the name is not said to be absent meanwhile, which would be kept for longer than that', async () => {
    const autocert = stage.make();
    await miss(autocert);
    expect(await follow(autocert)).to.deep.include({ kind: 'unavailable', scope: 'name' });
  });

  it('that of another name, or before or after the order, excuses nothing', async () => {
    orderClient.verdict = REFUSED;
    const autocert = stage.make({ concurrency: 1 });
    autocert.challengeMissed(NAME);
    const lookups = [follow(autocert), follow(autocert, ABSENT, 'queued.test')];
    await settle();
    for (const name of ['queued.test', 'other.test']) autocert.challengeMissed(name as ServerName);
    orderClient.release();
    await lookups[0];
    autocert.challengeMissed(NAME);
    orderClient.release();
    await Promise.all(lookups);
    expect(stage.errors.map((error) => /"holdoffMs":(\d+)/.exec(error)?.[1])).to.deep.equal([
      '900000',
      '900000',
    ]);
  });

  it('an order that succeeds all the same is a success', async () => {
    const autocert = stage.make();
    expect((await miss(autocert, ISSUED)).kind).to.equal('found');
  });

  it('the second order waits for those that run, and none begins before it has ended', async () => {
    const autocert = stage.make({ concurrency: 2 });
    await miss(autocert);
    stage.nowMs += SHORT_MS;
    orderClient.verdict = ISSUED;
    const lookups = ['before.test', NAME, 'after.test', 'last.test'].map((name) =>
      follow(autocert, ABSENT, name),
    );
    await settle();
    // There is a slot left, and nobody gets it.
    expect(orderClient.placed.slice(1)).to.deep.equal(['before.test']);
    orderClient.release();
    await settle();
    expect(orderClient.placed.slice(1)).to.deep.equal(['before.test', NAME]);
    orderClient.release();
    await settle();
    expect(orderClient.placed.slice(1)).to.deep.equal(['before.test', NAME, 'after.test', 'last.test']);
    orderClient.release();
    expect((await Promise.all(lookups)).map(({ kind }) => kind)).to.deep.equal(Array(4).fill('found'));
  });

  it('a second order that waits to be alone is let go by closing, and the others go on in the new books', async () => {
    const autocert = stage.make({ concurrency: 2 });
    await miss(autocert);
    stage.nowMs += SHORT_MS;
    orderClient.verdict = ISSUED;
    const lookups = ['before.test', NAME].map((name) => follow(autocert, ABSENT, name));
    await settle();
    const next = stage.make({ concurrency: 2 });
    next.takeOver(autocert);
    autocert.close();
    expect((await lookups[1])?.kind).to.equal('unavailable');
    const later = follow(next, ABSENT, 'later.test');
    await settle();
    expect(orderClient.placed.slice(1)).to.deep.equal(['before.test', 'later.test']);
    orderClient.release();
    expect((await later).kind).to.equal('found');
  });
});
