/**
 * Lists of application protocols, as ALPN has them on the wire. PURE.
 */

/**
 * The ProtocolNameList of RFC 7301 §3.1: what Node takes for `ALPNProtocols`. Of names Node would make UTF-8, which not all are.
 *
 * @param protocols best first, one character for each octet (latin1).
 */
export function protocolList(protocols: readonly string[]): Buffer {
  return Buffer.from(protocols.map((name) => String.fromCharCode(name.length) + name).join(''), 'latin1');
}
