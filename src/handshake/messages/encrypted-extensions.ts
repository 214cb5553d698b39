import { decodeSelectedAlpn, encodeAlpn } from '../extensions/alpn.ts';
import { decodeEarlyDataIndication, EARLY_DATA_INDICATION } from '../extensions/early-data.ts';
import { decodeExtensions, encodeExtensions, type Extensions } from '../extensions/extensions.ts';
import type { RecordSize } from '../extensions/record-size.ts';
import { fail } from '../reasons.ts';
import { EMPTY } from '#runtime';
import { Reader } from '../wire/reader.ts';

/** RFC 8446 4.3.1. */
export interface EncryptedExtensions {
  readonly extensions: Extensions;
  readonly alpn: string | undefined;
  /** RFC 8446 4.2.10: the server takes the early data. */
  readonly acceptsEarlyData: boolean;
}

export function decodeEncryptedExtensions(body: Uint8Array): EncryptedExtensions {
  const reader = new Reader(body, 'EncryptedExtensions');
  const extensions = decodeExtensions(reader, 'EE');
  reader.finish();
  // RFC 6066 3: the server's server_name extension "SHALL be empty".
  if ((extensions.get('server_name')?.length ?? 0) > 0)
    fail('malformed-message', 'server_name in EE is not empty');
  const alpn = extensions.get('application_layer_protocol_negotiation');
  return {
    extensions,
    alpn: alpn && decodeSelectedAlpn(alpn),
    acceptsEarlyData: decodeEarlyDataIndication(extensions.get('early_data')),
  };
}

export function encodeEncryptedExtensions(choice: {
  alpn: string | undefined;
  acknowledgesServerName: boolean;
  recordSize?: RecordSize['answer'] | undefined;
  acceptsEarlyData: boolean;
}): Uint8Array {
  return encodeExtensions([
    ['server_name', choice.acknowledgesServerName ? EMPTY : undefined],
    ...(choice.recordSize === undefined ? [] : [choice.recordSize]),
    [
      'application_layer_protocol_negotiation',
      choice.alpn === undefined ? undefined : encodeAlpn([choice.alpn]),
    ],
    ['early_data', choice.acceptsEarlyData ? EARLY_DATA_INDICATION : undefined],
  ]);
}
