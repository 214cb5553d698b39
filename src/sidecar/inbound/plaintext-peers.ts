/** What one address sent in plaintext. */
export interface PlaintextPeer {
  readonly address: string;
  passed: number;
  refused: number;
}

/** Who still speaks plaintext to this service: the list to empty before the port can be Strict. Bounded. */
export class PlaintextPeers {
  readonly #most: number;
  readonly #peers = new Map<string, PlaintextPeer>();
  readonly #others: PlaintextPeer = { address: 'others', passed: 0, refused: 0 };

  /** Addresses beyond `most` are counted together, so that a scan can't fill the memory. */
  constructor(most: number) {
    this.#most = most;
  }

  count(address: string, passed: boolean): void {
    const peer = this.#peer(address);
    if (passed) peer.passed += 1;
    else peer.refused += 1;
  }

  list(): readonly PlaintextPeer[] {
    const { passed, refused } = this.#others;
    return [...this.#peers.values(), ...(passed + refused > 0 ? [this.#others] : [])];
  }

  #peer(address: string): PlaintextPeer {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    if (this.#peers.size >= this.#most) return this.#others;
    const peer = { address, passed: 0, refused: 0 };
    this.#peers.set(address, peer);
    return peer;
  }
}
