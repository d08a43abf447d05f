/**
 * What Node's own sockets cost: it passes on what it decrypts, and back, and reads nothing of it. It is no proxy.
 *
 *     node node-sockets.mjs CONFIG
 *
 * The file has JSON: `{"port": …, "chainPath": …, "keyPath": …, "backendPort": …, "isKept": …}`. With `isKept` a connection to the backend
 * serves the next client when its own has gone, which must have had its whole answer.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

const { port, chainPath, keyPath, backendPort, isKept } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const idle = [];

/** A connection to the backend, and the client that it serves. */
class Backend {
  constructor() {
    this.socket = connect({ port: backendPort, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', ignore);
    this.socket.on('data', (bytes) => pass(bytes, this.socket, this.client));
    this.socket.on('drain', () => this.client?.resume());
  }
}

function pass(bytes, from, to) {
  if (to?.write(bytes) === false) from.pause();
}

function ignore() {
  // `close` follows.
}

const options = { cert: readFileSync(chainPath), key: readFileSync(keyPath), noDelay: true };
createServer(options, (client) => {
  const backend = idle.pop() ?? new Backend();
  const { socket } = backend;
  backend.client = client;
  client.on('error', ignore);
  client.on('data', (bytes) => pass(bytes, client, socket));
  client.on('drain', () => socket.resume());
  client.on('close', () => {
    backend.client = undefined;
    if (isKept) idle.push(backend);
    else socket.destroy();
  });
}).listen(port, '127.0.0.1');
