/**
 * Whether the program in this container serves: a handshake within three seconds, on port 8443 or that of HEALTHCHECK_PORT. A worker
 * answers it, so it also says that one is alive.
 */
import { connect } from 'node:tls';

const port = Number(process.env.HEALTHCHECK_PORT ?? 8443);

function end(code, why) {
  if (why !== undefined) console.error(`port ${port}: ${why}`);
  process.exit(code);
}

// The certificate does not matter: without a server name it is the default one, which nobody has to trust.
const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
socket.once('secureConnect', () => end(0));
socket.once('error', (error) => end(1, error.message));
setTimeout(() => end(1, 'no handshake within three seconds'), 3_000);
