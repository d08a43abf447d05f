import { expect } from 'chai';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { MeasuredSource } from '../../../../lib/sources/limits/measured-source.js';
import { FakeSource, found } from '../../../support/fake-source.js';
import { ManualTime } from '../../../support/manual-time.js';

const NAME = 'a.test' as ServerName;
const CONTEXT = { signal: new AbortController().signal };

describe('A measured source', () => {
  it('tells how long each look-up took, and what it came to', async () => {
    const time = new ManualTime();
    const inner = new FakeSource('redis', () => {
      time.nowMs += 25;
      return found();
    });
    const seen: unknown[] = [];
    const source = new MeasuredSource(inner, { now: time.now, onLookup: (...told) => seen.push(told) });
    expect(await source.lookup(NAME, CONTEXT)).to.deep.equal(found());
    expect(seen).to.deep.equal([['redis', 'found', 25]]);
  });

  it('tells of one that fails against its contract as unavailable, and passes the failure on', async () => {
    const inner = new FakeSource('redis', () => {
      throw new Error('broken');
    });
    const seen: unknown[] = [];
    const source = new MeasuredSource(inner, { now: () => 0, onLookup: (...told) => seen.push(told) });
    const failure = await source.lookup(NAME, CONTEXT).catch((error: unknown) => error);
    expect(failure).to.be.an('error');
    expect(seen).to.deep.equal([['redis', 'unavailable', 0]]);
  });
});
