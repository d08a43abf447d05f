import { once } from 'node:events';
import type { SendHandle } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { bindSharedHandle } from '../../../lib/net/shared-handle.js';
import { removeStaleSocket } from '../../../lib/net/stale-socket.js';
import { makeTempDir } from '../../support/certificates.js';
import { startGreeter } from './greeter.js';

async function greeting(socketPath: string): Promise<string> {
  const socket = connect(socketPath);
  try {
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  } finally {
    socket.destroy();
  }
}

describe('A unix socket that is listened on', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let socketPath: string;
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    socketPath = join(dir, 'a.sock');
  });
  afterEach(() => remove());

  it('is accepted on by another process, outlives it, and is gone when it is closed', async () => {
    const handle = bindSharedHandle({ socketPath });
    try {
      expect(handle.address).to.deep.equal({ socketPath });
      for (const name of ['one', 'two']) {
        const child = startGreeter(name);
        const ended = once(child, 'exit');
        try {
          await once(child, 'message');
          child.send('accept', handle.native as SendHandle);
          expect((await once(child, 'message'))[0]).to.equal('listening');
          expect(await greeting(socketPath)).to.equal(name);
        } finally {
          child.kill('SIGKILL');
          await ended;
        }
      }
      expect(existsSync(socketPath)).to.equal(true);
    } finally {
      handle.close();
    }
    expect(existsSync(socketPath)).to.equal(false);
  });

  const wrong: [title: string, path: string, reason: string][] = [
    [
      'the directory is missing',
      'none/a.sock',
      'there is no such directory, or no permission to make the socket in it',
    ],
    ['a file is in the way', 'file', 'the address is in use by another program'],
  ];
  for (const [title, name, reason] of wrong) {
    it(`is refused when ${title}, in one sentence`, async () => {
      const path = join(dir, name);
      await writeFile(join(dir, 'file'), 'kept');
      await removeStaleSocket(path);
      expect(() => bindSharedHandle({ socketPath: path }, '--http-listen').close())
        .to.throw(`--http-listen unix:${path}: ${reason}`)
        .with.property('code', 'ERR_ENVIRONMENT');
      expect(existsSync(join(dir, 'file'))).to.equal(true);
    });
  }

  it('is removed when a program that was killed has left it behind', async () => {
    const child = startGreeter('x', socketPath);
    const ended = once(child, 'exit');
    await once(child, 'message');
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(socketPath)).to.equal(true);
    await removeStaleSocket(socketPath);
    expect(existsSync(socketPath)).to.equal(false);
    bindSharedHandle({ socketPath }).close();
  });

  it('is left to the program that listens on it', async () => {
    const server = createServer((socket) => socket.end()).listen(socketPath);
    await once(server, 'listening');
    try {
      await removeStaleSocket(socketPath);
      expect(() => bindSharedHandle({ socketPath })).to.throw(
        `--listen unix:${socketPath}: the address is in use by another program`,
      );
    } finally {
      server.close();
    }
  });
});
