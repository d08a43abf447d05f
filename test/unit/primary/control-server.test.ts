import { once } from 'node:events';
import { lstat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { AdminRouter } from '../../../lib/admin/routes.js';
import { controlClient } from '../../../lib/cli/control-client.js';
import { silentLogger, type Logger } from '../../../lib/log/logger.js';
import { ControlServer } from '../../../lib/primary/control-server.js';
import { EventStream } from '../../../lib/primary/event-stream.js';
import { makeTempDir } from '../../support/certificates.js';

describe('the control socket', () => {
  let dir: string;
  let remove: () => Promise<void>;
  const opened: { close(): void }[] = [];
  const path = (): string => join(dir, 'below', 'control.sock');

  beforeEach(async () => ({ dir, remove } = await makeTempDir()));
  afterEach(async () => {
    for (const server of opened.splice(0)) server.close();
    await remove();
  });

  const open = async (at = path(), log: Logger = silentLogger): Promise<ControlServer> => {
    const router = new AdminRouter({
      prefix: '/.peter_sslers',
      hosts: [],
      trusted: true,
      isControl: true,
      hasShortPaths: true,
      actions: {
        status: () => Promise.resolve({ valid: [], invalid: [], autocert: [] }),
        expireAll: () => Promise.resolve({}),
        expireDomain: () => Promise.resolve({}),
        operate: ({ op }) => Promise.resolve({ op }),
      },
      config: { certCacheDurationMs: 1, lruCacheDurationMs: 1, lruMaxItems: 1 },
    });
    const server = new ControlServer({
      router,
      events: new EventStream({ snapshot: () => ({}) }),
      log,
    });
    opened.push(server);
    await server.open(at);
    return server;
  };

  it('is made with its folder, and is open to its own user alone, whatever the umask', async () => {
    const umask = process.umask(0);
    try {
      await open();
    } finally {
      expect(process.umask(umask)).to.equal(0);
    }
    const { mode } = await lstat(path());
    expect((mode & 0o777).toString(8)).to.equal('600');
  });

  it('answers operations, those for it alone included', async () => {
    await open();
    expect(await controlClient(path())('reload', {})).to.deep.equal({ op: 'reload' });
  });

  it('refuses a path that another program listens on, and leaves that alone', async () => {
    await open();
    const again = await open().catch((error: unknown) => error as Error);
    expect(again).to.include({
      code: 'ERR_ENVIRONMENT',
      message: `--control-socket ${path()}: it is in use by another program`,
    });
    expect(await controlClient(path())('stop', {})).to.deep.equal({ op: 'stop' });
  });

  it('leaves it to whoever opens it to log that it could not be opened', async () => {
    await open();
    const lines: string[] = [];
    const log: Logger = { ...silentLogger, err: (message) => void lines.push(message) };
    expect(await open(path(), log).catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect(lines).to.deep.equal([]);
  });

  it('takes the place of a socket that was left behind', async () => {
    const left = join(dir, 'left.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script]), 'exit');
    expect((await lstat(left)).isSocket()).to.equal(true);
    await open(left);
    expect(await controlClient(left)('reload', {})).to.deep.equal({ op: 'reload' });
  });

  it('does not take the place of a file', async () => {
    const file = join(dir, 'file');
    await writeFile(file, 'mine');
    const refused = await open(file).catch((error: unknown) => error as Error);
    expect(refused).to.have.property('code', 'ERR_ENVIRONMENT');
    expect((await lstat(file)).isFile()).to.equal(true);
  });

  it('is removed when it is closed, and cuts who still waits', async () => {
    const server = await open();
    server.close();
    const isGone = await lstat(path()).then(
      () => false,
      () => true,
    );
    expect(isGone).to.equal(true);
  });

  it('is tried by nobody who listens on something else', async () => {
    const other: Server = createServer().listen(join(dir, 'other.sock'));
    await once(other, 'listening');
    opened.push(other);
    await open();
    expect((await lstat(join(dir, 'other.sock'))).isSocket()).to.equal(true);
  });
});
