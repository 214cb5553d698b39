/**
 * What may be sent before the handshake is complete: a client's early data, or the answer of a server that took early
 * data from a client of which it asked for no certificate.
 */
export class EarlyOutput {
  #left = 0;
  #sent = 0;

  /** Bytes that may still be sent now. */
  get left(): number {
    return this.#left;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Up to `limit` bytes, under the present write keys. */
  open(limit: number): void {
    this.#left = limit;
  }

  count(bytes: number): void {
    if (bytes > this.#left) throw new Error(`early data: ${bytes} bytes, ${this.#left} allowed`);
    this.#left -= bytes;
    this.#sent += bytes;
  }

  close(): void {
    this.#left = 0;
  }
}
