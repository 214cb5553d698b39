/** Several pieces read as one, without joining them first: each byte is copied once, to where it is sealed. */
export class Gather {
  readonly #pieces: readonly Uint8Array[];
  #index = 0;
  #at = 0;
  #left: number;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    this.#left = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Bytes not taken yet. */
  get left(): number {
    return this.#left;
  }

  /** Moves the next `length` bytes into `out` at `offset`. Throws if there are fewer. */
  copyTo(out: Uint8Array, offset: number, length: number): void {
    if (length > this.#left) throw new RangeError(`${length} bytes of ${this.#left}`);
    this.#left -= length;
    for (let to = offset, rest = length; rest > 0; ) {
      const piece = this.#pieces[this.#index]!;
      const take = Math.min(rest, piece.length - this.#at);
      // A view costs more than copying what is small; nearly always a piece is taken whole.
      out.set(take === piece.length ? piece : piece.subarray(this.#at, this.#at + take), to);
      to += take;
      rest -= take;
      this.#at += take;
      if (this.#at < piece.length) continue;
      this.#index += 1;
      this.#at = 0;
    }
  }
}
