/**
 * What a look-up of a name comes to.
 */

/** IPv4 or IPv6. */
export type Family = 4 | 6;

export type Found =
  | {
      readonly kind: 'found';
      /** One at least. */
      readonly addresses: readonly string[];
      /** How long that holds, by whoever has said it; milliseconds. */
      readonly ttlMs: number;
      /** Whether the name has addresses of this family is not known: nobody has answered that. */
      readonly missing?: Family;
    }
  /** There is no such name, or it has no address. */
  | { readonly kind: 'absent' }
  /** Nobody has answered, or with an error. */
  | {
      readonly kind: 'failed';
      /** For the log. */
      readonly reason: string;
      /** The code of c-ares or of the C library. */
      readonly code?: string;
    };
