import { expect } from 'chai';
import { load, nativeTls, NativeTls } from '../../../lib/net/native-tls.js';

const { binding } = process as unknown as { binding: (name: string) => object };

/** @param of this process but for what a test says. */
const loadOf = (of: object): NativeTls | undefined =>
  load({ version: process.version, execArgv: [], env: {}, binding, ...of } as object as NodeJS.Process);

describe("Node's own TLS", () => {
  it('is there on this Node', () => {
    expect(nativeTls).to.be.instanceOf(NativeTls);
  });

  it('is used on versions that it was tested with alone', () => {
    for (const version of ['v20.19.0', 'v22.1.0', 'v26.10.0'])
      expect(loadOf({ version }), version).to.be.instanceOf(NativeTls);
    for (const version of ['v18.20.0', 'v27.0.0', 'v200.0.0', 'unknown'])
      expect(loadOf({ version }), version).to.equal(undefined);
  });

  it('is not used where it cannot be had, or has changed', () => {
    const refused = (): never => {
      throw new Error('access denied');
    };
    const changed = (name: string): object =>
      name === 'tls_wrap' ? binding(name) : { ...binding(name), WriteWrap: 1 };
    for (const other of [undefined, refused, () => ({}), changed])
      expect(loadOf({ binding: other })).to.equal(undefined);
  });

  it('is not used where Node was told to show what its own sockets do', () => {
    for (const flag of ['--tls-keylog=/tmp/keys', '--tls-keylog', '--trace-tls']) {
      expect(loadOf({ execArgv: [flag] }), flag).to.equal(undefined);
      expect(loadOf({ env: { NODE_OPTIONS: `--no-warnings  ${flag} x` } }), flag).to.equal(undefined);
    }
    expect(loadOf({ execArgv: ['--tls-min-v1.3'], env: { NODE_OPTIONS: '' } })).to.be.instanceOf(NativeTls);
  });
});
