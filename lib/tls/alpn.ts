/**
 * Lists of application protocols, as ALPN has them on the wire. PURE.
 */

/**
 * The ProtocolNameList of RFC 7301 §3.1: what Node takes for `ALPNProtocols`. Given as strings, Node would encode
 * the names as UTF-8, and some are not.
 *
 * @param protocols best first, one character for each octet (latin1).
 */
export function protocolList(protocols: readonly string[]): Buffer {
  return Buffer.from(protocols.map((name) => String.fromCharCode(name.length) + name).join(''), 'latin1');
}
