/**
 * The head of a request: as short as can be, or as long as a browser's.
 */
import type { Amounts } from './orders.js';

/** What Chromium sends when it loads an image. */
const BROWSER_FIELDS = [
  'Connection: keep-alive',
  'sec-ch-ua: "Chromium";v="142", "Not;A=Brand";v="24", "Google Chrome";v="142"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: no-cors',
  'Sec-Fetch-Dest: image',
  'Referer: https://www.bench.test/a/page/with/a/rather/long/address?and=a&query=too',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
];

/** @throws RangeError when `headBytes` are too few for a browser's fields. */
export function requestHead({ name, upBytes, downBytes, headBytes }: Amounts): Buffer {
  const lines = [`${upBytes === 0 ? 'GET' : 'POST'} /${downBytes} HTTP/1.1`, `Host: ${name}`];
  if (upBytes > 0) lines.push(`Content-Length: ${upBytes}`);
  if (headBytes !== undefined) {
    lines.push(...BROWSER_FIELDS);
    const withEmptyCookie = `${lines.join('\r\n')}\r\nCookie: session=\r\n\r\n`;
    lines.push(`Cookie: session=${'c'.repeat(headBytes - withEmptyCookie.length)}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}
