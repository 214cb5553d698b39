import { concat } from '#runtime';
import { MAX_MESSAGE } from '../limits.ts';
import { MESSAGE_HEADER_LENGTH } from '../messages/message.ts';
import { type MessageName, messageName } from '../messages/names.ts';
import { fail } from '../reasons.ts';

/** A whole handshake message, still encoded. `raw` includes the header. */
export interface RawMessage {
  readonly name: MessageName;
  readonly raw: Uint8Array;
}

class AlignmentProof {
  readonly #aligned = true;

  get aligned(): boolean {
    return this.#aligned;
  }
}

/** Evidence that no part of a handshake message is left over: keys may change now (RFC 8446 5.1). */
export type HandshakeAligned = AlignmentProof;

/** Joins handshake fragments into messages. Keeps at most one incomplete message, bounded by its type's limit. */
export class Joiner {
  #parts: Uint8Array[] = [];
  #length = 0;

  push(fragment: Uint8Array): void {
    this.#parts.push(fragment.slice());
    this.#length += fragment.length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  next(): RawMessage | undefined {
    if (this.#length < MESSAGE_HEADER_LENGTH) return undefined;
    const header = this.#peekHeader();
    const name = messageName(header[0]!);
    if (name === undefined) fail('unexpected-message', `handshake type ${header[0]}`);
    const length = header[1]! * 0x1_00_00 + header[2]! * 0x1_00 + header[3]!;
    if (length > MAX_MESSAGE[name]) fail('message-too-large', `${name} of ${length} bytes`);
    const end = MESSAGE_HEADER_LENGTH + length;
    if (this.#length < end) return undefined;
    const joined = this.#join();
    this.#keep(joined.subarray(end));
    return { name, raw: joined.subarray(0, end) };
  }

  /** RFC 8446 5.1: "Handshake messages MUST NOT span key changes". */
  requireAligned(): HandshakeAligned {
    if (!this.isEmpty) fail('unaligned-key-change', `${this.#length} bytes`);
    return new AlignmentProof();
  }

  #peekHeader(): Uint8Array {
    if (this.#parts[0]!.length < MESSAGE_HEADER_LENGTH) this.#parts = [this.#join()];
    return this.#parts[0]!;
  }

  /** Fragments are joined once a whole message is there, so a message in tiny pieces costs no repeated copying. */
  #join(): Uint8Array {
    return this.#parts.length === 1 ? this.#parts[0]! : concat(...this.#parts);
  }

  #keep(rest: Uint8Array): void {
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}
