/**
 * Whether the program in this container serves: a handshake within three seconds, on port 8443 or that of HEALTHCHECK_PORT. A worker
 * answers it, so it also says that one is alive.
 *
 * Where the handshake is ended without an answer, it is tried again behind a PROXY header: --accept-proxy-protocol may have this machine.
 */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

const port = Number(process.env.HEALTHCHECK_PORT ?? 8443);

function end(code, why) {
  if (why !== undefined) console.error(`port ${port}: ${why}`);
  process.exit(code);
}

/** @param greeting what is sent before the handshake. @param failed called with the reason, once. */
function shakeHands(greeting, failed) {
  const tcp = connectTcp(port, '127.0.0.1', () => {
    tcp.off('error', failed);
    tcp.write(greeting);
    // The certificate does not matter: without a server name it is the default one, which nobody has to trust.
    const tls = connectTls({ socket: tcp, rejectUnauthorized: false });
    tls.once('secureConnect', () => end(0));
    tls.once('error', failed);
  });
  tcp.once('error', failed);
}

shakeHands('', (error) => shakeHands('PROXY UNKNOWN\r\n', () => end(1, error.message)));
setTimeout(() => end(1, 'no handshake within three seconds'), 3_000);
