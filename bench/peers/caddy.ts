/**
 * Debian's Caddy as a proxy: one thread that runs Go code.
 *
 * As it comes, but without log, HTTP/3, admin server and redirects, and with room for every connection to the backend in its pool.
 * `X-Forwarded-…` it sets by itself.
 */
import type { Server } from '../servers.js';
import { startServer, type ProxyTask } from './peer.js';

export function startCaddy({ pair, dir, backendPort }: ProxyTask): Promise<Server> {
  return startServer({
    command: 'caddy',
    dir,
    processes: 1,
    env: { GOMAXPROCS: '1', HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir },
    configFor: (port) => `
{
  admin off
  auto_https disable_redirects
  log {
    output discard
  }
  servers {
    protocols h1 h2
  }
}
https://:${port} {
  bind 127.0.0.1
  tls ${pair.chainPath} ${pair.keyPath}
  reverse_proxy 127.0.0.1:${backendPort} {
    transport http {
      keepalive_idle_conns_per_host 128
    }
  }
}
`,
    flagsFor: (configPath) => ['run', '--config', configPath, '--adapter', 'caddyfile'],
  });
}
