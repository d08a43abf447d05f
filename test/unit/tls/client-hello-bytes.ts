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
  return Buffer.concat([Buffer.from([1, body.length >> 16]), u16(body.length & 0xffff), body]);
}
export const craftWith = (...extensions: Buffer[]): Buffer =>
  frame(craft(vector16(Buffer.concat(extensions))));
