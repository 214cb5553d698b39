/** Counts what goes on at once and lets no more than `cap` in. */
export class Admission {
  readonly cap: number;
  #inside = 0;

  constructor(cap: number) {
    this.cap = cap;
  }

  get inside(): number {
    return this.#inside;
  }

  /** The function that leaves again (calling it twice counts once), or undefined when it is full. */
  enter(): (() => void) | undefined {
    if (this.#inside >= this.cap) return undefined;
    this.#inside += 1;
    let inside = true;
    return () => {
      if (inside) this.#inside -= 1;
      inside = false;
    };
  }
}
