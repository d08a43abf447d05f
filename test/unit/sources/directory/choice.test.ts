import { expect } from 'chai';
import type { IssueOptions } from '../../../support/certificates.js';
import { chains, DAY_MS, DirectoryStage, look } from './stage.js';

describe('DirectorySource choosing between certificates', () => {
  const on = new DirectoryStage();
  const ago = (days: number): number => Date.now() - days * DAY_MS;
  const VALID = { notBefore: ago(10) };
  const NEWER = { notBefore: ago(5) };
  const EXPIRED = { notBefore: ago(90), notAfter: ago(1) };
  const LONG_EXPIRED = { notBefore: ago(900), notAfter: ago(800) };
  const EARLY = { notBefore: ago(-1) };
  const RSA = { type: 'rsa' } as const;
  const cases: {
    title: string;
    ask?: string;
    folders: Record<string, [string, IssueOptions]>;
    expected: string[][];
  }[] = [
    {
      title: 'hands over all valid ones, the newest first',
      folders: { a: ['a.test', VALID], b: ['a.test', NEWER], c: ['a.test', { notBefore: ago(20) }] },
      expected: [['b'], ['a'], ['c']],
    },
    {
      title: 'lets an expired one shadow no valid one, be it in the folder of the plain name',
      folders: { 'a.test': ['a.test', EXPIRED], 'a.test-0001': ['a.test', VALID] },
      expected: [['a.test-0001']],
    },
    {
      title: 'lets one that is not valid yet shadow no valid one',
      folders: { early: ['a.test', EARLY], now: ['a.test', VALID] },
      expected: [['now']],
    },
    {
      title: 'hands over the one that expired last when all have',
      folders: { a: ['a.test', EXPIRED], b: ['a.test', LONG_EXPIRED] },
      expected: [['a']],
    },
    {
      title: 'hands over an ECDSA and an RSA certificate together, ECDSA first',
      folders: { a: ['a.test', { ...NEWER, ...RSA }], b: ['a.test', VALID] },
      expected: [['b', 'a']],
    },
    {
      title: 'leaves an expired RSA certificate out of the pair',
      folders: { a: ['a.test', { ...EXPIRED, ...RSA }], b: ['a.test', VALID] },
      expected: [['b']],
    },
    {
      title: 'hands over the newest of each key type together, then the others',
      folders: {
        a: ['a.test', { notBefore: ago(11), ...RSA }],
        b: ['a.test', { ...NEWER, ...RSA }],
        c: ['a.test', NEWER],
        d: ['a.test', VALID],
      },
      expected: [['c', 'b'], ['d'], ['a']],
    },
    {
      title: 'prefers the exact name to a newer wildcard',
      folders: { exact: ['a.b.test', VALID], wild: ['*.b.test', NEWER] },
      ask: 'a.b.test',
      expected: [['exact'], ['wild']],
    },
    {
      title: 'serves a name with the wildcard above it',
      folders: { wild: ['*.b.test', VALID] },
      ask: 'a.b.test',
      expected: [['wild']],
    },
    {
      title: 'prefers a valid wildcard to an expired certificate of the exact name',
      folders: { exact: ['a.b.test', EXPIRED], wild: ['*.b.test', VALID] },
      ask: 'a.b.test',
      expected: [['wild']],
    },
    {
      title: 'finds a wildcard by its literal name',
      folders: { wild: ['*.b.test', VALID], other: ['a.b.test', VALID] },
      ask: '*.b.test',
      expected: [['wild']],
    },
  ];
  for (const { title, ask = 'a.test', folders, expected } of cases) {
    it(title, async () => {
      const folderOf = new Map<string, string>();
      for (const [folder, [name, options]] of Object.entries(folders)) {
        folderOf.set((await on.place(folder, [name], options)).chainPem, folder);
      }
      const found = await chains(await on.open(), ask);
      expect(found.map((pairs) => pairs.map((chain) => folderOf.get(chain)))).to.deep.equal(expected);
    });
  }

  it('lets a wildcard cover one label only', async () => {
    await on.place('wild', ['*.b.test']);
    const source = await on.open();
    expect((await look(source, 'deep.a.b.test')).kind).to.equal('absent');
    expect((await look(source, 'b.test')).kind).to.equal('absent');
  });

  it('judges by the time of the look-up, not by that of the reading', async () => {
    const older = await on.place('old', ['a.test'], { notBefore: ago(9), notAfter: ago(-1) });
    const early = await on.place('early', ['a.test'], { notBefore: ago(-0.5) });
    const source = await on.open();
    expect(await chains(source, 'a.test')).to.deep.equal([[older.chainPem]]);
    on.time.nowMs += DAY_MS;
    expect(await chains(source, 'a.test')).to.deep.equal([[early.chainPem]]);
  });
});
