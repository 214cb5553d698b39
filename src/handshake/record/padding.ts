import type { Padding } from './fragmenter.ts';

/**
 * RFC 8446 5.4: fills content up to the next multiple of `bytes`, so that its length says no more than that. What
 * counts is the length of the whole; a record at its limit is not padded.
 */
export function padTo(bytes: number): Padding {
  return (length) => Math.ceil(length / bytes) * bytes - length;
}
