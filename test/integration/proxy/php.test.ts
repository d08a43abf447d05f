/**
 * PHP's own server as a backend: programs in PHP write their fields in UTF-8, in latin1, or in whatever a file is named. Through the
 * proxy they are the octets that PHP itself sends and hears.
 */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { accepts } from '../../support/accepts.js';
import { makeTempDir } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { findProgram } from '../../support/find-program.js';
import { startFront, type Front } from '../../support/front.js';
import { RawClient } from '../../support/raw-client.js';
import { unusedPort } from '../../support/unused-port.js';

/** Answers with such fields, and in the body with what it has heard, in hexadecimal. */
const SCRIPT = String.raw`<?php
header("Location: /caf\xc3\xa9?x=\xe9", true, 201);
header("Content-Disposition: attachment; filename=\"\xe9t\xe9 \xe2\x82\xac.txt\"");
header("Set-Cookie: a=\xff\x80; Path=/");
header("Set-Cookie: b=\xc3\xa9; Path=/", false);
$heard = [$_SERVER['REQUEST_URI'], $_SERVER['HTTP_X_ANY'] ?? '', $_COOKIE['c'] ?? ''];
echo join(' ', array_map('bin2hex', $heard));
`;
/** PHP's server takes no other octets in a path. */
const PATH = '/caf%C3%A9';
const ANY = 'caf\xe9 \xff\x80';
const COOKIE = 'c=\xc3\xa9\xe9';
const NAMES = ['location', 'content-disposition', 'set-cookie'];
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

const REQUEST =
  `GET ${PATH} HTTP/1.1\r\nHost: a.test\r\nX-Any: ${ANY}\r\nCookie: ${COOKIE}\r\n` +
  'Connection: close\r\n\r\n';
const HEARD = [PATH, ANY, COOKIE.slice(2)].map(hex).join(' ');

/** Of a whole response, each character an octet: its named fields, and its body. */
function parse(text: string): { fields: string[]; body: string } {
  const [head = '', body = ''] = text.split(/\r\n\r\n/);
  const fields = head.split('\r\n').slice(1);
  return { fields: fields.filter((line) => NAMES.includes(line.split(':')[0]?.toLowerCase() ?? '')), body };
}

describe('A program in PHP', () => {
  let port: number;
  let front: Front;
  let stop: () => Promise<unknown>;
  let remove: () => Promise<void>;

  before(async () => {
    let dir: string;
    ({ dir, remove } = await makeTempDir());
    await writeFile(join(dir, 'any.php'), SCRIPT);
    port = await unusedPort();
    const php = findProgram('php', 'php-cli');
    const child = spawn(php, ['-S', `127.0.0.1:${port}`, join(dir, 'any.php')], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    stop = () => {
      child.kill();
      return exited;
    };
    await eventually('PHP listens', () => accepts(port));
    front = await startFront({ backends: [`http://127.0.0.1:${port}`] });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await stop();
    await remove();
  });

  it('sends and hears the same octets over HTTP/1.1 as without the proxy', async () => {
    const socket = connectTcp(port, '127.0.0.1').setEncoding('latin1');
    socket.write(REQUEST, 'latin1');
    let direct = '';
    for await (const chunk of socket) direct += String(chunk);
    using client = await RawClient.connect(front.port, 'a.test');
    const { fields, body } = parse(await client.send(REQUEST).closed());
    expect(fields).to.have.length(4).and.to.deep.equal(parse(direct).fields);
    expect(fields[0]).to.equal('Location: /caf\xc3\xa9?x=\xe9');
    expect(body).to.include(HEARD);
    expect(parse(direct).body).to.include(HEARD);
  });

  it('sends and hears them over HTTP/2', async () => {
    const session = connectHttp2(`https://127.0.0.1:${front.port}`, {
      servername: 'a.test',
      rejectUnauthorized: false,
    });
    try {
      const fields = { 'x-any': ANY, cookie: COOKIE };
      const stream = session.request({ ':authority': 'a.test', ':path': PATH, ...fields });
      const [headers] = (await once(stream, 'response')) as [Record<string, string | string[]>];
      expect(headers['location']).to.equal('/caf\xc3\xa9?x=\xe9');
      expect(headers['set-cookie']).to.deep.equal(['a=\xff\x80; Path=/', 'b=\xc3\xa9; Path=/']);
      let body = '';
      for await (const chunk of stream.setEncoding('latin1')) body += String(chunk);
      expect(body).to.equal(HEARD);
    } finally {
      session.destroy();
    }
  });
});
