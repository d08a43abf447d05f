import { expect } from 'chai';
import { load, nativeTls, NativeTls } from '../../../lib/net/native-tls.js';

const { binding } = process as unknown as { binding: (name: string) => object };

describe("Node's own TLS", () => {
  it('is there on this Node', () => {
    expect(nativeTls).to.be.instanceOf(NativeTls);
  });

  it('is used on versions that it was tested with alone', () => {
    for (const version of ['v20.19.0', 'v22.1.0', 'v26.10.0'])
      expect(load({ version, binding } as object as NodeJS.Process), version).to.be.instanceOf(NativeTls);
    for (const version of ['v18.20.0', 'v27.0.0', 'v200.0.0', 'unknown'])
      expect(load({ version, binding } as object as NodeJS.Process), version).to.equal(undefined);
  });

  it('is not used where it cannot be had, or has changed', () => {
    const refused = (): never => {
      throw new Error('access denied');
    };
    const changed = (name: string): object =>
      name === 'tls_wrap' ? binding(name) : { ...binding(name), WriteWrap: 1 };
    for (const other of [undefined, refused, () => ({}), changed])
      expect(load({ version: 'v26.0.0', binding: other } as object as NodeJS.Process)).to.equal(undefined);
  });
});
