import { EMPTY } from '#runtime';
import { MAX_MESSAGE } from '../limits.ts';
import { MESSAGE_HEADER_LENGTH } from '../messages/message.ts';
import { type MessageName, messageName } from '../messages/names.ts';
import { fail } from '../reasons.ts';

/** A whole handshake message, still encoded. `raw` includes the header. */
export interface RawMessage {
  readonly name: MessageName;
  readonly raw: Uint8Array;
}

/** RFC 8446 B.3: hello_request_RESERVED, by which a server of TLS 1.2 asks for a renegotiation. */
const HELLO_REQUEST = 0;

class AlignmentProof {
  readonly #aligned = true;

  get aligned(): boolean {
    return this.#aligned;
  }
}

/** Evidence that no part of a handshake message is left over: keys may change now (RFC 8446 5.1). */
export type HandshakeAligned = AlignmentProof;

/**
 * Joins handshake fragments into messages. Keeps at most one incomplete message, bounded by its type's limit, in one
 * buffer: a message in pieces of one byte costs neither more memory nor repeated copying.
 */
export class Joiner {
  #buffer: Uint8Array = EMPTY;
  /** The bytes that wait are those from #start to #end. */
  #start = 0;
  #end = 0;

  push(fragment: Uint8Array): void {
    if (this.#end + fragment.length > this.#buffer.length) this.#grow(fragment.length);
    this.#buffer.set(fragment, this.#end);
    this.#end += fragment.length;
  }

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  next(): RawMessage | undefined {
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    if (waiting.length < MESSAGE_HEADER_LENGTH) return undefined;
    const name = messageName(waiting[0]!);
    if (waiting[0] === HELLO_REQUEST) fail('renegotiation-attempted', 'HelloRequest');
    if (name === undefined) fail('unexpected-message', `handshake type ${waiting[0]}`);
    const length = waiting[1]! * 0x1_00_00 + waiting[2]! * 0x1_00 + waiting[3]!;
    if (length > MAX_MESSAGE[name]) fail('message-too-large', `${name} of ${length} bytes`);
    const end = MESSAGE_HEADER_LENGTH + length;
    if (waiting.length < end) return undefined;
    const raw = waiting.slice(0, end);
    this.#start += end;
    if (this.isEmpty) this.#release();
    return { name, raw };
  }

  /** RFC 8446 5.1: "Handshake messages MUST NOT span key changes". */
  requireAligned(): HandshakeAligned {
    if (!this.isEmpty) fail('unaligned-key-change', `${this.#end - this.#start} bytes`);
    return new AlignmentProof();
  }

  /** At least doubles, so that each byte is moved a constant number of times on average. */
  #grow(more: number): void {
    const length = this.#end - this.#start;
    const grown = new Uint8Array(Math.max(2 * length, length + more));
    grown.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = grown;
    this.#start = 0;
    this.#end = length;
  }

  /** Between messages nothing is kept. */
  #release(): void {
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }
}
