/**
 * The field `Upgrade` (RFC 9110 §7.8). PURE.
 */

/** The protocols of an `Upgrade` field that may be passed on; undefined where there are none. */
export function passableProtocol(upgrade: string | undefined): string | undefined {
  const protocols = (upgrade ?? '')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '' && !/^(?:h2c?|http|tls)(?:\/|$)/i.test(protocol));
  return protocols.length === 0 ? undefined : protocols.join(', ');
}
