/**
 * Clients that guess passwords at the admin routes: whom it costs anything.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { admin, ROOT } from '../../support/admin.js';
import { makeTempDir } from '../../support/certificates.js';
import { request } from '../../support/client.js';
import { askPlain, plainPort } from '../../support/plain-client.js';
import { startProgram, type Program } from '../../support/program.js';

/** Of `sslers`, with cost 12: 250 ms and more. */
const HASH = '$2b$12$abcdefghijklmnopqrstuuK7qXaKUuCPbiUDv5wKoVCqamGqrFDd2';
const GUESSERS = 8;
const QUESTIONS = 25;
/** The library for bcrypt holds its thread for 100 ms at a time. */
const HASH_TURN_MS = 100;
const FAILURES_UNTIL_HELD = 5;

interface Answer {
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: string | undefined;
  readonly ms: number;
}

/** Asks again and again on one connection. */
class Client implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #options: { readonly port: number; readonly localAddress: string };

  constructor(port: number, localAddress: string) {
    this.#options = { port, localAddress };
  }

  async ask(path: string, auth?: string): Promise<Answer> {
    const startedMs = performance.now();
    const outgoing = httpsRequest({
      ...{ host: '127.0.0.1', ...this.#options, path, agent: this.#agent, rejectUnauthorized: false },
      ...{ servername: 'a.localhost', headers: { host: 'a.localhost' } },
      ...(auth !== undefined && { auth }),
    });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    const retryAfter = response.headers['retry-after'];
    return { status: response.statusCode ?? 0, retryAfter, ms: performance.now() - startedMs };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

const median = (answers: readonly Answer[]): number =>
  answers.map(({ ms }) => ms).sort((a, b) => a - b)[answers.length >> 1] ?? Infinity;

describe('Guessers at the admin routes', () => {
  let remove: () => Promise<void>;
  let program: Program;

  before(async () => {
    const temp = await makeTempDir();
    ({ remove } = temp);
    const path = join(temp.dir, 'htpasswd');
    await writeFile(path, `peter:${HASH}\nmary:${HASH}\nfast:{PLAIN}sslers\n`);
    program = await startProgram(['--admin-user-file', path, '--http-listen', '127.0.0.1:0']);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await remove();
  });

  const status = (client: Client, auth: string): Promise<Answer> => client.ask(`${ROOT}/status`, auth);
  const failUntilHeld = async (client: Client): Promise<void> => {
    for (let i = 0; i < FAILURES_UNTIL_HELD; i++) {
      expect(await status(client, `fast:secret-${i}`)).to.include({ status: 401 });
    }
  };

  it('keep nobody else waiting, nor a right password, remembered or not', async () => {
    const { port } = program;
    using manager = new Client(port, '127.0.0.20');
    using visitor = new Client(port, '127.0.0.21');
    expect(await manager.ask(`${ROOT}/status`, 'peter:sslers')).to.include({ status: 200 });
    const seen = new Map<number, number>();
    let isOver = false;
    const guessing = Array.from({ length: GUESSERS }, async (_, index) => {
      using guesser = new Client(port, `127.0.0.${2 + index}`);
      for (let i = 0; !isOver; i++) {
        const answer = await guesser.ask(`${ROOT}/expire/all`, `peter:secret-${index}-${i}`);
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      }
    });
    const guesses = (): number => seen.get(401) ?? 0;
    try {
      const pages: Answer[] = [];
      const remembered: Answer[] = [];
      for (let i = 0; i < QUESTIONS; i++) {
        pages.push(await visitor.ask('/'));
        remembered.push(await manager.ask(`${ROOT}/status`, 'peter:sslers'));
      }
      const before = guesses();
      expect(await manager.ask(`${ROOT}/status`, 'mary:sslers')).to.include({ status: 200 });
      // What was under way, and what had been answered already: not one of each guesser.
      expect(guesses() - before, 'guesses that went first').to.be.below(GUESSERS / 2);
      expect(remembered.every(({ status }) => status === 200)).to.equal(true);
      expect(median(pages)).to.be.below(HASH_TURN_MS);
      expect(median(remembered)).to.be.below(HASH_TURN_MS);
    } finally {
      isOver = true;
      await Promise.all(guessing);
    }
    expect([...seen.keys()].every((status) => status === 401 || status === 429)).to.equal(true);
    expect(guesses(), 'a few for each').to.be.below(GUESSERS * (FAILURES_UNTIL_HELD + 6));
    expect(program.log.filter(({ msg }) => msg.startsWith('expired'))).to.deep.equal([]);
  });

  it('have to wait after a few failures: 429 with Retry-After, also with the right password and on plain HTTP', async () => {
    const from = '127.0.0.30';
    using guesser = new Client(program.port, from);
    await failUntilHeld(guesser);
    for (const auth of ['fast:sslers', 'mary:secret', 'nobody:secret']) {
      expect(await status(guesser, auth)).to.include({ status: 429, retryAfter: '1' });
    }
    await program.logged(/^wrong passwords/, { client: from, failures: 5, seconds: 1, level: 'notice' });
    // On plain HTTP they are counted along.
    const credentials = Buffer.from('fast:secret').toString('base64');
    const ask = (): ReturnType<typeof askPlain> =>
      askPlain(plainPort(program), `GET ${ROOT}/status HTTP/1.1`, [
        'Host: 127.0.0.1',
        `Authorization: Basic ${credentials}`,
      ]);
    const codes: number[] = [];
    for (let i = 0; i <= FAILURES_UNTIL_HELD; i++) codes.push((await ask()).status);
    expect(codes).to.deep.equal([401, 401, 401, 401, 401, 429]);
    using other = new Client(program.port, '127.0.0.1');
    expect(await status(other, 'fast:secret')).to.include({ status: 429 });
  });

  it('go on waiting after a reload', async () => {
    using guesser = new Client(program.port, '127.0.0.31');
    await failUntilHeld(guesser);
    await program.reload();
    let answer = await status(guesser, 'fast:secret');
    while (answer.status === 429) answer = await status(guesser, 'fast:secret');
    // The sixth failure, not the first.
    expect(await status(guesser, 'fast:secret')).to.include({ status: 429, retryAfter: '2' });
  });

  it('leave no password in the log, nor a name that is nobody there', async () => {
    using client = new Client(program.port, '127.0.0.40');
    await status(client, 'evil\nname:secret-x');
    await status(client, 'fast:sslers');
    await program.logged('a right password after wrong ones', {
      client: '127.0.0.40',
      user: 'fast',
      failures: 1,
    });
    expect(program.stderr + program.stdout).not.to.match(/secret|sslers"|evil/);
  });

  it('are not what a browser is that a page of another site sends: 403, and nothing is expired', async () => {
    const auth = 'fast:sslers';
    for (const path of ['/expire/all', '/expire/domain/shop.localhost']) {
      const browser = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
      const { status: code, json } = await admin(program, path, { auth, headers: browser });
      expect(code).to.equal(403);
      expect(json).to.include({ result: 'error', expired: 'None' });
      const plain = await askPlain(plainPort(program), `GET ${ROOT}${path} HTTP/1.1`, [
        'Host: 127.0.0.1',
        'Referer: http://evil.test/',
        `Authorization: Basic ${Buffer.from(auth).toString('base64')}`,
      ]);
      expect(plain.status).to.equal(403);
      expect((await request({ port: program.port, path: ROOT + path, headers: browser })).status).to.equal(
        401,
      );
    }
    expect(program.log.filter(({ msg }) => msg.startsWith('expired'))).to.deep.equal([]);
    const typed = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' };
    expect((await admin(program, '/expire/all', { auth, headers: typed })).status).to.equal(200);
  });
});
