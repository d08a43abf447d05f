/**
 * The combined format is nginx's: lines that it has written of requests, and ours of the same.
 */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { layoutOf } from '../../../../lib/proxy/access-log/layout.js';
import { INFO, TLS } from './stage.js';

interface Recording {
  readonly requests: readonly { readonly head: readonly [string, ...string[]]; readonly line: string }[];
}

const { requests } = JSON.parse(
  readFileSync(new URL('../../../fixtures/nginx/combined.json', import.meta.url), 'utf8'),
) as Recording;

/** The value of a field in a head; undefined where it is not there. */
function fieldOf(head: readonly string[], name: string): string | undefined {
  return head
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim();
}

/** When a line says that it was. */
function timeOf(line: string): number {
  const [, day, month, year, time] = /\[(\d+)\/(\w+)\/(\d+):([\d:]+) \+0000\]/.exec(line) ?? [];
  return Date.parse(`${month} ${day}, ${year} ${time} UTC`);
}

describe('The combined log format', () => {
  for (const { head, line } of requests) {
    it(`is nginx's: ${line.replace(/.*?\] /, '')}`, () => {
      const [method = '', target = '', version = ''] = head[0].split(' ');
      const written = layoutOf({ format: 'combined' }).request({
        timeMs: timeOf(line),
        info: { ...INFO, client: { address: '127.0.0.1', port: 1 } },
        tls: TLS,
        id: '',
        host: fieldOf(head, 'Host'),
        method,
        target,
        httpVersion: version.slice('HTTP/'.length),
        referer: fieldOf(head, 'Referer'),
        userAgent: fieldOf(head, 'User-Agent'),
        status: 200,
        bytes: 'hello'.length,
        received: 0,
        durationMs: 0,
        isCut: false,
        timeout: undefined,
        trace: undefined,
      });
      expect(written).to.equal(`${line}\n`);
    });
  }
});
