/** What tests of the command `check` share. */
import { expect } from 'chai';
import type { Finding } from '../../lib/check/finding.js';
import { runCommand, type RunOptions } from './run-program.js';

export interface Checked {
  readonly code: number | null;
  readonly findings: readonly Finding[];
  readonly output: string;
}

/** Runs `check` as it is started in a directory, and has looked that its exit code says what its findings do. */
export async function check(flags: readonly string[], options: RunOptions): Promise<Checked> {
  const listen = flags.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const argv = ['check', ...listen, '--max-connections', '10', ...flags];
  const { code, stdout, stderr } = await runCommand([...argv, '--json'], options);
  expect(stderr).to.equal('');
  const { errors, findings } = JSON.parse(stdout) as { errors: number; findings: Finding[] };
  expect(code).to.equal(errors === 0 ? 0 : 1);
  return { code, findings, output: stdout };
}

/** The findings of an area: `LEVEL WHAT → REMEDY`. */
export function findingsOf({ findings }: Checked, area: string): string[] {
  return findings
    .filter((each) => each.area === area)
    .map(({ level, what, remedy }) => `${level} ${what}${remedy === undefined ? '' : ` → ${remedy}`}`);
}
