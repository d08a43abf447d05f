/**
 * Which paths lie under the reserved prefix of the admin routes.
 *
 * PURE. A backend may normalise a path before it looks at it: decode escapes, merge slashes, resolve dot segments.
 * Whatever it could turn into a path under the prefix counts as under the prefix, so that no spelling of ours
 * reaches a backend.
 */

/**
 * What some server may normalise. A path without it is taken as it is, at the cost of this one test.
 */
const CONFUSING = /[%\\;#]|\/\/|\/\./;
/** Some servers decode a path two or three times, which is a bug. */
const MAX_DECODINGS = 3;
/** A name of 253 octets, each escaped and the escape escaped, and what comes before it. */
const MAX_OWN_PATH = 2_048;

/** Whether a path is the prefix, or lies below it, taken literally. */
export function isBelow(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

/**
 * Whether a path as it was sent is, or may be made into, one under the prefix.
 *
 * Anybody may ask for any path, so it must cost little: no way of normalising makes the prefix's last segment out of others, and
 * a path that is longer than any of ours and has that segment is taken for one under the prefix unseen.
 */
export function mayReach(prefix: string, path: string): boolean {
  if (isBelow(prefix, path)) return true;
  if (!CONFUSING.test(path)) return false;
  const segment = prefix.slice(prefix.lastIndexOf('/') + 1);
  let decoded = path;
  for (let i = 0; ; i++) {
    if (decoded.includes(segment)) {
      if (decoded.length > MAX_OWN_PATH) return true;
      if (spellings(decoded).some((spelling) => isBelow(prefix, spelling))) return true;
    }
    const next = i === MAX_DECODINGS ? decoded : decodeLeniently(decoded);
    if (next === decoded) return false;
    decoded = next;
  }
}

/** The paths that servers may make of one by normalising it. */
function spellings(path: string): string[] {
  const slashes = path.replace(/\\/g, '/');
  const cut = slashes.split('#', 1)[0] ?? '';
  // Path parameters, which servlet containers drop before they match.
  return [slashes, cut, cut.replace(/;[^/]*/g, '')].flatMap((form) => {
    const merged = form.replace(/\/{2,}/g, '/');
    // Dot segments before and after merging slashes: the two orders differ for `/a//../b`.
    return [form, removeDotSegments(merged), removeDotSegments(form).replace(/\/{2,}/g, '/')];
  });
}

/** RFC 3986 §5.2.4. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/** Decodes each escape by itself: an invalid UTF-8 sequence must not keep the others from being decoded. */
function decodeLeniently(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}
