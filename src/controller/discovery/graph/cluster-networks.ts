import { type Cidr, contains, parseAddress, parseCidr } from '#policy';
import type { ObjectKey } from './records.ts';
import { SetsByKey } from './sets-by-key.ts';

/** The cluster's networks: those that were configured, and those that its objects name. */
export class ClusterNetworks {
  readonly #configured: readonly Cidr[];
  /** Canonical text of a network, and the objects that name it. */
  readonly #named = new SetsByKey<string, ObjectKey>();
  /** What `#named` says, parsed, by prefix length: as many look-ups as there are lengths. */
  readonly #byPrefix = new Map<string, { readonly sample: Cidr; readonly networks: Set<string> }>();

  constructor(configured: readonly Cidr[]) {
    this.#configured = configured;
  }

  /** Canonical text. */
  add(text: string, by: ObjectKey): void {
    if (!this.#named.has(text)) this.#index(text, (networks, key) => networks.add(key));
    this.#named.add(text, by);
  }

  delete(text: string, by: ObjectKey): void {
    this.#named.delete(text, by);
    if (!this.#named.has(text)) this.#index(text, (networks, key) => networks.delete(key));
  }

  /** Without those that were configured. */
  named(): string[] {
    return [...this.#named.keys()].sort();
  }

  /** What is no address is taken for one of the cluster: it is no licence for anything. */
  has(address: string): boolean {
    const words = parseAddress(address);
    if (words === undefined || this.#configured.some((network) => contains(network, words))) return true;
    for (const { sample, networks } of this.#byPrefix.values()) {
      if (sample.mask.length !== words.length) continue;
      if (networks.has(keyOf(words.map((word, index) => (word & (sample.mask[index] ?? 0)) >>> 0))))
        return true;
    }
    return false;
  }

  #index(text: string, change: (networks: Set<string>, key: string) => void): void {
    const parsed = parseCidr(text);
    if (!parsed.ok) return;
    const { mask, network } = parsed.value;
    const prefix = keyOf(mask);
    const level = this.#byPrefix.get(prefix) ?? { sample: parsed.value, networks: new Set<string>() };
    this.#byPrefix.set(prefix, level);
    change(level.networks, keyOf(network));
    if (level.networks.size === 0) this.#byPrefix.delete(prefix);
  }
}

function keyOf(words: readonly number[]): string {
  return words.join('.');
}
