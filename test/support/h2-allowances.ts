/**
 * Where the two HTTP/2 engines may differ, and why: each by what was sent, and by what either makes of it. Sections without another RFC are
 * those of RFC 9113.
 *
 * Two things are never compared, and so need no line here: what becomes of the streams of the stretch that has ended a connection (what
 * came with the fault may have reached a backend or not, §6.8), and of a stream that the client has given up (§5.1).
 */

/**
 * What differs: whether the connection lives, the error that has ended it, how a stream is answered, a request that arrives, or what the
 * backend can make nothing of.
 */
export type Subject = 'connection' | 'code' | 'answer' | 'body' | 'request' | 'backend';

export interface Seen {
  readonly subject: Subject;
  /** What was sent: one thing, or several with ` + ` between. */
  readonly label: string;
  readonly own: string;
  readonly node: string;
}

export interface Allowance {
  readonly why: string;
  readonly section: string;
  readonly subject: Subject;
  /** One of the things that were sent. */
  readonly label: RegExp;
  /** What either makes of it; of requests, what `hasLeftOut` says. */
  readonly own: string | RegExp;
  readonly node: string | RegExp;
}

/** Behind these the connection lives on one engine alone. */
const LIVES = { subject: 'connection', own: 'alive', node: 'ended' } as const;
const ENDS = { subject: 'connection', own: 'ended', node: 'alive' } as const;
/** nghttp2 takes such a field out and goes on. */
const RESETS = { subject: 'answer', own: 'reset, not asked', node: '200, asked 1' } as const;
const ANSWERS = { subject: 'answer', own: '400, not asked', node: 'reset, not asked' } as const;

