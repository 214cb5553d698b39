import { type Cidr, contains, formatAddress, parseAddress, parseCidr } from '#policy';

/** What belongs to the cluster. Most are single addresses of nodes and load balancers, which are looked up by name. */
export class Networks {
  readonly #single = new Set<string>();
  readonly #wide: Cidr[] = [];
  readonly malformed: readonly string[];

  constructor(texts: readonly string[]) {
    const malformed: string[] = [];
    for (const text of texts) {
      const parsed = parseCidr(text);
      if (!parsed.ok) malformed.push(text);
      else if (parsed.value.prefix === parsed.value.network.length * 32) {
        this.#single.add(formatAddress(parsed.value.network));
      } else this.#wide.push(parsed.value);
    }
    this.malformed = malformed;
  }

  /** `address` is canonical. */
  has(address: string): boolean {
    if (this.#single.has(address)) return true;
    const words = parseAddress(address);
    return words === undefined || this.#wide.some((network) => contains(network, words));
  }
}
