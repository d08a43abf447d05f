/**
 * docs/operations.md has every log message at err and notice, and no other.
 */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { LOOKED_FOR } from '../../../lib/sources/directory/layouts.js';

const LIB = fileURLToPath(new URL('../../../lib/', import.meta.url));
const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
/** Messages that are put together elsewhere than in the call. */
const ELSEWHERE = [
  'err the certificate directory … cannot be read: …',
  'notice backend left out',
  'notice backend used again',
  'notice the internal CA has made its root',
];

const isLevel = (name: string): boolean => name === 'err' || name === 'notice';

/** The text of a literal, with `…` in the place of what is put in; undefined for anything else. */
function textOf(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}

/** `LEVEL MESSAGE` of each call of a logger in a file. */
function messagesIn(path: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      const message = textOf(node.arguments[0]);
      if (isLevel(name.text) && /log\b/i.test(expression.getText()) && message !== undefined)
        found.push(`${name.text} ${message}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('docs/operations.md', () => {
  it('has the files that --cert-dir knows as the log lists them', () => {
    expect(page.replaceAll(/\s+/g, ' ')).to.contain(LOOKED_FOR);
  });

  it('has each message of the program at err and notice, and no other', () => {
    const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const said = new Set([...files.flatMap((name) => messagesIn(LIB + name)), ...ELSEWHERE]);
    const listed = [...page.matchAll(/^\| `(.+?)` +\| (\S+) +\|/gm)].map(
      ([, message, level]) => `${level} ${message}`,
    );
    expect(said.size).to.be.greaterThan(60);
    expect(listed.sort()).to.deep.equal([...said].sort());
  });
});
