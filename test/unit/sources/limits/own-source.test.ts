import { expect } from 'chai';
import type { Lookup } from '../../../../lib/domain/lookup.js';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { isDoubtful } from '../../../../lib/sources/doubtful-failure.js';
import { OwnSource } from '../../../../lib/sources/limits/own-source.js';
import type { CertificateSource } from '../../../../lib/sources/source.js';

const NAME = 'a.test' as ServerName;
const PAIR = { chainPem: 'a chain', keyPem: 'a key' };

/** A source as plain JavaScript may have it. */
const sourceThat = (more: object): CertificateSource => ({
  name: 'mine',
  lookup: () => Promise.resolve({ kind: 'absent' }),
  check: () => Promise.resolve({ ok: true }),
  close: () => Promise.resolve(),
  ...more,
});

const look = (answer: unknown): Promise<Lookup> =>
  new OwnSource(sourceThat({ lookup: () => answer })).lookup(NAME, { signal: new AbortController().signal });

describe("An embedder's source", () => {
  it('is believed when it answers as the contract says, also without a promise', async () => {
    const answers: Lookup[] = [
      { kind: 'found', candidates: [[PAIR], [PAIR, PAIR], []] },
      { kind: 'absent' },
      { kind: 'pending', reason: 'it is being ordered' },
      { kind: 'unavailable', reason: 'it is down', scope: 'source' },
      { kind: 'unavailable', reason: 'half an entry', scope: 'name' },
    ];
    for (const answer of answers) {
      expect(await look(answer)).to.deep.equal(answer);
      expect(await look(Promise.resolve(answer))).to.deep.equal(answer);
    }
  });

  it('has failed, perhaps for that name alone, when its answer is none: that is never "there is none"', async () => {
    const found = (candidates: unknown) => ({ kind: 'found', candidates });
    const answers = [undefined, null, 'absent', [], {}, { kind: 'none' }, { kind: 5 }];
    const lists = [undefined, null, PAIR, { 0: [PAIR] }].map(found);
    for (const answer of [...answers, ...lists]) {
      const lookup = await look(answer);
      expect(lookup, JSON.stringify(answer)).to.include({ kind: 'unavailable', scope: 'source' });
      expect(isDoubtful(lookup)).to.equal(true);
    }
  });

  it('need not say why it cannot tell', async () => {
    expect(await look({ kind: 'unavailable' })).to.deep.equal({
      kind: 'unavailable',
      reason: 'it does not say why',
      scope: 'source',
    });
    expect(await look({ kind: 'pending' })).to.deep.equal({ kind: 'pending', reason: 'it does not say why' });
  });
});
