/**
 * Whom a request on HTTP/2 is for. A `Host` beside `:authority` must be equal to it (RFC 9113 §8.3.1); without `:authority` it takes its
 * place. There is one at the most, also where they are equal (RFC 9110 §5.3, RFC 9112 §3.2). PURE.
 *
 * @param hosts all fields `Host`.
 * @returns undefined: nobody is named, or they contradict each other.
 */
export function hostOf(authority: string | undefined, hosts: readonly string[]): string | undefined {
  const [named] = hosts;
  const host = authority ?? named;
  const isContradicted = named !== undefined && named.toLowerCase() !== host?.toLowerCase();
  return isContradicted || hosts.length > 1 ? undefined : host;
}
