import { LIMITS } from '../limits.ts';
import { X509Error } from '../problem.ts';
import { TAG, tagText } from './tag.ts';

/** One value: where its tag starts, where its contents start and end. Offsets count from the start of the whole. */
export interface Element {
  readonly tag: number;
  readonly start: number;
  readonly contents: number;
  readonly end: number;
}

/**
 * Reads DER (X.690 10 and 11) and nothing else: definite lengths in the fewest bytes, canonical booleans and
 * integers. Every read is bounded by the value around it; `finish` refuses bytes left over. Throws X509Error.
 */
export class DerReader {
  readonly bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  readonly #depth: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, depth = 0) {
    if (depth > LIMITS.depth) throw new X509Error(start, `values are nested more than ${LIMITS.depth} deep`);
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#depth = depth;
  }

  get offset(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  /** The next tag without taking it; undefined at the end. */
  get next(): number | undefined {
    return this.atEnd ? undefined : this.bytes[this.#at];
  }

  /** Takes the next value, whatever its tag. */
  any(what: string): Element {
    const start = this.#at;
    const tag = this.#byte(what);
    // X.690 8.1.2.4: tag numbers from 31 on take more octets; no structure here has one.
    if ((tag & 0x1f) === 0x1f) throw new X509Error(start, `${what} has a tag number above 30`);
    const length = this.#length(what);
    const contents = this.#at;
    if (length > this.#end - contents) {
      throw new X509Error(start, `${what} claims ${length} bytes where ${this.#end - contents} are left`);
    }
    this.#at = contents + length;
    return { tag, start, contents, end: this.#at };
  }

  expect(tag: number, what: string): Element {
    if (this.next !== tag) {
      const found = this.next === undefined ? 'the end' : tagText(this.next);
      throw new X509Error(this.#at, `${what} should be ${tagText(tag)}, found ${found}`);
    }
    return this.any(what);
  }

  /** The value if it is there, by its tag. */
  optional(tag: number, what: string): Element | undefined {
    return this.next === tag ? this.expect(tag, what) : undefined;
  }

  /** Reader over the contents of a constructed value that was taken. */
  inside(element: Element): DerReader {
    return new DerReader(this.bytes, element.contents, element.end, this.#depth + 1);
  }

  /** Reader over the value before the current place that started at `start`: to read it as something else. */
  again(start: number): DerReader {
    return new DerReader(this.bytes, start, this.#at, this.#depth);
  }

  sequence(what: string): DerReader {
    return this.inside(this.expect(TAG.sequence, what));
  }

  /** Contents, as a view. */
  contents(element: Element): Uint8Array {
    return this.bytes.subarray(element.contents, element.end);
  }

  /** Tag, length and contents, as a view. */
  whole(element: Element): Uint8Array {
    return this.bytes.subarray(element.start, element.end);
  }

  /** Nothing may follow. */
  finish(what: string): void {
    if (!this.atEnd)
      throw new X509Error(this.#at, `${this.#end - this.#at} unexpected bytes at the end of ${what}`);
  }

  #byte(what: string): number {
    const byte = this.#at < this.#end ? this.bytes[this.#at] : undefined;
    if (byte === undefined) throw new X509Error(this.#at, `${what} is cut off`);
    this.#at += 1;
    return byte;
  }

  /** X.690 10.1: "The definite form of length encoding shall be used, encoded in the minimum number of octets." */
  #length(what: string): number {
    const start = this.#at;
    const first = this.#byte(what);
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0) throw new X509Error(start, `${what} has an indefinite length`);
    // Three octets reach 16 MiB, more than any input that is let in.
    if (count > 3) throw new X509Error(start, `${what} has a length of ${count} octets`);
    let length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + this.#byte(what);
    if (length < 0x80 || length < 256 ** (count - 1)) {
      throw new X509Error(start, `${what} has a length that is not in its shortest form`);
    }
    return length;
  }
}
