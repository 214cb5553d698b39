import { fail } from '../reasons.ts';

/**
 * Reads the TLS presentation language (RFC 8446 3) from untrusted bytes. Every read is bounded by what is left; a
 * violation is `malformed-message` with the name of the structure and the offset.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#number(1);
  }

  u16(): number {
    return this.#number(2);
  }

  u24(): number {
    return this.#number(3);
  }

  u32(): number {
    return this.#number(4);
  }

  /** A view of the next `length` bytes, not a copy. */
  bytes(length: number): Uint8Array {
    if (length > this.left) this.#malformed(`${length} bytes wanted, ${this.left} left`);
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return view;
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** `opaque x<least..most>` with a length prefix of one byte. */
  vector8(least: number, most = 0xff): Uint8Array {
    return this.#vector(this.u8(), least, most);
  }

  vector16(least: number, most = 0xffff): Uint8Array {
    return this.#vector(this.u16(), least, most);
  }

  vector24(least: number, most = 0xffffff): Uint8Array {
    return this.#vector(this.u24(), least, most);
  }

  /** A 16-bit vector of 16-bit numbers: at least one, and no odd byte. */
  numbers16(): number[] {
    const body = new Reader(this.vector16(2), this.#what);
    const numbers: number[] = [];
    while (body.left > 0) numbers.push(body.u16());
    return numbers;
  }

  /** Nothing may follow. */
  finish(): void {
    if (this.left > 0) this.#malformed(`${this.left} bytes too many`);
  }

  #vector(length: number, least: number, most: number): Uint8Array {
    if (length < least || length > most)
      this.#malformed(`a vector of ${length} bytes, not ${least} to ${most}`);
    return this.bytes(length);
  }

  #number(width: number): number {
    const bytes = this.bytes(width);
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    return value;
  }

  #malformed(detail: string): never {
    fail('malformed-message', `${this.#what}, offset ${this.#offset}: ${detail}`);
  }
}
