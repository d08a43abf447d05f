/**
 * A list of addresses and of ranges of them. PURE.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

export class AddressList {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** @param entries addresses, and ranges such as `10.0.0.0/8`. They must be valid. */
  constructor(entries: readonly string[]) {
    this.#isEmpty = entries.length === 0;
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether the list covers an address. It never covers the empty one of a unix socket. */
  has(address: string): boolean {
    // Every check of Node's list creates objects.
    if (this.#isEmpty) return false;
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }
}
