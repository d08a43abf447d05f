/**
 * Whom a request on HTTP/2 is for. A `Host` beside `:authority` must be equal to it (RFC 9113 §8.3.1); without `:authority` it takes its
 * place. PURE.
 *
 * @param hosts all fields `Host`.
 * @returns undefined: nobody is named, or they contradict each other.
 */
export function hostOf(authority: string | undefined, hosts: readonly string[]): string | undefined {
  const host = authority ?? hosts[0];
  return hosts.some((other) => other.toLowerCase() !== host?.toLowerCase()) ? undefined : host;
}