const ALLOWANCES: readonly Allowance[] = [
  // --- fields
  {
    why: 'a malformed request may be answered before its stream is closed',
    section: '8.1.1',
    label:
      /^(?:an authority with a user|an empty Host|two (?:other )?Hosts|neither Host nor :authority|Host (?:of blanks|above 0x7f|with a path|with a user)|extended CONNECT without an authority|(?:no|an empty) :authority|0x[0-9a-f]{2} at the \w+ of :authority)$/,
    ...ANSWERS,
  },
  {
    why: 'an extended CONNECT of no protocol is one of a protocol that we do not have',
    section: 'RFC 9220 3, RFC 8441 4',
    label: /^extended CONNECT of none$/,
    ...{ subject: 'answer', own: '501, not asked', node: 'reset, not asked' },
  },
  {
    why: 'a name that is no token makes the request malformed; nghttp2 leaves the field out',
    section: '8.2.1',
    label:
      /^(?:an empty name|a name of octets above 0x7f|0x(?:[01][0-9a-f]|2[0289cf]|3[a-f]|40|5[bcd]|7[bdf]|[89a-f][0-9a-f]) at the \w+ of a name)$/,
    ...RESETS,
  },
  {
    why: 'a control character in a value makes the request malformed; nghttp2 leaves the field out',
    section: '8.2.1, RFC 9110 5.5',
    label: /^0x(?:0[0-8a-f]|1[0-9a-f]|7f) at the \w+ of a value$/,
    ...RESETS,
  },
  {
    why: 'the same of trailers; the body has its length before they come, and a backend may have it',
    section: '8.1.1, 8.2.1',
    label: /^trailers with (?:a line end|an empty name)$/,
    ...{ subject: 'answer', own: /^reset, (?:not asked|asked 1)$/, node: '200, asked 1' },
  },
  {
    why: 'a body that has its length may be with a backend before what is wrong behind it comes',
    section: '8.1.1',
    label: /^(?:trailers with (?:a pseudo field|a capital|connection|TE)|a body above its length)$/,
    ...{ subject: 'answer', own: 'reset, asked 1', node: 'reset, not asked' },
  },
  {
    why: 'blanks about a value are taken off, nghttp2 leaves the field out',
    section: '8.2.1, RFC 9110 5.5',
    label:
      /^(?:a value (?:with blanks about it|of blanks)|a length with blanks|0x(?:09|20) at the (?:beginning|end) of a value)$/,
    ...{ subject: 'request', own: 'all fields', node: 'without one' },
  },
  {
    why: 'a length with blanks about it is one, and nghttp2 leaves it out: a body of another length is none to it',
    section: '8.1.1, RFC 9110 5.5',
    label: /^a length with blanks$/,
    ...RESETS,
  },
  {
    why: 'blanks about a value are taken off, newer nghttp2 refuses the request',
    section: '8.2.1, RFC 9110 5.5',
    label: /^(?:TE|a length) with blanks$/,
    ...{ subject: 'answer', own: '200, asked 1', node: 'reset, not asked' },
  },
  {
    why: 'a request that is refused by its head, and has bad trailers: one engine answers the first, one the second',
    section: '8.1.1',
    label: /^trailers with .*$/,
    ...{
      subject: 'answer',
      // An extended CONNECT is asked for before its trailers come.
      own: /^reset, (?:not asked|asked 1)$/,
      node: /^(?:400|405|417|421|431|501|502), (?:not asked|asked 1)$/,
    },
  },
  {
    why: 'the same the other way round',
    section: '8.1.1',
    label: /^trailers with .*$/,
    ...{
      subject: 'answer',
      own: /^(?:400|405|417|421|431|501|502), (?:not asked|asked 1)$/,
      node: 'reset, not asked',
    },
  },
  {
    why: 'a length that no body has makes the request malformed, which may be answered',
    section: '8.1.1',
    label: /^a length (?:of 16 digits|that no number is)$/,
    ...{ subject: 'answer', own: 'reset, not asked', node: '400, not asked' },
  },
  {
    why: 'an expectation that is there twice is still one that we know',
    section: 'RFC 9110 10.1.1',
    label: /^two expectations$/,
    ...{ subject: 'answer', own: '200, asked 1', node: '417, not asked' },
  },
  {
    why: 'trailers are no place for a length: it is left out, nghttp2 compares it with the body',
    section: 'RFC 9110 6.5.1',
    label: /^trailers with a length$/,
    ...{ subject: 'answer', own: '200, asked 1', node: /^reset, (?:not asked|asked 1)$/ },
  },
  {
    why: 'trailers are no place for a Host: it is left out, nghttp2 takes it for a second one',
    section: 'RFC 9110 6.5.1',
    label: /^trailers with Host$/,
    ...{ subject: 'answer', own: '200, asked 1', node: 'reset, not asked' },
  },
  {
    why: 'the body has ended for Node before nghttp2 refuses its trailers',
    section: '8.1.1',
    label: /^(?:trailers with (?:a pseudo field|a capital|connection|TE)|a body above its length)$/,
    ...{ subject: 'answer', own: 'reset, not asked', node: 'reset, asked 1' },
  },
  // --- streams
  {
    why: 'stream numbers only grow; nghttp2 ignores such a head',
    section: '5.1.1',
    label: /^a stream below the last$/,
    ...ENDS,
  },
  {
    why: 'what is an error of the stream may be one of the connection',
    section: '5.4.1, 5.1',
    label: /^(?:DATA|the end of DATA|HEADERS) behind the end of a request$/,
    ...LIVES,
  },
  {
    why: 'what is an error of the stream may be one of the connection; nghttp2 ignores it',
    section: '5.4.1, 5.1',
    label: /^HEADERS behind (?:a reset of the client|an answer)$/,
    ...ENDS,
  },
  {
    why: 'a stream that depends on itself is an error of the stream, which may be one of the connection',
    section: 'RFC 7540 5.3.1, 5.4.1',
    label: /^(?:HEADERS that depend on themselves|PRIORITY of itself (?:on an open stream|behind .*))$/,
    ...LIVES,
  },
  {
    why: 'the same where newer nghttp2 reads no PRIORITY',
    section: 'RFC 7540 5.3.1',
    label: /^PRIORITY of itself (?:on an open stream|behind the end of a request)$/,
    ...{ subject: 'answer', own: /^reset, (?:not asked|asked 1)$/, node: '200, asked 1' },
  },
  {
    why: 'PRIORITY needs a stream, and not itself; newer nghttp2 reads none',
    section: '6.3, RFC 7540 5.3.1, 5.4.1',
    label: /^PRIORITY (?:on stream 0|of itself on an idle stream)$/,
    ...ENDS,
  },
  {
    why: 'DATA above its length is an error of the stream, which may be one of the connection',
    section: '8.1.1, 5.4.1',
    label:
      /^(?:DATA above its length(?: at the end)?|DATA but a length of 0|a body above its length|a method PUT with a length of 0|a length without a body|a length with (?:zeros|blanks))$/,
    ...LIVES,
  },
  {
    why: 'PRIORITY of another length is an error of the stream, which may be one of the connection',
    section: '6.3, 5.4.1',
    label: /^PRIORITY of another length (?:on an open stream|behind .*)$/,
    ...LIVES,
  },
  {
    why: 'a window that grows by nothing, or beyond all, is an error of the stream, which may be one of the connection',
    section: '6.9, 6.9.1, 5.4.1',
    label: /^(?:WINDOW_UPDATE of 0|a window above all) (?:on an open stream|behind the end of a request)$/,
    ...LIVES,
  },
  // --- the connection
  {
    why: 'a setting that brings a window above all is an error of the connection; nghttp2 resets the stream',
    section: '6.9.2',
    label: /^a window setting that is too much for a stream$/,
    ...ENDS,
  },
  {
    why: 'nothing forbids an acknowledgement of what was not sent',
    section: '6.5.3, 6.7',
    label: /^an acknowledgement (?:too many|of no PING)$/,
    ...LIVES,
  },
  {
    why: 'a server is not told by a client of extended CONNECT',
    section: 'RFC 8441 3',
    label: /^a CONNECT setting (?:of 2|taken back)$/,
    ...LIVES,
  },
  {
    why: 'a change of this setting may be an error of the connection',
    section: 'RFC 9218 2.1',
    label: /^a priority setting that changes$/,
    ...LIVES,
  },
  {
    why: 'a client that has said GOAWAY may go on asking; Node ends with it',
    section: '6.8',
    label: /^GOAWAY(?: with an error)?$/,
    ...LIVES,
  },
  {
    why: 'how many frames a block may have is for the server to say: ours 65, nghttp2 nine',
    section: '10.5.1',
    label: /^(?:five empty|ten) CONTINUATIONs$/,
    ...LIVES,
  },
  {
    why: 'how long a field may be is for the server to say: nghttp2 takes 64 KiB, and then no more at all',
    section: '10.5.1',
    label: /^a path far above the limit$/,
    ...LIVES,
  },
  {
    why: 'how long trailers may be is for the server to say: ours 64 KiB',
    section: '10.5.1',
    label: /^trailers above all limits$/,
    ...{ subject: 'answer', own: 'reset, not asked', node: '200, asked 1' },
  },
  {
    why: 'a stream too many is an error of the stream, which may be one of the connection',
    section: '5.1.2, 5.4.1',
    label: /^more streams than we take$/,
    ...LIVES,
  },
  {
    why: 'a limit on fields: Node counts pseudo fields, too',
    section: '10.5.1',
    label: /^as many fields as we take$/,
    ...{ subject: 'answer', own: '200, asked 1', node: '431, not asked' },
  },
  // --- errors
  {
    why: 'older Node ends a session with INTERNAL_ERROR, whatever nghttp2 has found, or without a word',
    section: '5.4.1, 7',
    label: /^/,
    ...{ subject: 'code', own: /^\d+$/, node: /^(?:2|none)$/ },
  },
  {
    why: 'a frame that is too short for what it must have is of a wrong size',
    section: '4.2',
    label: /^(?:DATA without the length of its padding|HEADERS of nothing but too little for padding)$/,
    ...{ subject: 'code', own: '6', node: '1' },
  },
  {
    why: 'a PRIORITY_UPDATE that cannot be is an error of the connection; nghttp2 does not know the frame',
    section: 'RFC 9218 7.1',
    label: /^PRIORITY_UPDATE (?:on a stream|of an even stream|of stream 0|too short)$/,
    ...ENDS,
  },
];

