/**
 * Requests over plain HTTP, as they are given: no path or field is made right.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Program } from './program.js';

export interface PlainAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The port of the first plain HTTP address of the ready line. */
export function plainPort(program: Program): number {
  const port = /"http:\/\/[^/"\s]*?:(\d+)"/.exec(program.stdout)?.[1];
  if (port === undefined) throw new Error(`no plain HTTP in ${program.stdout}`);
  return Number(port);
}

/** Sends a request line and fields, `Connection: close` added; returns the whole answer. */
export async function askPlain(
  to: number | string,
  requestLine: string,
  fields: readonly string[] = [],
): Promise<PlainAnswer> {
  const socket = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to);
  await once(socket, 'connect');
  socket.write([requestLine, ...fields, 'Connection: close', '', ''].join('\r\n'), 'latin1');
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
  return parseAnswer(text);
}

function parseAnswer(text: string): PlainAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = text.slice(0, end).split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(
      fields.map((field): [string, string] => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
      }),
    ),
    body: text.slice(end + 4),
  };
}
