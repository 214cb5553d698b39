import { MAX_PLAINTEXT } from '../limits.ts';

/** Room for four full records: what a read of 64 KiB, Node's most, becomes. */
const CAPACITY = 4 * (MAX_PLAINTEXT + 256);
/** Less is taken fresh: new memory costs little then, and would hold a large buffer while it waits. */
const LEAST = 2048;
/** Buffers that wait for their next use: 2 MiB for the process. */
const MOST_KEPT = 32;

const kept: ArrayBuffer[] = [];
/** Whose turn it is: only what was lent can come back, and once. */
const lent = new WeakSet<ArrayBufferLike>();

/**
 * Memory for sealed records, `length` bytes that may hold anything. New memory for each write would be zeroed first and
 * collected later, which costs as much as the encryption. Shared by all connections of the thread; one that is idle holds
 * none.
 */
export function lendBuffer(length: number): Uint8Array {
  if (length < LEAST || length > CAPACITY) return new Uint8Array(length);
  const buffer = kept.pop() ?? new ArrayBuffer(CAPACITY);
  lent.add(buffer);
  return new Uint8Array(buffer, 0, length);
}

/**
 * `bytes` are on their way and nobody holds them any more. Not to be called for what a stream of JavaScript may still keep:
 * the next connection writes over it. Harmless for bytes that were not lent, or came back already.
 */
export function giveBackBuffer({ buffer }: Uint8Array): void {
  if (lent.delete(buffer) && kept.length < MOST_KEPT) kept.push(buffer as ArrayBuffer);
}