/** What allows a difference, if anything does. */
export function allowanceFor({ subject, label, own, node }: Seen): Allowance | undefined {
  const [ownSays, nodeSays] =
    subject === 'request' && hasLeftOut(own, node) ? ['all fields', 'without one'] : [own, node];
  const sent = label.split(' + ');
  return ALLOWANCES.find(
    (each) =>
      each.subject === subject &&
      sent.some((part) => each.label.test(part)) &&
      says(each.own, ownSays) &&
      says(each.node, nodeSays),
  );
}

const says = (wanted: string | RegExp, said: string): boolean =>
  typeof wanted === 'string' ? wanted === said : wanted.test(said);

interface Told {
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: unknown;
}

/**
 * Whether two requests, as JSON, are the same but for one field that the second does not have, or for a length that is made anew. With a
 * length a body has no trailers on HTTP/1.1.
 */
function hasLeftOut(whole: string, less: string): boolean {
  const [mine, other] = [toldIn(whole), toldIn(less)];
  const isWithoutTrailers = hasLength(mine) && !hasLength(other);
  const text = ({ line, body, trailers }: Told, fields: Told['fields']): string =>
    JSON.stringify([line, fields, body, isWithoutTrailers ? undefined : trailers]);
  const wanted = text(other, unframed(other));
  const left = unframed(mine);
  return text(mine, left) === wanted || left.some((_, i) => text(mine, left.toSpliced(i, 1)) === wanted);
}

function toldIn(json: string): Told {
  const [line, fields, body, trailers] = JSON.parse(json) as [string, Told['fields'], string, unknown];
  return { line, fields, body, trailers };
}

const unframed = ({ fields }: Told): Told['fields'] => fields.filter(([name]) => !FRAMING.includes(name));
const hasLength = ({ fields }: Told): boolean => fields.some(([name]) => name === 'content-length');

const FRAMING: readonly string[] = ['content-length', 'transfer-encoding'];
