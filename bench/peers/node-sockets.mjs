/**
 * What Node's own sockets cost: it passes on what it decrypts, and back, and reads nothing of it. It is no proxy.
 *
 *     node node-sockets.mjs CONFIG
 *
 * The file has JSON: `{"port": …, "chainPath": …, "keyPath": …, "backendPort": …}`. Each client has a connection to the backend for as long as
 * it stays.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

const { port, chainPath, keyPath, backendPort } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

function passOn(from, to) {
  from.on('data', (bytes) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('error', ignore);
  from.on('close', () => to.destroy());
}

function ignore() {
  // `close` follows.
}

const options = { cert: readFileSync(chainPath), key: readFileSync(keyPath), noDelay: true };
createServer(options, (client) => {
  const backend = connect({ port: backendPort, host: '127.0.0.1', noDelay: true });
  passOn(client, backend);
  passOn(backend, client);
}).listen(port, '127.0.0.1');
