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
/** Calls whose message is put together elsewhere, as `FILE: ARGUMENT`, and what they say. None other may be. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  // Passes on what it is given.
  'log/logger.ts: message': [],
  // Sentences of their own, as the end of the page has it.
  'primary/primary.ts: warning': [],
  'primary/reloads.ts: warning': [],
  'sources/redis/source.ts: message': [],
  'sources/directory/reports.ts: unreadableText(this.#dir, reason)': [
    'err the certificate directory … cannot be read: …',
  ],
  'sources/internal-ca/source.ts: message': ['notice the internal CA has made its root'],
};

const isLevel = (name: string): boolean => name === 'err' || name === 'notice';

/** The texts that an expression may be, with `…` in the place of what is put in; undefined for what is no literal. */
function textsOf(node: ts.Expression): readonly string[] | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  if (!ts.isConditionalExpression(node)) return undefined;
  const [left, right] = [textsOf(node.whenTrue), textsOf(node.whenFalse)];
  return left && right && [...left, ...right];
}

/** Whether something is a method of a logger: `log.err`, `log[level]`. */
function isOfLog(node: ts.Expression): node is ts.PropertyAccessExpression | ts.ElementAccessExpression {
  const isMember = ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
  return isMember && /\blog$|#log$|[a-z]Log$/.test(node.expression.getText());
}

/** `LEVEL MESSAGE` of each call of a logger in a file. @param dynamic takes the calls whose message is no literal. */
function messagesIn(name: string, dynamic: string[]): string[] {
  const path = LIB + name;
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isOfLog(node.expression)) {
      const level = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : undefined;
      const [message] = node.arguments;
      if (message !== undefined && (level === undefined || isLevel(level))) {
        const texts = level === undefined ? undefined : textsOf(message);
        if (texts === undefined) dynamic.push(`${name}: ${message.getText()}`);
        else found.push(...texts.map((text) => `${level} ${text}`));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

interface Row {
  readonly level: string;
  readonly message: string;
  readonly meaning: string;
  readonly remedy: string;
}

const ROWS: readonly Row[] = [...page.matchAll(/^\| `(.+?)` +\| (\S+) +\|(.*)\|(.*)\|$/gm)].map(
  ([, message = '', level = '', meaning = '', remedy = '']) => ({
    ...{ level, message, meaning: meaning.trim(), remedy: remedy.trim() },
  }),
);

describe('docs/operations.md', () => {
  it('has the files that --cert-dir knows as the log lists them', () => {
    expect(page.replaceAll(/\s+/g, ' ')).to.contain(LOOKED_FOR);
  });

  it('has each message of the program at err and notice, and no other', () => {
    const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const dynamic: string[] = [];
    const literal = files.flatMap((name) => messagesIn(name, dynamic));
    expect(dynamic.sort()).to.deep.equal(Object.keys(ELSEWHERE).sort());
    const said = new Set([...literal, ...Object.values(ELSEWHERE).flat()]);
    const listed = ROWS.map(({ level, message }) => `${level} ${message}`);
    expect(said.size).to.be.greaterThan(60);
    expect(listed.sort()).to.deep.equal([...said].sort());
  });

  it('says of each what it means, and of each at err what to do', () => {
    for (const { level, message, meaning, remedy } of ROWS) {
      // “A certificate was issued” says it all.
      if (level === 'err') expect(meaning, message).not.to.be.oneOf(['', '–']);
      expect(remedy, message).not.to.equal('');
      if (level === 'err') expect(remedy, message).not.to.equal('–');
    }
  });
});
