import { expect } from 'chai';
import type { Found } from '../../../../lib/net/names/found.js';
import { Names } from '../../../../lib/net/names/names.js';

/** Which address a connection to the name begins with. */
function firstOf(names: Names, host: string): Promise<string> {
  const { lookup } = names.destination({ host, port: 80 });
  return new Promise((resolve, reject) => {
    if (lookup === undefined) throw new Error('it is no name');
    lookup(host, { all: true }, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || typeof first !== 'object') reject(error ?? new Error('it has no addresses'));
      else resolve(first.address);
    });
  });
}

async function inTurn(names: Names, hosts: readonly string[], rounds: number): Promise<string[][]> {
  const seen = hosts.map((): string[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, host] of hosts.entries()) seen[at]?.push(await firstOf(names, host));
  }
  return seen;
}

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'a.test': ['127.0.1.1', '127.0.1.2'],
  'b.test': ['127.0.1.3', '127.0.1.4'],
};
const lookUp = (name: string): Promise<Found> =>
  Promise.resolve({ kind: 'found', addresses: ADDRESSES[name] ?? [], ttlMs: 60_000 });

describe('The addresses of a name', () => {
  it('all take their turn where several names are asked in turn', async () => {
    const names = new Names({ lookUp, firstTurn: () => 0 });
    expect(await inTurn(names, ['a.test', 'B.test', 'b.test'], 2)).to.deep.equal([
      ['127.0.1.1', '127.0.1.2'],
      ['127.0.1.3', '127.0.1.3'],
      ['127.0.1.4', '127.0.1.4'],
    ]);
    expect(await inTurn(names, ['a.test', 'b.test'], 2)).to.deep.equal([
      ['127.0.1.1', '127.0.1.2'],
      ['127.0.1.3', '127.0.1.4'],
    ]);
  });

  it('begin anywhere, so that workers that start together do not all ask the first one', async () => {
    const begins = await Promise.all(
      Array.from({ length: 64 }, () => firstOf(new Names({ lookUp }), 'a.test')),
    );
    expect(new Set(begins).size).to.equal(2);
  });
});
