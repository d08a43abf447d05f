/**
 * What this program is compared with, in the order of the table's columns.
 */
import { startCaddy } from './caddy.js';
import { startHaproxy } from './haproxy.js';
import { startNodeSockets } from './node-sockets.js';
import { startNginxLua } from './nginx-lua.js';
import { startNginx } from './nginx.js';
import type { Peer } from './peer.js';

export const PEERS: readonly Peer[] = [
  { name: 'nginx', modes: ['http', 'tcp'], start: startNginx },
  // Debian has no Lua module for TCP, nor a Caddy that passes TCP on.
  { name: 'nginx+lua', modes: ['http'], start: startNginxLua },
  { name: 'HAProxy', modes: ['http', 'tcp'], start: startHaproxy },
  { name: 'Caddy', modes: ['http'], start: startCaddy },
  {
    name: 'Node sockets',
    modes: ['http', 'tcp'],
    isFloor: true,
    start: startNodeSockets,
  },
];
