/**
 * OpenSSL's own client: what Node's refuses to send, and a second opinion on chains.
 */
import { X509Certificate } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface SClientResult {
  /** The leaf that was served; undefined where the handshake failed before. */
  readonly certificate: X509Certificate | undefined;
  /** OpenSSL's verdict on the chain; 0 is right. */
  readonly verifyCode: number | undefined;
  /** Whether a session that was offered was resumed. */
  readonly reused: boolean;
  readonly exitCode: number | null;
  readonly output: string;
}

/** `openssl s_client -connect 127.0.0.1:PORT FLAGS…`, which ends after the handshake. */
export function sClient(port: number, ...flags: readonly string[]): Promise<SClientResult> {
  return run(port, flags, undefined);
}

/** The same with a request, which ends when the server closes: session tickets of TLS 1.3 have come by then. */
export function sClientRequest(port: number, ...flags: readonly string[]): Promise<SClientResult> {
  return run(port, flags, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
}

/** The same, which wants to negotiate anew after the handshake, and ends once it has (status 0) or may not (1). */
export function sClientRenegotiation(port: number, ...flags: readonly string[]): Promise<SClientResult> {
  // Commands of s_client: a letter at the beginning of what it reads.
  return run(port, flags, 'R\n', { after: 'RENEGOTIATING', input: 'Q\n' });
}

async function run(
  port: number,
  flags: readonly string[],
  input: string | undefined,
  then?: { readonly after: string; readonly input: string },
): Promise<SClientResult> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...flags]);
  child.stdin.on('error', () => undefined); // it has ended before it read everything
  // Left open where a request is made: the end of its input is the end of the connection.
  if (input === undefined) child.stdin.end();
  else child.stdin.write(input);
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    if (then === undefined || !output.includes(then.after)) return;
    child.stdin.write(then.input);
    then = undefined;
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(output)?.[0];
  const verifyCode = /Verif(?:y return code|ication): *(?:OK|(\d+))/.exec(output);
  return {
    certificate: pem === undefined ? undefined : new X509Certificate(pem),
    verifyCode: verifyCode === null ? undefined : Number(verifyCode[1] ?? 0),
    reused: /^Reused, /m.test(output),
    exitCode,
    output,
  };
}

/** What `openssl` writes when it is given `input`. @throws when it fails. */
export async function openssl(flags: readonly string[], input: string): Promise<string> {
  const child = spawn('openssl', flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  child.stdin.on('error', () => undefined).end(input); // some commands end without reading it
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`openssl ${flags.join(' ')} ended with ${code}`);
  return Buffer.concat(chunks).toString();
}
