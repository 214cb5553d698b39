import { Reader } from '../wire/reader.ts';
import { u8, vector8 } from '../wire/writer.ts';

/**
 * RFC 8446 4.2.9: the one mode used here. psk_ke (0) has no forward secrecy: whoever learns a ticket's key later could
 * read what was said under it.
 */
export const PSK_DHE_KE = 1;

export function encodePskModes(): Uint8Array {
  return vector8(u8(PSK_DHE_KE));
}

export function decodePskModes(body: Uint8Array): number[] {
  const reader = new Reader(body, 'psk_key_exchange_modes');
  const modes = [...reader.vector8(1)];
  reader.finish();
  return modes;
}
