/**
 * Servers of Debian's behind tcp routes whose clients are silent for long: dovecot (IMAP's IDLE) and mosquitto (MQTT without keep-alive). `IDLE_S=300` for as long as clients are in earnest.
 */
import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { accepts } from '../support/accepts.js';
import { makeTempDir } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { findProgram } from '../support/find-program.js';
import { startProgram } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { unusedPort } from '../support/unused-port.js';

const IDLE_MS = 1_000 * Number(process.env['IDLE_S'] ?? 5);
const TIMEOUT_MS = IDLE_MS + 60_000;
const NAME = 'a.localhost';

/** Starts a server. @returns how to stop it */
async function serve(port: number, command: string, args: string[]): Promise<() => Promise<unknown>> {
  const child: ChildProcess = spawn(command, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const stop = (): Promise<unknown> => {
    child.kill();
    return exited;
  };
  try {
    await eventually(`${command} listens`, () => accepts(port));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return stop;
}

const tcpRoute = (port: number): string[] => ['--backend', `tcp://127.0.0.1:${port}`, '--workers', '2'];

describe('A client that is silent for long', () => {
  let dir: string;
  let remove: () => Promise<void>;
  let port: number;
  let stop: () => Promise<unknown>;
  beforeEach(async () => {
    ({ dir, remove } = await makeTempDir());
    port = await unusedPort();
    stop = () => Promise.resolve();
  });
  afterEach(async () => {
    await stop();
    await remove();
  });

  it('of mosquitto gets what is published afterwards', async () => {
    await writeFile(join(dir, 'conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
    stop = await serve(port, findProgram('mosquitto', 'mosquitto'), ['-c', join(dir, 'conf')]);
    await using program = await startProgram(tcpRoute(port));
    // CONNECT of MQTT 3.1.1: a clean session, and no keep-alive.
    const connect = (id: string): string => `\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01${id}`;
    using listener = await RawClient.connect(program.port, NAME);
    await listener.send(connect('l')).until('it is connected', ({ received }) => received.length === 4);
    await listener
      .send('\x82\x06\0\x01\0\x01t\0')
      .until('it listens', ({ received }) => received.length === 9);
    await delay(IDLE_MS);
    using speaker = await RawClient.connect(program.port, NAME);
    await speaker.send(connect('s')).until('it is connected', ({ received }) => received.length === 4);
    speaker.send('\x30\x08\0\x01thello');
    await listener.until('it hears', ({ received }) => received.endsWith('\x30\x08\0\x01thello'));
    await listener
      .send('\xc0\0')
      .until('its PING is answered', ({ received }) => received.endsWith('\xd0\0'));
  }).timeout(TIMEOUT_MS);

  // It starts its own parts as users of its own, which only root can do.
  if (process.getuid?.() === 0) {
    it('of dovecot is told of mail that comes afterwards', async () => {
      const mail = join(dir, 'mail');
      await mkdir(join(mail, 'new'), { recursive: true });
      await writeFile(
        join(dir, 'conf'),
        `
base_dir = ${dir}/run
log_path = ${dir}/log
protocols = imap
ssl = no
disable_plaintext_auth = no
mail_location = maildir:${mail}
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${mail}
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
      );
      for (const folder of [dir, mail, join(mail, 'new')]) await chmod(folder, 0o777);
      stop = await serve(port, findProgram('dovecot', 'dovecot-imapd'), ['-F', '-c', join(dir, 'conf')]);
      await using program = await startProgram(tcpRoute(port));
      using client = await RawClient.connect(program.port, NAME);
      const say = (tag: string, line: string, answer: string): Promise<void> =>
        client
          .send(`${tag} ${line}\r\n`)
          .until(`${line} is answered`, ({ received }) => received.includes(answer));
      await say('1', 'LOGIN a b', '1 OK');
      await say('2', 'SELECT INBOX', '2 OK');
      await say('3', 'IDLE', '+ idling');
      await delay(IDLE_MS);
      expect(client.isClosed).to.equal(false);
      await writeFile(join(mail, 'new', '1.a.b'), 'Subject: hello\r\n\r\nhello\r\n');
      await client.until('it is told', ({ received }) => received.includes('* 1 EXISTS'));
      await client.send('DONE\r\n').until('it goes on', ({ received }) => received.includes('3 OK'));
    }).timeout(TIMEOUT_MS);
  }
});
