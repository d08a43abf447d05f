/**
 * docs/peter-sslers-proxy.1 says what the program's tables say, and man takes it without a warning.
 */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { FLAG_NAMES } from '../../../lib/config/flags.js';
import { manPage } from '../../support/man-page.js';

const FILE = fileURLToPath(new URL('../../../docs/peter-sslers-proxy.1', import.meta.url));

describe('The manual page', () => {
  it('is made from the tables (npm run docs:man)', () => {
    expect(readFileSync(FILE, 'utf8')).to.equal(manPage());
  });

  it('is shown by groff without a warning, with every command and flag', () => {
    const { stdout, stderr, error } = spawnSync(
      'groff',
      ['-man', '-ww', '-Tutf8', '-P-cbou', '-rLL=200n', FILE],
      {
        encoding: 'utf8',
      },
    );
    expect([error, stderr]).to.deep.equal([undefined, '']);
    const shown = stdout.replaceAll(/[\u2010\u2212]/g, '-');
    for (const { name } of COMMANDS) expect(shown).to.match(new RegExp(`^ +${name}\\b`, 'm'));
    for (const name of FLAG_NAMES) expect(shown).to.match(new RegExp(`^ +--${name}\\b`, 'm'));
  });
});
