import { concat } from '#runtime';
import { decodeExtensions, encodeExtensions } from '../extensions/extensions.ts';
import { decodeNumbers } from '../extensions/numbers.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { numbers16, vector8 } from '../wire/writer.ts';

/** RFC 8446 4.3.2. */
export interface CertificateRequest {
  readonly context: Uint8Array;
  readonly schemes: readonly number[];
}

export function decodeCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body, 'CertificateRequest');
  const context = reader.vector8(0).slice();
  const extensions = decodeExtensions(reader, 'CR');
  reader.finish();
  // RFC 8446 4.3.2: "The signature_algorithms extension MUST be specified".
  const schemes = extensions.get('signature_algorithms');
  if (schemes === undefined) fail('missing-extension', 'signature_algorithms in CertificateRequest');
  return { context, schemes: decodeNumbers(schemes, 'signature_algorithms') };
}

/** During the handshake the context is empty (RFC 8446 4.3.2). */
export function encodeCertificateRequest(schemes: readonly number[]): Uint8Array {
  return concat(vector8(), encodeExtensions([['signature_algorithms', numbers16(schemes)]]));
}
