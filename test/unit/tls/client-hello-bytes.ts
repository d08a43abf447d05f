/** Framing and hand-made ClientHellos, for the tests of the parser. */

/** The handshake message in a row of records. */
export function unframe(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    parts.push(bytes.subarray(at + 5, at + 5 + bytes.readUInt16BE(at + 3)));
  }
  return Buffer.concat(parts);
}

/** The message again, in records of `size` bytes. */
export function frame(message: Buffer, size = 16_384, version = 0x0301): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    parts.push(Buffer.from([0x16, version >> 8, version & 255, fragment.length >> 8, fragment.length & 255]));
    parts.push(fragment);
  }
  return Buffer.concat(parts);
}

export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
export const vector16 = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);
export const extension = (type: number, data: Buffer): Buffer => Buffer.concat([u16(type), vector16(data)]);
export const hostName = (name: string, type = 0): Buffer =>
  Buffer.concat([Buffer.from([type]), vector16(Buffer.from(name, 'latin1'))]);
export const serverNames = (...entries: Buffer[]): Buffer => extension(0, vector16(Buffer.concat(entries)));

/** A ClientHello made by hand; `extensions` undefined leaves the whole block out. */
export function craft(extensions: Buffer | undefined): Buffer {
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    vector16(u16(0x1301)),
    Buffer.from([1, 0]),
    ...(extensions === undefined ? [] : [extensions]),
  ]);
  return message(body);
}
/** A ClientHello with this body. */
export const message = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([1, body.length >> 16]), u16(body.length & 0xffff), body]);
export const craftWith = (...extensions: Buffer[]): Buffer =>
  frame(craft(vector16(Buffer.concat(extensions))));

/** A good ClientHello of TLS 1.2 for `a.test`, of all the bytes that its own lengths allow: 131,396 and its header. */
export function longestHello(): Buffer {
  const extensions = Buffer.concat([
    serverNames(hostName('a.test')),
    extension(10, vector16(Buffer.from([0x00, 0x1d, 0x00, 0x17]))), // X25519, P-256
    extension(13, vector16(Buffer.from([0x04, 0x03]))), // ECDSA
  ]);
  const padding = extension(21, Buffer.alloc(0xffff - extensions.length - 4));
  const suites = Buffer.concat([u16(0xc02b), Buffer.alloc(0xfffe - 2, 0xfe)]); // ECDHE with ECDSA, and what nobody has
  return message(
    Buffer.concat([
      ...[u16(0x0303), Buffer.alloc(32, 7)],
      ...[Buffer.from([32]), Buffer.alloc(32, 9)],
      ...[vector16(suites), Buffer.from([255]), Buffer.alloc(255)],
      vector16(Buffer.concat([extensions, padding])),
    ]),
  );
}
