/**
 * docs/migrating.md has each reason for which a response of a backend is refused, and no other.
 */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';

const LIB = new URL('../../../lib/proxy/', import.meta.url);
const page = readFileSync(new URL('../../../docs/migrating.md', import.meta.url), 'utf8');

describe('docs/migrating.md', () => {
  it('has each reason for which a response of a backend is refused, and no other', () => {
    const files = ['http1', 'upstream/http1'].flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, LIB)).map((name) => `${folder}/${name}`),
    );
    const said = files.flatMap((name) =>
      [...readFileSync(new URL(name, LIB), 'utf8').matchAll(/new MalformedMessage\(\s*'([^']+)'/g)].map(
        ([, reason]) => reason,
      ),
    );
    const listed = [...page.matchAll(/^\|[^|]+\| `([^`]+)` +\| (?:502|cut) +\|$/gm)].map(
      ([, reason]) => reason,
    );
    expect(listed).to.have.length.above(20);
    expect(listed.sort()).to.deep.equal([...new Set(said)].sort());
  });
});
