import { decodeExtensions } from '../extensions/extensions.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';

/** RFC 8446 4.6.1. Parsed so that a malformed one is refused; resumption does not use it yet. */
export interface NewSessionTicket {
  readonly lifetimeSeconds: number;
  readonly ageAdd: number;
  readonly nonce: Uint8Array;
  readonly ticket: Uint8Array;
}

const LONGEST_LIFETIME_SECONDS = 604_800;

export function decodeNewSessionTicket(body: Uint8Array): NewSessionTicket {
  const reader = new Reader(body, 'NewSessionTicket');
  const lifetimeSeconds = reader.u32();
  const ageAdd = reader.u32();
  const nonce = reader.vector8(0).slice();
  const ticket = reader.vector16(1).slice();
  decodeExtensions(reader, 'NST');
  reader.finish();
  // RFC 8446 4.6.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
  if (lifetimeSeconds > LONGEST_LIFETIME_SECONDS) {
    fail('illegal-parameter', `ticket_lifetime of ${lifetimeSeconds} s`);
  }
  return { lifetimeSeconds, ageAdd, nonce, ticket };
}
