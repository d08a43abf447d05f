import { expect } from 'chai';
import { ChainStore, flatCopy } from '../../../lib/caches/chain-store.js';

describe('ChainStore', () => {
  it('keeps a text once, and lets it go with its last user', () => {
    const store = new ChainStore();
    store.intern('chain one');
    const alone = store.bytes;
    expect(alone).to.equal(ChainStore.costOf('chain one'));
    expect(store.intern('chain one')).to.equal('chain one');
    expect(store.bytes).to.equal(alone);
    store.intern('chain two');
    expect(store.size).to.equal(2);
    store.release('chain two');
    store.release('chain one');
    expect(store.bytes).to.equal(alone);
    store.release('chain one');
    expect({ bytes: store.bytes, size: store.size }).to.deep.equal({ bytes: 0, size: 0 });
  });

  it('spends nothing on a certificate without intermediates, and ignores a release too many', () => {
    const store = new ChainStore();
    store.intern('');
    store.release('');
    store.release('never interned');
    expect({ bytes: store.bytes, size: store.size }).to.deep.equal({ bytes: 0, size: 0 });
    expect(ChainStore.costOf('')).to.equal(0);
  });

  it('copies a slice to the same text', () => {
    expect(flatCopy('é and a'.slice(0, 5))).to.equal('é and');
  });
});
