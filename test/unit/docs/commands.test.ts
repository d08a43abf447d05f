/**
 * docs/commands.md says of every command what its definition says.
 */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { commandsText } from '../../support/commands-page.js';

/** Prettier pads the cells of tables. */
const plain = (text: string): string =>
  text
    .replaceAll(/-{3,}/g, '---')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?\| ?/g, '|');

describe('docs/commands.md', () => {
  const page = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');

  it('is made from the definitions (npm run docs:commands)', () => {
    expect(plain(page)).to.contain(plain(commandsText()));
  });

  it('has every command', () => {
    const heads = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(heads).to.deep.equal(COMMANDS.map(({ name }) => name).filter((name) => name !== 'start'));
  });
});
