/**
 * The command `why`, and its one sentence as a pattern.
 *
 *     const report = await says(program, 'a.test', {
 *       code: 'negative-cached',
 *       sentence: 'The default certificate is served: … for <time> more …',
 *       command: 'peter-sslers-proxy expire domain a.test --workers',
 *     });
 *     await mend(program, report);
 */
import { expect } from 'chai';
import type { CauseCode, WhyReport } from '../../lib/diagnosis/report.js';
import { command, commandLine, type CommandResult } from './command.js';
import type { Program } from './program.js';

export interface Expected {
  readonly code: CauseCode;
  /** The whole of it, with `<time>`, `<date>`, `<print>` (of a certificate), `<n>` in the place of what changes. */
  readonly sentence: string;
  /** The command of the remedy; absent: it has none. */
  readonly command?: string;
  /** @default 0 where the code is one of those that are served */
  readonly exitCode?: number;
  /** The text for people is not asked for: a second question would be answered otherwise. */
  readonly once?: boolean;
  /** Words that no output may have. */
  readonly secrets?: readonly string[];
}

const PLACES: Readonly<Record<string, string>> = {
  time: String.raw`\d+(?:\.\d+)? (?:ms|s|min|h|d)(?: \d+ (?:s|min))?`,
  date: String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`,
  print: '[0-9a-f]{16}',
  n: String.raw`\d+`,
};

/** Asks with --json. Fails where it gives no report. */
export async function why(program: Program, name: string): Promise<CommandResult & { report: WhyReport }> {
  const result = await command(program, ['why', name, '--json']);
  expect(result.stderr, 'what why says on stderr').to.equal('');
  return { ...result, report: JSON.parse(result.stdout) as WhyReport };
}

/** Asks with --json, then for people, and compares code, sentence, remedy and exit code. */
export async function says(program: Program, name: string, expected: Expected): Promise<WhyReport> {
  const { report, code, stdout } = await why(program, name);
  const { diagnosis } = report;
  const { code: cause, sentence, command: mending, exitCode = 1, secrets = [] } = expected;
  const context = `${diagnosis.code}: ${diagnosis.sentence}`;
  expect(diagnosis.code, context).to.equal(cause);
  expect(patternOf(sentence).test(diagnosis.sentence), context).to.equal(true);
  expect(diagnosis.remedy?.command, context).to.equal(mending);
  expect(code, `exit code: ${context}`).to.equal(exitCode);
  expect(diagnosis.isServed).to.equal(exitCode === 0);
  const outputs = [stdout];
  if (expected.once !== true) {
    const forPeople = await command(program, ['why', name]);
    const lines = forPeople.stdout.trimEnd().split('\n');
    expect(forPeople.code).to.equal(exitCode);
    expect(
      lines.filter((line) => patternOf(sentence).test(line)),
      forPeople.stdout,
    ).to.have.length(1);
    if (mending !== undefined) expect(lines.at(-1)).to.equal(`    ${mending}`);
    outputs.push(forPeople.stdout, forPeople.stderr);
  }
  for (const output of outputs) {
    expect(output).not.to.include('PRIVATE KEY');
    for (const secret of secrets) expect(output).not.to.include(secret);
  }
  return report;
}

/** Runs the command that a report names. */
export async function mend(program: Program, { diagnosis: { remedy } }: WhyReport): Promise<void> {
  const { code, stdout, stderr } = await commandLine(program, remedy?.command ?? 'false');
  expect(code, `${remedy?.command ?? 'no command'}: ${stdout}${stderr}`).to.equal(0);
}

function patternOf(sentence: string): RegExp {
  const escaped = sentence.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replace(/<(\w+)>/g, (_, place: string) => PLACES[place] ?? place)}$`);
}
