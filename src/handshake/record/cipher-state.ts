import type { Aead } from '../crypto/provider.ts';
import { MAX_PLAINTEXT } from '../limits.ts';
import { fail } from '../reasons.ts';
import { CONTENT, type ContentName, contentName, HEADER_LENGTH, HEARTBEAT, writeHeader } from './header.ts';

/** Bytes that protection adds to a record's content: header, inner content type, tag. */
const OVERHEAD = HEADER_LENGTH + 1 + 16;

/** What a protected record held. */
export interface Opened {
  readonly type: ContentName;
  readonly content: Uint8Array;
}

/** One direction's keys (RFC 8446 5.2 to 5.4): seals or opens records in sequence. */
export class CipherState {
  readonly #aead: Aead;
  readonly #iv: Uint8Array;
  readonly #nonce: Uint8Array;
  #sequence: number;

  /** `sequence`: of the first record. A key begins with 0; tests begin where 32 bits end. */
  constructor(aead: Aead, iv: Uint8Array, sequence = 0) {
    this.#sequence = sequence;
    this.#aead = aead;
    this.#iv = iv;
    this.#nonce = new Uint8Array(iv.length);
  }

  /** Records sealed or opened so far. */
  get sequence(): number {
    return this.#sequence;
  }

  wipe(): void {
    this.#aead.wipe();
    this.#iv.fill(0);
  }

  /** Length on the wire of a record with `length` bytes of content. */
  static sealedLength(length: number): number {
    return length + OVERHEAD;
  }

  /** Where the content of a record at `offset` is to be put before it is sealed. */
  static contentAt(offset: number): number {
    return offset + HEADER_LENGTH;
  }

  /** Seals the record at `offset` whose `length` bytes of content stand in `out` already; returns the offset behind it. */
  seal(type: ContentName, length: number, out: Uint8Array, offset: number, padding = 0): number {
    const inner = length + 1 + padding;
    writeHeader(out, offset, CONTENT.application_data, inner + this.#aead.tagLength);
    const start = offset + HEADER_LENGTH;
    out[start + length] = CONTENT[type];
    if (padding > 0) out.fill(0, start + length + 1, start + inner);
    const header = out.subarray(offset, start);
    this.#aead.seal(this.#nextNonce(), header, out.subarray(start, start + inner), out, start);
    return start + inner + this.#aead.tagLength;
  }

  /** Opens one record; `header` is its additional data (RFC 8446 5.2). */
  open(header: Uint8Array, fragment: Uint8Array): Opened {
    const opened = this.tryOpen(header, fragment);
    if (opened === undefined) fail('bad-record-mac', `record ${this.#sequence}`);
    return opened;
  }

  /** Likewise; undefined for a record that isn't of these keys, which then takes no sequence number. */
  tryOpen(header: Uint8Array, fragment: Uint8Array): Opened | undefined {
    const inner = this.#aead.open(this.#nextNonce(), header, fragment);
    if (inner === undefined) {
      this.#sequence -= 1;
      return undefined;
    }
    // RFC 8446 5.4: the content type is the last byte that isn't zero.
    let end = inner.length - 1;
    while (end >= 0 && inner[end] === 0) end -= 1;
    if (end < 0) fail('unexpected-record', 'a protected record without a content type');
    if (inner[end] === HEARTBEAT) fail('heartbeat-used', 'a heartbeat record');
    const type = contentName(inner[end]!);
    if (type === undefined || type === 'change_cipher_spec') {
      fail('unexpected-record', `content type ${inner[end]} in a protected record`);
    }
    // RFC 8446 5.4: the limit holds for the whole inner plaintext, padding included, plus one byte for the type.
    if (inner.length > MAX_PLAINTEXT + 1) fail('record-overflow', `${inner.length} bytes of plaintext`);
    return { type, content: inner.subarray(0, end) };
  }

  /** RFC 8446 5.3: the sequence number, padded to the left, XORed with the IV. */
  #nextNonce(): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#iv);
    let rest = this.#sequence;
    // Numbers hold 53 bits exactly; keys are updated long before (RECORDS_PER_KEY).
    for (let index = nonce.length - 1; rest > 0; index -= 1) {
      nonce[index]! ^= rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#sequence += 1;
    return nonce;
  }
}
