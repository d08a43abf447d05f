/**
 * Session resumption: as often as possible on one certificate, never on another.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTempDir, makeTestCa, writePair, type TestCa } from '../../support/certificates.js';
import { sClientRequest, type SClientResult } from '../../support/openssl.js';
import { startProgram, type Program } from '../../support/program.js';
import { newSession, resume, VERSIONS, type Version } from '../../support/tls-sessions.js';

describe('A TLS session', () => {
  let ca: TestCa;
  let files: Awaited<ReturnType<typeof makeTempDir>>;
  let program: Program;

  // OpenSSL's client, since Node's, from some version on, offers no session to another name than the one it is of.
  const openssl = (version: Version, name: string | undefined, ...flags: string[]): Promise<SClientResult> =>
    sClientRequest(
      program.port,
      ...[version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3', ...flags],
      ...(name === undefined ? ['-noservername'] : ['-servername', name]),
    );
  let sessions = 0;
  const saveSession = async (version: Version, name: string | undefined): Promise<string> => {
    const path = join(files.dir, `session-${++sessions}.pem`);
    await openssl(version, name, '-sess_out', path);
    return path;
  };
  const offerSession = (version: Version, name: string | undefined, path: string): Promise<SClientResult> =>
    openssl(version, name, '-sess_in', path);

  before(async () => {
    [ca, files] = await Promise.all([makeTestCa(), makeTempDir()]);
    await writePair(join(files.dir, 'certs/shared'), await ca.issue(['one.example.org', 'two.example.org']));
    await writePair(join(files.dir, 'certs/a'), await ca.issue(['a.example.org']));
    await writePair(join(files.dir, 'certs/b'), await ca.issue(['b.example.org']));
    await writePair(join(files.dir, 'certs/rsa'), await ca.issue(['rsa.example.org'], { type: 'rsa' }));
    program = await startProgram(['--cert-dir', join(files.dir, 'certs'), '--workers', '2']);
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    await files.remove();
  });

  for (const version of VERSIONS) {
    describe(`of ${version}`, () => {
      for (const name of ['a.example.org', 'rsa.example.org', undefined]) {
        it(`is resumed on ${name ?? 'the default certificate'}, again and again`, async () => {
          const session = await newSession(program.port, version, name);
          for (let visit = 0; visit < 3; visit++) {
            const { reused, askedFor } = await resume(program.port, version, name, session);
            expect(reused).to.equal(true);
            expect(askedFor).to.match(name === undefined ? /none/ : new RegExp(`^${name}$`));
          }
        });
      }

      it('is resumed by the other worker', async () => {
        const [first = 0, second = 0] = await program.workerPids();
        // A worker that is stopped accepts nothing: the other one has to.
        const alone = async <T>(stopped: number, act: () => Promise<T>): Promise<T> => {
          process.kill(stopped, 'SIGSTOP');
          try {
            return await act();
          } finally {
            process.kill(stopped, 'SIGCONT');
          }
        };
        const earlier = program.log.length;
        const session = await alone(second, () => newSession(program.port, version, 'a.example.org'));
        const resumed = await alone(first, () => resume(program.port, version, 'a.example.org', session));
        expect(resumed.reused).to.equal(true);
        const pids = (): unknown[] =>
          program.log.slice(earlier).flatMap((line) => (line.msg === 'handshake' ? [line['pid']] : []));
        await program.until('both handshakes are in the log', () => pids().length === 2);
        expect(pids()).to.have.members([first, second]);
      });

      it('is resumed every time by a client that uses each ticket once, as browsers do', async () => {
        const unused = [await newSession(program.port, version, 'a.example.org')];
        const reused: boolean[] = [];
        for (let visit = 0; visit < 10; visit++) {
          const session = unused.shift() ?? expect.fail(`no ticket is left for visit ${visit}`);
          const next = await resume(program.port, version, 'a.example.org', session);
          unused.push(...next.sessions);
          reused.push(next.reused);
        }
        expect(reused).to.deep.equal(reused.map(() => true));
      });

      it('is resumed on another name of the same certificate', async () => {
        const session = await saveSession(version, 'one.example.org');
        expect((await offerSession(version, 'two.example.org', session)).reused).to.equal(true);
      });

      for (const [from, to] of [
        ['a.example.org', 'b.example.org'],
        ['a.example.org', 'rsa.example.org'],
        ['rsa.example.org', 'a.example.org'],
        [undefined, 'a.example.org'],
        ['unknown.example.net', 'a.example.org'],
        ['a.example.org', undefined],
        ['a.example.org', 'unknown.example.net'],
      ] as const) {
        it(`made on ${from ?? 'no name'} is not resumed on ${to ?? 'no name'}`, async () => {
          const session = await newSession(program.port, version, from);
          expect((await resume(program.port, version, from, session)).reused, 'it is a good one').to.equal(
            true,
          );
          const { reused, names } = await resume(program.port, version, to, session);
          expect(reused).to.equal(false);
          expect(names).to.equal(to?.endsWith('.example.org') === true ? to : 'default.invalid');
        });
      }

      it('survives a reload, and the death of every worker', async () => {
        const { port } = program;
        const session = await newSession(port, version, 'a.example.org');
        await program.reload();
        expect((await resume(port, version, 'a.example.org', session)).reused).to.equal(true);
        const old = await program.workerPids();
        for (const pid of old) process.kill(pid, 'SIGKILL');
        for (let now = old; now.some((pid) => old.includes(pid)); now = await program.workerPids());
        expect((await resume(port, version, 'a.example.org', session)).reused).to.equal(true);
      });

      it('is refused once the certificate of its name has changed', async () => {
        const dir = join(files.dir, `changes-${version}`);
        const name = `changes-${version.replaceAll('.', '-').toLowerCase()}.example.org`;
        await writePair(join(dir, 'x'), await ca.issue([name]));
        await using own = await startProgram([
          ...['--cert-dir', dir, '--cert-cache-duration', '0.2', '--lru-cache-duration', '0.1'],
        ]);
        const session = await newSession(own.port, version, name);
        const first = await resume(own.port, version, name, session);
        expect(first.reused).to.equal(true);

        await writePair(join(dir, 'x'), await ca.issue([name], { notAfter: Date.now() + 60 * 86_400_000 }));
        await own.reload();
        let now = first;
        while (now.reused) now = await resume(own.port, version, name, session);
        expect(now.names).to.equal(name);
        expect(now.fingerprint).to.not.equal(first.fingerprint);
      });
    });
  }
});
