import { concat, EMPTY } from '#runtime';
import { MAX_PLAINTEXT } from '../limits.ts';
import { CipherState } from './cipher-state.ts';
import { Gather } from './gather.ts';
import { CONTENT, type ContentName, HEADER_LENGTH, writeHeader } from './header.ts';
import { giveBackBuffer, lendBuffer } from './output-buffers.ts';

/** Zeros to add behind this many bytes of content. */
export type Padding = (length: number) => number;

const noPadding: Padding = () => 0;

/**
 * The way out: content becomes records under the current keys. Handshake messages of one flight share records, and
 * everything waits for one `take`, so a flight is one write.
 */
export class Fragmenter {
  #cipher: CipherState | undefined;
  #handshake: Uint8Array[] = [];
  #out: Uint8Array[] = [];
  #limit = MAX_PLAINTEXT;
  #padding: Padding = noPadding;

  /** Undefined until the first keys are set. */
  get cipher(): CipherState | undefined {
    return this.#cipher;
  }

  /** Most bytes of content in one record. */
  get limit(): number {
    return this.#limit;
  }

  /** Narrows `limit`, for us or for the peer; what is sealed already stays as it is. */
  limitTo(bytes: number): void {
    this.#flushHandshake();
    this.#limit = Math.min(this.#limit, bytes);
  }

  /** How application data is padded from now on (RFC 8446 5.4). */
  padWith(padding: Padding): void {
    this.#padding = padding;
  }

  addHandshake(message: Uint8Array): void {
    this.#handshake.push(message);
  }

  /** Everything but handshake messages and change_cipher_spec. */
  add(type: 'alert' | 'application_data', content: Uint8Array): void {
    this.#flushHandshake();
    this.#protect(type, new Gather([content]));
  }

  /** Application data, at most `records` full records of it. */
  addData(content: Gather, records: number): void {
    this.#flushHandshake();
    this.#protect('application_data', content, records);
  }

  /** RFC 8446 D.4: a dummy record that is never protected. */
  addChangeCipherSpec(): void {
    this.#flushHandshake();
    this.#out.push(plainRecord('change_cipher_spec', new Gather([Uint8Array.of(1)]), 1));
  }

  /** Undefined: back to plaintext (a second ClientHello after refused early data). */
  changeKeys(cipher: CipherState | undefined): void {
    this.#flushHandshake();
    this.#cipher?.wipe();
    this.#cipher = cipher;
  }

  /** Nothing is protected any more; what was given before is sealed first and still comes out of `take`. */
  wipe(): void {
    this.#flushHandshake();
    this.#cipher?.wipe();
  }

  /** All bytes for the wire since the last call. */
  take(): Uint8Array {
    this.#flushHandshake();
    const out = this.#out;
    this.#out = [];
    if (out.length <= 1) return out[0] ?? EMPTY;
    const whole = concat(...out);
    for (const part of out) giveBackBuffer(part);
    return whole;
  }

  #flushHandshake(): void {
    if (this.#handshake.length === 0) return;
    const messages = new Gather(this.#handshake);
    this.#handshake = [];
    this.#protect('handshake', messages);
  }

  #protect(type: ContentName, content: Gather, records = Number.POSITIVE_INFINITY): void {
    const limit = this.#limit;
    const length = Math.min(content.left, records * limit);
    const count = Math.max(Math.ceil(length / limit), 1);
    const last = length - (count - 1) * limit;
    const lengthOf = (index: number): number => (index < count - 1 ? limit : last);
    const cipher = this.#cipher;
    if (cipher === undefined) {
      for (let index = 0; index < count; index += 1)
        this.#out.push(plainRecord(type, content, lengthOf(index)));
      return;
    }
    const padding = type === 'application_data' ? this.#padding : noPadding;
    const room = (content: number): number => Math.min(padding(content), limit - content);
    const zeros = (count - 1) * room(limit) + room(last);
    const out = lendBuffer(length + zeros + count * CipherState.sealedLength(0));
    let offset = 0;
    for (let index = 0; index < count; index += 1) {
      const piece = lengthOf(index);
      content.copyTo(out, CipherState.contentAt(offset), piece);
      offset = cipher.seal(type, piece, out, offset, room(piece));
    }
    this.#out.push(out);
  }
}

function plainRecord(type: ContentName, content: Gather, length: number): Uint8Array {
  const record = new Uint8Array(HEADER_LENGTH + length);
  writeHeader(record, 0, CONTENT[type], length);
  content.copyTo(record, HEADER_LENGTH, length);
  return record;
}
