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
}

/** An error page: JSON or HTML where the client asks for it, else plain text. */
export function errorPage(status: ErrorStatus, { id, accept = '' }: ErrorDetails = {}): Page {
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
    const body = `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${title}</title>\n<h1>${title}</h1>\n${reference}</html>\n`;
    return { status, contentType: 'text/html; charset=utf-8', body };
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
  readonly protocol: string;
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
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>peter-sslers-proxy</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid #8884; padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
</style>
<h1>This is peter-sslers-proxy</h1>
<p>No backend is set (<code>--backend</code>), so it tells what it knows of your connection.</p>
<table>
${cells.join('')}</table>
</html>
`,
  };
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
