import { expect } from 'chai';
import { chains, DirectoryStage, look } from './stage.js';

describe('DirectorySource with certificates for IP addresses', () => {
  const on = new DirectoryStage();

  it('finds them by any of their addresses, beside names or alone', async () => {
    const alone = await on.place('alone', ['192.0.2.1', '2001:db8::1']);
    const beside = await on.place('beside', ['a.test', '192.0.2.2']);
    const source = await on.open();
    expect(await chains(source, '192.0.2.1')).to.deep.equal([[alone.chainPem]]);
    expect(await chains(source, '2001:DB8:0:0:0:0:0:1')).to.deep.equal([[alone.chainPem]]);
    expect(await chains(source, '192.0.2.2')).to.deep.equal([[beside.chainPem]]);
    expect(await chains(source, 'a.test')).to.deep.equal([[beside.chainPem]]);
    expect(await look(source, '192.0.2.3')).to.deep.equal({ kind: 'absent' });
    expect(on.errors).to.deep.equal([]);
  });

  it('tells of their addresses when they have changed', async () => {
    await on.place('a', ['192.0.2.1']);
    await on.open();
    await on.place('a', ['192.0.2.1', '192.0.2.4']);
    await on.poll();
    expect(on.told).to.deep.equal([['192.0.2.1', '192.0.2.4']]);
  });

  it('takes no part of an address for a label below a wildcard', async () => {
    await on.place('wild', ['*.a.test']);
    const source = await on.open();
    expect(await look(source, '192.0.2.1')).to.deep.equal({ kind: 'absent' });
  });
});
