/**
 * Heads on HTTP/2 that are too large, or have an odd status: in both directions.
 */
import { expect } from 'chai';
import { startFront, type Front } from '../../support/front.js';
import { startBackend, type Backend } from '../../support/backend.js';
import { H2Client } from '../../support/h2-client.js';

const NAME = 'a.test';

/** As many fields as make up so many bytes. */
const fieldsOf = (count: number, bytes: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `x-${i}`,
      'y'.repeat(Math.floor(bytes / count) - `x-${i}`.length),
    ]),
  );

describe('The head of a request on HTTP/2', () => {
  let backend: Backend;
  let front: Front;
  beforeEach(async () => {
    backend = await startBackend((_, response) => response.end('hello'));
    front = await startFront({ backends: [backend.url] });
  });
  afterEach(async () => {
    await front[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const TOO_LARGE: [what: string, fields: Record<string, string>][] = [
    ['20 KB', fieldsOf(1, 20_000)],
    ['60 KB', fieldsOf(10, 60_000)],
    ['600 fields', fieldsOf(600, 12_000)],
    ['1,200 fields', fieldsOf(1_200, 24_000)],
  ];
  for (const [what, fields] of TOO_LARGE) {
    it(`of ${what} is answered 431, and so is the fourth one`, async () => {
      using client = await H2Client.connect(front.port, NAME);
      for (let i = 0; i < 4; i++)
        expect(await client.request(fields)).to.include({ status: 431, isWhole: true });
      expect(await client.request()).to.include({ status: 200 });
      expect(backend.requests).to.have.length(1);
    });
  }

  it('above the limit is answered 431 the four hundredth time as well', async () => {
    using client = await H2Client.connect(front.port, NAME);
    const fields = fieldsOf(1, 20_000);
    const statuses = new Set<number>();
    for (let i = 0; i < 400; i++) statuses.add((await client.request(fields)).status);
    expect([...statuses]).to.deep.equal([431]);
    expect(client.session.destroyed).to.equal(false);
  });

  it('of as many fields as we take is served, though HTTP/2 counts 32 octets more for each', async () => {
    using client = await H2Client.connect(front.port, NAME);
    // The settings hold once the client has acknowledged them.
    expect(await client.request()).to.include({ status: 200 });
    expect(await client.request(fieldsOf(500, 15_000))).to.include({ status: 200 });
  });
});
