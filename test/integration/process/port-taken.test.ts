/**
 * A port that is free when the primary binds it, and another program's when the workers come to listen.
 */
import { expect } from 'chai';
import { handshake } from '../../support/client.js';
import { startEmbedder } from '../../support/embedder.js';

const SHARED_HANDLE = new URL('../../../lib/net/shared-handle.ts', import.meta.url).href;
const TSX = import.meta.resolve('tsx/esm/api');

describe('Two programs that start on one port at the same moment', () => {
  it('the one that comes second does not say that it is ready: it fails, and names the address', async () => {
    await using program = await startEmbedder(
      {},
      '',
      {},
      {
        before: `
        const { tsImport } = await import(${JSON.stringify(TSX)});
        const { createServer } = await import('node:net');
        const { bindSharedHandle, listenOnHandle } = await tsImport(${JSON.stringify(SHARED_HANDLE)}, import.meta.url);
        const rival = bindSharedHandle({ host: '127.0.0.1', port: 0 });
        const server = createServer();
        cluster.once('fork', () => listenOnHandle(server, rival.native));
        const listen = '127.0.0.1:' + rival.address.port;
        const settings = { listen, workers: 1, 'log-format': 'json' };
        const outcome = await start({ settings }).then(() => 'started', (error) => error.code);
        process.stdout.write('outcome ' + outcome + ' at ' + listen + '\\n');
        server.close();
      `,
      },
    );
    const [, address] = /^outcome ERR_ENVIRONMENT at (\S+)$/m.exec(program.stdout) ?? [];
    expect(address, program.stdout).to.match(/^127\.0\.0\.1:\d+$/);
    const line = await program.logged('listener failed');
    expect(line).to.include({ level: 'err', address });
    expect(line['error']).to.include('EADDRINUSE');
    // Another start in the same process is not hurt by it.
    expect((await handshake({ port: program.port })).names).to.equal('default.invalid');
  });
});
