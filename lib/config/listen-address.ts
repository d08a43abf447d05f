/**
 * What `--listen` and `--http-listen` take. PURE: no name is looked up.
 *
 *   127.0.0.1:8443, [::1]:8443      that address
 *   unix:/path                      a unix socket
 *   8443, :8443, *:8443             every address of the machine: [::], which takes IPv4 too, or 0.0.0.0 where there is no IPv6
 *   localhost:8443                  127.0.0.1 and, where there is IPv6, [::1], as browsers and curl try both
 *   localhost:0                     127.0.0.1 alone: the system would choose another port for each
 *
 * Other names are refused. They would have to be looked up before anything is served, and may mean other addresses at the next start.
 */
import { isIP } from 'node:net';
import type { Address } from '../domain/address.js';
import { Problem } from './problem.js';

const SHAPES =
  'an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443, or localhost:8443, or a port alone';

/** @param hasIpv6 whether the machine has the address `::1`. */
export function parseListen(text: string, hasIpv6: boolean): readonly Address[] | Problem {
  if (/^unix:/i.test(text)) {
    const address = parseUnixSocket(text);
    return address instanceof Problem ? address : [address];
  }
  const [, bracketed, bare = '', digits = ''] = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) return new Problem(`must be ${SHAPES}`);
  if (bracketed === undefined) {
    const name = bare.toLowerCase();
    if (name === '' || name === '*') return [{ host: hasIpv6 ? '::' : '0.0.0.0', port }];
    if (name === 'localhost') {
      const hosts = hasIpv6 && port !== 0 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
      return hosts.map((host) => ({ host, port }));
    }
  }
  const host = bracketed ?? bare;
  return isIP(host) === (bracketed === undefined ? 4 : 6)
    ? [{ host, port }]
    : new Problem(`must be ${SHAPES}`);
}

/** What the kernel has room for, less the 0 at the end. */
export const MAX_SOCKET_PATH_BYTES = 107;

function parseUnixSocket(text: string): Address | Problem {
  const socketPath = /^unix:(?:\/\/)?(\/[^/].*)$/i.exec(text)?.[1];
  if (socketPath === undefined || socketPath.includes('\0')) {
    return new Problem('must have an absolute path after "unix:"');
  }
  return Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES
    ? new Problem(`must have a path of ${MAX_SOCKET_PATH_BYTES} bytes at most after "unix:"`)
    : { socketPath };
}
