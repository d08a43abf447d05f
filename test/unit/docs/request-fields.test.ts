import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { CLAIMS } from '../../../lib/proxy/headers/claimed-fields.js';

const page = readFileSync(new URL('../../../docs/request-fields.md', import.meta.url), 'utf8');

describe('The page on request fields', () => {
  it('has the table of claims that the program drops', () => {
    const table = /<!-- claims -->([\s\S]*?)<!-- \/claims -->/.exec(page)?.[1] ?? '';
    const rows = table
      .split('\n')
      .filter((row) => row.startsWith('| `'))
      .map((row) => row.split('|').map((cell) => cell.trim()));
    expect(rows).to.deep.equal(
      CLAIMS.map(({ names, why }) => ['', names.map((name) => `\`${name}\``).join(', '), why, '']),
    );
  });
});
