/** Counts what goes on at once and lets no more than `cap` in. */
export class Admission {
  readonly cap: number;
  /** Oldest first. */
  readonly #inside = new Set<Place>();

  constructor(cap: number) {
    this.cap = cap;
  }

  get inside(): number {
    return this.#inside.size;
  }

  /** The function that leaves again (calling it twice counts once), or undefined when it is full. */
  enter(): (() => void) | undefined {
    return this.#inside.size < this.cap ? this.#take({}) : undefined;
  }

  /** Always lets in: when it is full, whoever has been inside longest is told to go, and its place is taken at once. */
  enterInPlaceOfOldest(go: () => void): () => void {
    const [oldest] = this.#inside;
    if (oldest !== undefined && this.#inside.size >= this.cap) {
      this.#inside.delete(oldest);
      oldest.go?.();
    }
    return this.#take({ go });
  }

  #take(place: Place): () => void {
    this.#inside.add(place);
    return () => void this.#inside.delete(place);
  }
}

interface Place {
  readonly go?: () => void;
}
