import { concat } from '#runtime';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u16, u32, vector8, vector16 } from '../wire/writer.ts';

/** RFC 8446 4.2.11: PskIdentity. */
export interface PskIdentity {
  /** A ticket, or the name of an external key. */
  readonly identity: Uint8Array;
  /** Milliseconds since the ticket came, plus its ticket_age_add, modulo 2^32; 0 for an external key. */
  readonly obfuscatedAge: number;
}

/** RFC 8446 4.2.11: OfferedPsks. */
export interface OfferedPsks {
  readonly identities: readonly PskIdentity[];
  /** One for each identity, in their order. */
  readonly binders: readonly Uint8Array[];
  /** Bytes of the binders at the end of the ClientHello, their length field included: what Truncate() leaves out. */
  readonly bindersLength: number;
}

export function encodeOfferedPsks(
  identities: readonly PskIdentity[],
  binders: readonly Uint8Array[],
): Uint8Array {
  const entries = identities.map(({ identity, obfuscatedAge }) =>
    concat(vector16(identity), u32(obfuscatedAge)),
  );
  return concat(vector16(...entries), encodeBinders(binders));
}

/** The end of the extension, and so of the ClientHello. */
export function encodeBinders(binders: readonly Uint8Array[]): Uint8Array {
  return vector16(...binders.map((binder) => vector8(binder)));
}

export function decodeOfferedPsks(body: Uint8Array): OfferedPsks {
  const reader = new Reader(body, 'pre_shared_key');
  const list = new Reader(reader.vector16(7), 'pre_shared_key');
  const identities: PskIdentity[] = [];
  while (list.left > 0) identities.push({ identity: list.vector16(1), obfuscatedAge: list.u32() });
  const bindersLength = reader.left;
  const binderList = new Reader(reader.vector16(33), 'pre_shared_key');
  reader.finish();
  const binders: Uint8Array[] = [];
  while (binderList.left > 0) binders.push(binderList.vector8(32));
  // RFC 8446 4.2.11: the binders are "a series of HMAC values, one for each value in the identities list and in the
  // same order".
  if (binders.length !== identities.length) {
    fail('illegal-parameter', `pre_shared_key: ${identities.length} identities, ${binders.length} binders`);
  }
  return { identities, binders, bindersLength };
}

/** In ServerHello: the index of the identity chosen. */
export function encodeSelectedIdentity(index: number): Uint8Array {
  return u16(index);
}

export function decodeSelectedIdentity(body: Uint8Array): number {
  const reader = new Reader(body, 'pre_shared_key');
  const index = reader.u16();
  reader.finish();
  return index;
}
