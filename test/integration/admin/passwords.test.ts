/**
 * Every kind of password hash, over the wire.
 */
import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { admin } from '../../support/admin.js';
import { makeTempDir } from '../../support/certificates.js';
import { startProgram, type Program } from '../../support/program.js';

const PASSWORD = 'péter:s $x';
/** Of that password, made by the C library, OpenSSL and libxcrypt. */
const USERS: Readonly<Record<string, string>> = {
  bcrypt: '$2y$10$abcdefghijklmnopqrstuugb1rz4bC1InUDYw6hHwXiulcDYfGBMG',
  apr1: '$apr1$abcdefgh$EVwvJdI3p4F1FfKB3Du.h.',
  sha: '{SHA}Z0ZMMoi/9oUnm6g7JFL2L7l+gN8=',
  ssha: '{SSHA}RYz0p81fYRz1lJUC89GHIk+AhXJuYQ==',
  crypt: 'ab/GN09gj.LFM',
  'sha-256-crypt': '$5$saltsalt$kOQpt3gQXfeGIXvTQPTOEw05QDH4Q0hAU.M4qHSKvf5',
  'sha-512-crypt':
    '$6$saltsalt$Z1xvn5aKuSvSw0pqUol1EZ/fIXVW119O9fHWlqO1c.vlOnO0qhi8PrMOEG5BZgtmh2w8VqWCsCCJZCI7K8u7./',
};

describe('A user file with every kind of hash', () => {
  let program: Program;
  let path: string;
  let remove: () => Promise<void>;

  before(async () => {
    const temp = await makeTempDir();
    remove = temp.remove;
    path = join(temp.dir, 'htpasswd');
    const lines = Object.entries(USERS).map(([user, hash]) => `${user}:${hash}`);
    await writeFile(path, `# users\n${lines.join('\n')}\n\nplain:s3cret:comment\n`);
    program = await startProgram(['--admin-user-file', path]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await remove();
  });

  const statusFor = async (auth: string): Promise<number> =>
    (await admin(program, '/status', { auth })).status;

  for (const user of Object.keys(USERS)) {
    it(`lets ${user} in with the right password, again and again, and never with another`, async () => {
      expect(await statusFor(`${user}:x${PASSWORD}`)).to.equal(401);
      expect(await statusFor(`${user}:${PASSWORD}`)).to.equal(200);
      expect(await statusFor(`${user}:${PASSWORD}`)).to.equal(200);
      expect(await statusFor(`${user}:${USERS[user]}`)).to.equal(401);
      expect(await statusFor(`${user}:`)).to.equal(401);
    });
  }

  it('lets a user with a plain password in', async () => {
    expect(await statusFor('plain:s3cret')).to.equal(200);
    expect(await statusFor('plain:comment')).to.equal(401);
  });

  it('is read again by a reload: who is no longer in it is out, remembered or not', async () => {
    expect(await statusFor('plain:s3cret')).to.equal(200);
    await writeFile(path, 'newcomer:{PLAIN}welcome\n');
    await program.reload();
    expect(await statusFor('plain:s3cret')).to.equal(401);
    expect(await statusFor('newcomer:welcome')).to.equal(200);
  });
});
