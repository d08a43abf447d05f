import { expect } from 'chai';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { InternalCaSource } from '../../../../lib/sources/internal-ca/source.js';
import type { ServedAbove } from '../../../../lib/sources/source.js';
import { makeTempDir } from '../../../support/certificates.js';

const OPEN = { signal: new AbortController().signal };
const domain = (name: string): ServerName => name as ServerName;

describe('InternalCaSource, asked whether it may', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let source: InternalCaSource | undefined;

  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
  });
  afterEach(async () => {
    await source?.close();
    await remove();
  });

  const open = async (): Promise<InternalCaSource> => {
    source = await InternalCaSource.open({ dir, allow: ['*.test'], now: Date.now });
    return source;
  };

  it('mints nothing for a look-up that may order nothing', async () => {
    const source = await open();
    const name = domain('half.test');
    expect(await source.lookup(name, { ...OPEN, mayOrder: false })).to.deep.equal({ kind: 'absent' });
    expect((await source.lookup(name, OPEN)).kind).to.equal('found');
  });

  it('mints nothing for a name that the wildcard above serves, and keeps nothing in its way', async () => {
    const source = await open();
    const name = domain('x.half.test');
    const served = (isServedAbove: ServedAbove) =>
      source.lookup(name, { ...OPEN, isServedAbove: () => Promise.resolve(isServedAbove) });
    expect((await served('no')).kind).to.equal('found');
    expect((await served('unknown')).kind, 'it costs nobody anything').to.equal('found');
    expect(await served('yes')).to.deep.equal({ kind: 'absent' });
  });
});
