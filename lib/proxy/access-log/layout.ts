/**
 * How lines look, and what has to be known for them: made once of the settings, so that a line costs no more than it has in it.
 */
import { defaultFields, type AccessLogField } from '../../config/access-log-fields.js';
import type { AccessLogSettings } from '../../config/settings.js';
import type { TlsFacts } from '../downstream/tls-facts.js';
import type { TcpEntry } from '../tunnel/tcp-record.js';
import { combinedLine, commonLine } from './common.js';
import type { AccessEntry } from './entries.js';
import {
  REQUEST_FIELDS,
  TCP_FIELDS,
  TLS_FIELDS,
  TRACE_FIELDS,
  type FieldReader,
  type FieldValue,
} from './fields.js';
import { combinedTcpLine, commonTcpLine } from './tcp-common.js';
import { jsonValue } from './text.js';

export interface Layout {
  /** The line for a request, with its newline. */
  request(this: void, entry: AccessEntry): string;
  /** The line for a connection of TCP mode, with its newline. */
  tcp(this: void, entry: TcpEntry): string;
  /** What is to be read of TLS while the connection is open. */
  readonly tls: readonly ((tls: TlsFacts) => FieldValue)[];
  /** Whether requests are traced, and with times. */
  readonly trace: 'no' | 'untimed' | 'timed';
}

export function layoutOf({ format, fields }: AccessLogSettings): Layout {
  if (format === 'common') return { request: commonLine, tcp: commonTcpLine, tls: [], trace: 'no' };
  if (format === 'combined') return { request: combinedLine, tcp: combinedTcpLine, tls: [], trace: 'no' };
  const ofRequests = fields ?? defaultFields('requests');
  const ofTcp = fields ?? defaultFields('tcp');
  const isTraced = TRACE_FIELDS.some((name) => ofRequests.includes(name));
  return {
    request: jsonWriter(ofRequests, REQUEST_FIELDS),
    tcp: jsonWriter(ofTcp, TCP_FIELDS),
    tls: [...new Set([...ofRequests, ...ofTcp])].flatMap((name) => TLS_FIELDS[name] ?? []),
    trace: ofRequests.includes('backendMs') ? 'timed' : isTraced ? 'untimed' : 'no',
  };
}

/** Writes one JSON object as a line. */
function jsonWriter<Entry>(
  names: readonly AccessLogField[],
  readers: Partial<Readonly<Record<AccessLogField, FieldReader<Entry>>>>,
): (entry: Entry) => string {
  const members = names.flatMap((name) => {
    const read = readers[name];
    return read === undefined ? [] : [{ begin: `,"${name}":`, read }];
  });
  return (entry) => {
    let text = '';
    for (const { begin, read } of members) {
      const value = read(entry);
      if (value !== undefined) text += begin + jsonValue(value);
    }
    return `{${text.slice(1)}}\n`;
  };
}
