import { concat } from '#runtime';
import { decodeEarlyDataLimit, encodeEarlyDataLimit } from '../extensions/early-data.ts';
import { decodeExtensions, encodeExtensions } from '../extensions/extensions.ts';
import { LONGEST_TICKET_LIFETIME_SECONDS } from '../limits.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u32, vector8, vector16 } from '../wire/writer.ts';

/** RFC 8446 4.6.1. */
export interface NewSessionTicket {
  /** 0: to be thrown away at once. */
  readonly lifetimeSeconds: number;
  readonly ageAdd: number;
  readonly nonce: Uint8Array;
  readonly ticket: Uint8Array;
  /** Most bytes of early data under this ticket; 0: none. */
  readonly earlyDataLimit: number;
}

export function decodeNewSessionTicket(body: Uint8Array): NewSessionTicket {
  const reader = new Reader(body, 'NewSessionTicket');
  const lifetimeSeconds = reader.u32();
  const ageAdd = reader.u32();
  const nonce = reader.vector8(0).slice();
  const ticket = reader.vector16(1).slice();
  const extensions = decodeExtensions(reader, 'NST');
  reader.finish();
  // RFC 8446 4.6.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
  if (lifetimeSeconds > LONGEST_TICKET_LIFETIME_SECONDS) {
    fail('illegal-parameter', `ticket_lifetime of ${lifetimeSeconds} s`);
  }
  const earlyData = extensions.get('early_data');
  const earlyDataLimit = earlyData === undefined ? 0 : decodeEarlyDataLimit(earlyData);
  return { lifetimeSeconds, ageAdd, nonce, ticket, earlyDataLimit };
}

export function encodeNewSessionTicket(message: NewSessionTicket): Uint8Array {
  const { earlyDataLimit } = message;
  return concat(
    u32(message.lifetimeSeconds),
    u32(message.ageAdd),
    vector8(message.nonce),
    vector16(message.ticket),
    encodeExtensions([
      ['early_data', earlyDataLimit === 0 ? undefined : encodeEarlyDataLimit(earlyDataLimit)],
    ]),
  );
}
