/**
 * The pages that the proxy answers itself: errors, and the information page. PURE.
 */

/** Plain pages for what is wrong with a request, or went wrong between us and the backend. */
const ERROR_TEXTS = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
} as const;

export type ErrorStatus = keyof typeof ERROR_TEXTS;

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What an error page says beside its status. */
export interface ErrorDetails {
  /** The id by which the request is found in the log. */
  readonly id?: string;
  /** The client's `Accept`. */
  readonly accept?: string | undefined;
  /** What the client has negotiated: for pages that people look at. */
  readonly negotiated?: readonly string[];
}

/** An error page: JSON or HTML where the client asks for it, else plain text. */
export function errorPage(
  status: ErrorStatus,
  { id, accept = '', negotiated = [] }: ErrorDetails = {},
): Page {
  const title = `${status} ${ERROR_TEXTS[status]}`;
  if (accept.includes('application/json')) {
    const body = JSON.stringify({
      status,
      error: ERROR_TEXTS[status],
      ...(id !== undefined && { request: id }),
    });
    return { status, contentType: 'application/json', body: `${body}\n` };
  }
  if (accept.includes('text/html')) {
    const reference = id === undefined ? '' : `<p>Request ${escapeHtml(id)}</p>\n`;
    const tls = negotiated.length === 0 ? '' : `<p>${escapeHtml(negotiated.join(', '))}</p>\n`;
    return {
      status,
      contentType: 'text/html; charset=utf-8',
      body: htmlPage(title, `<h1>${title}</h1>\n${reference}${tls}`),
    };
  }
  const reference = id === undefined ? '' : `request ${id}\n`;
  return { status, contentType: 'text/plain; charset=utf-8', body: `${title}\n${reference}` };
}

/** What the information page shows of the connection that asked for it. */
export interface ConnectionFacts {
  /** The server name of the handshake, if it was a valid one. */
  readonly serverName: string | undefined;
  readonly tier: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notAfter: string;
  /** SHA-256 over the certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  /** Of TLS. */
  readonly protocol: string;
  /** IANA's name of the cipher. */
  readonly cipher: string;
  /** What ALPN has chosen. */
  readonly alpn: string | undefined;
  readonly worker: string;
}

/** The information page: HTML where the client asks for it, else plain text. */
export function informationPage(facts: ConnectionFacts, accept: string | undefined): Page {
  const rows: [string, string][] = [
    ['Name asked for', facts.serverName ?? '(none)'],
    ['Answered by', facts.tier],
    ['Subject', facts.subject],
    ['Issuer', facts.issuer],
    ['Expires', facts.notAfter],
    ['Fingerprint (SHA-256)', facts.fingerprint],
    ['Protocol', facts.protocol],
    ['Cipher', facts.cipher],
    ['ALPN', facts.alpn ?? '(none)'],
    ['Worker', facts.worker],
  ];
  if (accept?.includes('text/html') !== true) {
    const width = Math.max(...rows.map(([label]) => label.length));
    const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}\n`);
    return {
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: `peter-sslers-proxy\n\n${lines.join('')}`,
    };
  }
  const cells = rows.map(
    ([label, value]) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>\n`,
  );
  return {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    body: htmlPage(
      'peter-sslers-proxy',
      `<h1>This is peter-sslers-proxy</h1>
<p>No backend is set (<code>--backend</code>), so it tells what it knows of your connection.</p>
<table>
${cells.join('')}</table>
`,
    ),
  };
}

/** The look of the dashboard, as far as pages of a few lines need it. */
const STYLE = `:root { color-scheme: light dark; --ground: #f4f5f7; --card: #fff; --ink: #16191d; --quiet: #565e69; --line: #dcdfe4; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #111418; --card: #1a1e24; --ink: #e8ebef; --quiet: #a2acb8; --line: #303842; }
}
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; }
main { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 5vh auto; max-width: 46rem; padding: 1rem 1.4rem; }
h1 { font-size: 1.6rem; margin: .4rem 0; }
p { color: var(--quiet); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid var(--line); padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 500; }
td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
`;

/** @param main markup. */
function htmlPage(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
${STYLE}</style>
<main>
${main}</main>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
