import { concat } from '#runtime';
import { decodeExtensions } from '../extensions/extensions.ts';
import { MAX_CERTIFICATES } from '../limits.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u16, vector8, vector24 } from '../wire/writer.ts';

/** RFC 8446 4.4.2. */
export interface Certificate {
  readonly context: Uint8Array;
  /** DER, leaf first; empty where a client has none. Copies, as the chain outlives the message. */
  readonly chain: readonly Uint8Array[];
}

export function decodeCertificate(body: Uint8Array): Certificate {
  const reader = new Reader(body, 'Certificate');
  const context = reader.vector8(0).slice();
  const list = new Reader(reader.vector24(0), 'certificate_list');
  reader.finish();
  const chain: Uint8Array[] = [];
  while (list.left > 0) {
    if (chain.length === MAX_CERTIFICATES)
      fail('message-too-large', `more than ${MAX_CERTIFICATES} certificates`);
    chain.push(list.vector24(1).slice());
    // Neither status_request nor signed_certificate_timestamp is offered yet, so nothing may be answered.
    decodeExtensions(list, 'CT').requireSolicited([], 'CT');
  }
  return { context, chain };
}

export function encodeCertificate(context: Uint8Array, chain: readonly Uint8Array[]): Uint8Array {
  const noExtensions = u16(0);
  return concat(vector8(context), vector24(...chain.map((der) => concat(vector24(der), noExtensions))));
}
