import { concat } from '#runtime';
import { Reader } from '../wire/reader.ts';
import { u16, vector16 } from '../wire/writer.ts';

/** RFC 8446 4.4.3. */
export interface CertificateVerify {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

export function decodeCertificateVerify(body: Uint8Array): CertificateVerify {
  const reader = new Reader(body, 'CertificateVerify');
  const scheme = reader.u16();
  const signature = reader.vector16(0).slice();
  reader.finish();
  return { scheme, signature };
}

export function encodeCertificateVerify(verify: CertificateVerify): Uint8Array {
  return concat(u16(verify.scheme), vector16(verify.signature));
}
