/**
 * curl through the proxy to Debian's nginx, neither of our making: uploads and the methods of WebDAV on HTTP/1.1 and HTTP/1.0.
 */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startFront, type Front } from '../../support/front.js';
import { startNginx, type Nginx } from '../../support/nginx.js';

const BODY = 'caf\xe9 '.repeat(50_000);

describe('curl', () => {
  let nginx: Nginx;
  let front: Front;
  before(async () => {
    nginx = await startNginx();
    front = await startFront({ backends: [nginx.url] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await nginx[Symbol.asyncDispose]();
  });

  /** Its output, or what it complains of. */
  async function curl(path: string, args: readonly string[], input = ''): Promise<string> {
    const own = ['-sSk', '--http1.1', '--resolve', `a.test:${front.port}:127.0.0.1`, '-H', 'Expect:'];
    const child = spawn('curl', [...own, ...args, `https://a.test:${front.port}${path}`]);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('latin1').on('data', (text: string) => (output += text));
    // It may end before it has read all.
    child.stdin.on('error', () => undefined).end(input, 'latin1');
    await once(child, 'close');
    return output;
  }
  const status = ['-o', '/dev/null', '-w', '%{http_code}'];

  const uploads: [what: string, args: string[]][] = [
    ['by its length', ['-T', '-', '-H', `Content-Length: ${BODY.length}`, '-H', 'Transfer-Encoding:']],
    ['in chunks', ['-T', '-']],
    ['in chunks, when it is told to', ['-T', '-', '-H', 'Expect: 100-continue', '--expect100-timeout', '30']],
    [
      'by its length, when it is told to',
      ['-X', 'PUT', '--data-binary', '@-', '-H', 'Expect: 100-continue', '--expect100-timeout', '30'],
    ],
    ['by its length on HTTP/1.0', ['--http1.0', '-X', 'PUT', '--data-binary', '@-']],
  ];
  for (const [what, args] of uploads)
    it(`uploads a file ${what}, and gets it back`, async () => {
      const startMs = performance.now();
      expect(await curl('/dav/up.txt', [...status, ...args], BODY)).to.match(/^20[14]$/);
      // It does not wait in vain for 100 Continue.
      expect(performance.now() - startMs).to.be.below(20_000);
      expect((await curl('/dav/up.txt', [])) === BODY).to.equal(true);
      expect(await curl('/dav/up.txt', ['--http1.0', '-I'])).to.include(
        `\r\nContent-Length: ${BODY.length}\r\n`,
      );
    });

  it('gets a file in chunks, on HTTP/1.0 until the connection is closed', async () => {
    await nginx.write('text.txt', Buffer.from(BODY, 'latin1'));
    for (const version of ['--http1.1', '--http1.0'])
      expect((await curl('/chunked/text.txt', [version, '--compressed'])) === BODY, version).to.equal(true);
  });

  it('uses the methods of WebDAV', async () => {
    await nginx.write('one.txt', 'one');
    expect(await curl('/dav/folder/', [...status, '-X', 'MKCOL'])).to.equal('201');
    const to = ['-H', 'Destination: /dav/folder/two.txt'];
    expect(await curl('/dav/one.txt', [...status, '-X', 'COPY', ...to])).to.equal('204');
    expect(await curl('/dav/folder/two.txt', [])).to.equal('one');
    expect(await curl('/dav/one.txt', [...status, '-X', 'MOVE', '-H', 'Overwrite: T', ...to])).to.equal(
      '204',
    );
    expect(await curl('/dav/folder/', [...status, '-X', 'DELETE'])).to.equal('204');
    expect(await curl('/dav/folder/two.txt', status)).to.equal('404');
  });

  it('is told by the backend, whole, that its upload is too large, and why', async () => {
    const large = 'x'.repeat(3_000_000);
    expect(await curl('/dav/large', ['-T', '-', '-w', '%{http_code}'], large)).to.match(
      /413 Request Entity Too Large[^]*413$/,
    );
  });
});
