/**
 * Changes to the text of an htpasswd file: one user's line, and every other as it is. PURE.
 */

/** What is wrong with a user's name, as a clause; undefined where nothing is. */
export function userProblem(user: string): string | undefined {
  if (user === '') return 'must not be empty';
  if (user.includes(':')) return 'must not have a colon, which ends it in the file';
  if (user.startsWith('#')) return 'must not begin with #, which makes a comment of its line';
  return /[\u0000-\u001f\u007f]|^\s|\s$/.test(user)
    ? 'must not have control characters, nor a space at either end'
    : undefined;
}

/**
 * Puts a user's line in the place of the one that there is, else at the end.
 *
 * @param line undefined: the user is taken out.
 * @returns the text, and whether there was one before.
 */
export function withUser(
  text: string,
  user: string,
  line: string | undefined,
): { readonly text: string; readonly wasThere: boolean } {
  const end = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
  const lines = text === '' ? [] : text.replace(/(?:\r\n|\n|\r)$/, '').split(/\r\n|\n|\r/);
  const isOfUser = (each: string): boolean =>
    each
      .replace(/^\uFEFF/, '')
      .trim()
      .split(':', 1)[0] === user;
  const first = lines.findIndex(isOfUser);
  const kept = lines.flatMap((each, index) => {
    if (!isOfUser(each)) return [each];
    // Of two lines for one user the first counts: a second one must not come back.
    return index === first && line !== undefined ? [line] : [];
  });
  if (first === -1 && line !== undefined) kept.push(line);
  return { text: kept.map((each) => each + end).join(''), wasThere: first !== -1 };
}
