import { EMPTY } from '#runtime';
import { MAX_CIPHERTEXT, MAX_PENDING_INPUT } from '../limits.ts';
import { fail } from '../reasons.ts';
import { type ContentName, contentName, HEADER_LENGTH, HEARTBEAT } from './header.ts';

/** One record as it stood on the wire. `fragment` is valid until the next call of `next` or `push`. */
export interface WireRecord {
  readonly type: ContentName;
  readonly header: Uint8Array;
  readonly fragment: Uint8Array;
}

/**
 * Cuts the byte stream into records. Work is linear in the bytes given, whatever their chunks: a record that came
 * whole is a view of the input, one that came in pieces is staged, and each byte is copied at most once.
 */
export class Deframer {
  #input: Uint8Array = EMPTY;
  #staged: Uint8Array | undefined;
  #stagedLength = 0;

  push(bytes: Uint8Array): void {
    if (this.#input.length === 0) {
      this.#input = bytes;
      return;
    }
    // Only while the connection is paused: whoever drives it stops reading then, so this stays small.
    const length = this.#input.length + bytes.length;
    if (length > MAX_PENDING_INPUT) fail('input-overflow', `${length} bytes`);
    const joined = new Uint8Array(length);
    joined.set(this.#input);
    joined.set(bytes, this.#input.length);
    this.#input = joined;
  }

  /** The next whole record, or undefined until more bytes come. */
  next(): WireRecord | undefined {
    return this.#stagedLength > 0 ? this.#nextStaged() : this.#nextWhole();
  }

  #nextWhole(): WireRecord | undefined {
    const input = this.#input;
    if (input.length === 0) return undefined;
    const length = recordLength(input, input.length);
    if (length !== undefined && input.length >= length) {
      this.#input = input.length === length ? EMPTY : input.subarray(length);
      return record(input, length);
    }
    this.#staged = new Uint8Array(HEADER_LENGTH);
    return this.#nextStaged();
  }

  #nextStaged(): WireRecord | undefined {
    if (this.#stagedLength < HEADER_LENGTH) this.#stage(HEADER_LENGTH);
    const length = recordLength(this.#staged!, this.#stagedLength);
    if (length === undefined) return undefined;
    const staged = this.#makeRoom(length);
    this.#stage(length);
    if (this.#stagedLength < length) return undefined;
    this.#staged = undefined;
    this.#stagedLength = 0;
    return record(staged, length);
  }

  /** One byte of a peer's must not cost the room of a whole record: only the header that announces one does. */
  #makeRoom(length: number): Uint8Array {
    const staged = this.#staged!;
    if (staged.length === length) return staged;
    // Not zeroed: each byte is written before the record is read.
    const larger = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    larger.set(staged);
    this.#staged = larger;
    return larger;
  }

  /** Moves bytes from the input until `length` are staged or the input is empty. */
  #stage(length: number): void {
    const take = Math.min(length - this.#stagedLength, this.#input.length);
    this.#staged!.set(this.#input.subarray(0, take), this.#stagedLength);
    this.#stagedLength += take;
    this.#input = take === this.#input.length ? EMPTY : this.#input.subarray(take);
  }
}

/** RFC 5246 E.2: an SSL 2.0 ClientHello has the top bit set, 15 bits of length, and then its type. */
const SSL2_LENGTH = 0x80;
const SSL2_TYPE = 2;
const SSL2_CLIENT_HELLO = 1;

/** Header and fragment together, or undefined while the header is incomplete. What can't be TLS fails at once. */
function recordLength(bytes: Uint8Array, available: number): number | undefined {
  if (available >= 1 && contentName(bytes[0]!) === undefined) {
    if (bytes[0] === HEARTBEAT) fail('heartbeat-used', 'a heartbeat record');
    if (bytes[0]! < SSL2_LENGTH) fail('not-tls', `first byte ${bytes[0]}`);
    if (available <= SSL2_TYPE) return undefined;
    fail(bytes[SSL2_TYPE] === SSL2_CLIENT_HELLO ? 'ssl2-offered' : 'not-tls', `first byte ${bytes[0]}`);
  }
  // RFC 8446 5.1: the record version "MUST be ignored for all purposes"; but no TLS has another major version.
  if (available >= 2 && bytes[1] !== 0x03) fail('not-tls', `record version ${bytes[1]}.x`);
  if (available < HEADER_LENGTH) return undefined;
  const length = bytes[3]! * 256 + bytes[4]!;
  if (length > MAX_CIPHERTEXT) fail('record-overflow', `${length} bytes`);
  return HEADER_LENGTH + length;
}

function record(bytes: Uint8Array, length: number): WireRecord {
  return {
    type: contentName(bytes[0]!)!,
    header: bytes.subarray(0, HEADER_LENGTH),
    fragment: bytes.subarray(HEADER_LENGTH, length),
  };
}
