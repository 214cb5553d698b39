import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u8 } from '../wire/writer.ts';

/** RFC 8446 4.6.3. */
export interface KeyUpdate {
  readonly updateRequested: boolean;
}

export function decodeKeyUpdate(body: Uint8Array): KeyUpdate {
  const reader = new Reader(body, 'KeyUpdate');
  const request = reader.u8();
  reader.finish();
  // RFC 8446 4.6.3: "If an implementation receives any other value, it MUST terminate the connection with an
  // illegal_parameter alert."
  if (request > 1) fail('illegal-parameter', `request_update of ${request}`);
  return { updateRequested: request === 1 };
}

export function encodeKeyUpdate(update: KeyUpdate): Uint8Array {
  return u8(update.updateRequested ? 1 : 0);
}
