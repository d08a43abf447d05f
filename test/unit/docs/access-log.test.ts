/**
 * docs/access-log.md has the fields and the reasons that the program has.
 */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import {
  ACCESS_LOG_FIELD_NAMES,
  ACCESS_LOG_FIELDS,
  type AccessLogFieldRow,
} from '../../../lib/config/access-log-fields.js';
import { DEFAULT_REASONS } from '../../../lib/domain/default-reason.js';

const page = readFileSync(new URL('../../../docs/access-log.md', import.meta.url), 'utf8');

/** The cells of a table between two marks. */
function rowsOf(mark: string): string[][] {
  const table = new RegExp(`<!-- ${mark} -->([\\s\\S]*?)<!-- /${mark} -->`).exec(page)?.[1] ?? '';
  const rows = table.split('\n').filter((row) => row.startsWith('| `'));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/access-log.md', () => {
  it('has the table of fields that the program has', () => {
    expect(rowsOf('fields')).to.deep.equal(
      ACCESS_LOG_FIELD_NAMES.map((name) => {
        const { says, byDefault }: AccessLogFieldRow = ACCESS_LOG_FIELDS[name];
        return [`\`${name}\``, byDefault ?? '', says];
      }),
    );
  });

  it('has every reason of a default certificate, and no other', () => {
    expect(rowsOf('reasons').map(([reason]) => reason)).to.deep.equal(
      DEFAULT_REASONS.map((reason) => `\`${reason}\``),
    );
  });
});
