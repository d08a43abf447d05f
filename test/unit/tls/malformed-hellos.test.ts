import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { buildContext } from '../../../lib/tls/secure-context.js';
import { makeTestCa } from '../../support/certificates.js';
import { byteByByte, clientHello12, RawClient, readFlight } from '../../support/raw-tls.js';
import { frame, longestHello } from './client-hello-bytes.js';
import { bundleOf, serveContexts, type ContextServer } from './context-server.js';
import { MALFORMED_HELLOS } from './malformed-hellos.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is left on the heap after a collection. */
function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('A ClientHello', () => {
  let server: ContextServer;
  before(async () => {
    server = await serveContexts();
    server.use(buildContext(bundleOf(await (await makeTestCa()).issue(['a.test']))));
  });
  after(() => server.close());

  for (const [what, bytes, alert] of MALFORMED_HELLOS) {
    it(`with ${what} gets alert ${alert}, as from nginx`, async () => {
      using client = await RawClient.connect(server.port);
      await client.send(bytes);
      await client.closed;
      expect(readFlight(client.received)).to.deep.equal({ alert });
    });
  }

  const isAnswered = async (...pieces: readonly Buffer[]): Promise<void> => {
    using client = await RawClient.connect(server.port);
    await client.send(...pieces);
    await client.until((received) => Object.keys(readFlight(received)).length > 0);
    expect(readFlight(client.received).certificate?.subjectAltName).to.equal('DNS:a.test');
  };

  it('is taken at the greatest length that its own lengths, and OpenSSL, allow', async () => {
    const bytes = frame(longestHello());
    expect(bytes.readUIntBE(6, 3)).to.equal(131_396);
    await isAnswered(bytes);
  });

  it('is taken with empty records before it and in it, as nginx takes it', async () => {
    const bytes = clientHello12({ serverName: 'a.test' });
    const empty = Buffer.from('1603010000', 'hex');
    const body = bytes.subarray(5);
    await isAnswered(Buffer.concat([empty, frame(body.subarray(0, 2)), empty, frame(body.subarray(2))]));
  });

  it('that comes byte by byte holds its bytes, and not a buffer for each', async () => {
    const bytes = clientHello12({ serverName: 'a.test', padding: 16_000 });
    using client = await RawClient.connect(server.port);
    const pieces = byteByByte(bytes);
    const before = heapBytes();
    await client.send(...pieces.slice(0, -1));
    // A buffer for each byte is 3 MB.
    expect(heapBytes() - before).to.be.below(1_000_000);
    await client.send(...pieces.slice(-1));
    await client.until((received) => Object.keys(readFlight(received)).length > 0);
    expect(readFlight(client.received).certificate?.subjectAltName).to.equal('DNS:a.test');
  });
});
