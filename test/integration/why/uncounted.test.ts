/**
 * The clients that `why` plays are none: in the metrics and the log they do not look like clients that come, or that fail.
 */
import { expect } from 'chai';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { handshake } from '../../support/client.js';
import { eventuallySees } from '../../support/eventually.js';
import { readMetrics, type MetricsText } from '../../support/metrics-text.js';
import { startProgram } from '../../support/program.js';
import { openStage, prime2, type Stage } from '../../support/stage.js';
import { startTcpBackend } from '../../support/tcp-backend.js';
import { why } from '../../support/why.js';

const HANDSHAKES = 'peter_sslers_handshakes_total';
const FAILED = 'peter_sslers_handshakes_failed_total';
const DEFAULTS = 'peter_sslers_defaults_served_total';

describe('why, of what is counted', () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it('counts for no client, neither where it succeeds nor where it fails, while clients do', async () => {
    await prime2(stage.redis, 'ec.test', await stage.ca.issue(['ec.test']));
    const flags = ['--workers', '2', '--admin-listen', '127.0.0.1:0', '--log-level', 'info'];
    await using program = await startProgram([...stage.redisFlags(2), ...flags]);
    const { admin } = JSON.parse(program.stdout.split('\n')[0] ?? '') as { admin: string[] };
    const metrics = async (): Promise<MetricsText> =>
      readMetrics(await (await fetch(`${admin[0] ?? ''}/metrics`)).text());
    const failures = (): number => program.log.filter(({ msg }) => msg === 'handshake failed').length;
    /** Fails at a server that has an ECDSA key alone. */
    const failingClient = async (): Promise<void> => {
      const rsaOnly = { sigalgs: 'rsa_pss_rsae_sha256', maxVersion: 'TLSv1.2' } as const;
      const ALPNProtocols = ['h2', `peter-sslers-proxy/${'0'.repeat(32)}`];
      const where = { host: '127.0.0.1', port: program.port, servername: 'ec.test' };
      const socket = connect({ ...where, ...rsaOnly, ALPNProtocols, rejectUnauthorized: false });
      await once(socket, 'error');
    };

    const { report } = await why(program, 'ec.test');
    expect(report.diagnosis.code).to.equal('rsa-clients-left-out');
    expect(report.clients).to.have.length(3);
    expect((await why(program, 'none.test')).report.clients[0]?.isDefault).to.equal(true);
    await handshake({ port: program.port, servername: 'ec.test' });
    await failingClient();
    const sums = await eventuallySees(
      'the handshakes of clients are counted',
      async () => {
        const { sum } = await metrics();
        return [sum(HANDSHAKES), sum(FAILED), sum(DEFAULTS)];
      },
      ([done = 0, failed = 0]) => done > 0 && failed > 0,
    );
    expect(sums).to.deep.equal([1, 1, 0]);
    expect(failures()).to.equal(1);
  });

  it('opens no connection to the backend of a TCP route, and leaves none of its own open', async () => {
    await using backend = await startTcpBackend(({ socket }) => socket.pipe(socket));
    await prime2(stage.redis, 'tcp.test', await stage.ca.issue(['tcp.test'], { type: 'rsa' }));
    await using program = await startProgram([
      ...stage.redisFlags(2),
      ...['--backend', backend.url, '--workers', '1', '--admin-listen', '127.0.0.1:0'],
    ]);
    const { admin } = JSON.parse(program.stdout.split('\n')[0] ?? '') as { admin: string[] };
    const { report } = await why(program, 'tcp.test');
    expect(report.clients.map(({ failure }) => failure)).to.deep.equal([undefined, undefined, undefined]);
    await handshake({ port: program.port, servername: 'tcp.test' });
    await backend.connection();
    await eventuallySees(
      'no connection is open, and each of the four was accepted',
      async () => {
        const { sum } = readMetrics(await (await fetch(`${admin[0] ?? ''}/metrics`)).text());
        return [sum('peter_sslers_connections_accepted_total'), sum('peter_sslers_connections_open')];
      },
      ([accepted, open]) => accepted === 4 && open === 0,
    );
    expect(backend.connections).to.have.length(1);
  });
});
