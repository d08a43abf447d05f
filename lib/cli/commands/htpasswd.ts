/** `htpasswd FILE USER`: sets or deletes a user of the file that `--admin-user-file` names. */
import { resolve } from 'node:path';
import { userProblem, withUser } from '../../admin/htpasswd-lines.js';
import { bcrypt } from '../../base/lazy-imports.js';
import { replaceFile } from '../../base/replace-file.js';
import { codeOf, environmentError, usageError } from '../../domain/errors.js';
import { JSON_OPTION, print, type ClientCommand, type CommandContext } from '../command.js';

/** Each step doubles what a guess costs, and what every first request of a user costs this program: some 100 ms. */
const COST = 10;
/** bcrypt reads no more: what follows would be ignored. */
const MAX_PASSWORD_BYTES = 72;

export const HTPASSWD: ClientCommand = {
  name: 'htpasswd',
  operands: '<FILE> <USER>',
  says: "set a user's password in a file for --admin-user-file (bcrypt), or delete the user; a reload takes it over",
  isLocal: true,
  exitCodes: { 1: 'the file cannot be written, the passwords differ, or there is no such user to delete' },
  options: {
    ...JSON_OPTION,
    stdin: { says: 'the password is the first line of standard input; without it the terminal asks, twice' },
    delete: { says: 'take the user out of the file' },
  },
  async run(context) {
    const [file = '', user = ''] = context.operands;
    const problem = userProblem(user);
    if (problem !== undefined) throw usageError(`htpasswd: the user ${problem}`);
    const isDeletion = context.hasSwitch('delete');
    if (isDeletion && context.hasSwitch('stdin')) throw usageError('htpasswd: --delete takes no password');
    const path = resolve(context.io.cwd, file);
    // Read before a password is asked for, so that nobody types one in vain.
    const before = read(context, path);
    if (isDeletion && before === undefined) throw environmentError(`htpasswd: there is no ${file}`);
    const line = isDeletion ? undefined : `${user}:${await bcrypt().hash(await passwordOf(context), COST)}`;
    const { text, wasThere } = withUser(before ?? '', user, line);
    if (isDeletion && !wasThere) throw environmentError(`htpasswd: ${file} has no user ${user}`);
    try {
      await replaceFile(path, text);
    } catch (thrown) {
      const code = codeOf(thrown) ?? 'unknown error';
      throw environmentError(`htpasswd: ${file} cannot be written (${code})`, thrown);
    }
    const result = isDeletion ? 'deleted' : wasThere ? 'changed' : 'added';
    print(context, { file: path, user, result }, () => `${result} ${user}\n`);
    return 0;
  },
};

/** @returns undefined where there is no such file. */
function read({ io }: CommandContext, path: string): string | undefined {
  try {
    return io.readFile(path);
  } catch (thrown) {
    const code = codeOf(thrown) ?? 'unknown error';
    if (code === 'ENOENT') return undefined;
    throw environmentError(`htpasswd: ${path} cannot be read (${code})`, thrown);
  }
}

async function passwordOf(context: CommandContext): Promise<string> {
  const { io } = context;
  if (context.hasSwitch('stdin')) return accepted((await io.readStdin()).split(/\r?\n/, 1)[0] ?? '');
  if (io.readSecret === undefined) {
    throw usageError('htpasswd: standard input is no terminal to ask on: use --stdin');
  }
  const given = accepted((await io.readSecret('password: ')) ?? gaveUp());
  const again = (await io.readSecret('the same again: ')) ?? gaveUp();
  if (again !== given) throw environmentError('htpasswd: the passwords differ, and nothing was changed');
  return given;
}

function gaveUp(): never {
  throw environmentError('htpasswd: no password was given, and nothing was changed');
}

function accepted(password: string): string {
  if (password === '') throw usageError('htpasswd: the password must not be empty');
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw usageError(
      `htpasswd: the password must have ${MAX_PASSWORD_BYTES} bytes at most: bcrypt ignores what follows`,
    );
  }
  return password;
}
