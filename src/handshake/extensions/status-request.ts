import { concat } from '#runtime';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u8, vector16, vector24 } from '../wire/writer.ts';

const OCSP = 1;

/** RFC 6066 8, in ClientHello: any responder, no extensions. */
export const OCSP_REQUEST: Uint8Array = concat(u8(OCSP), vector16(), vector16());

/** Whether a ClientHello asks for an OCSP response. RFC 6066 8 has this one type; others are passed over. */
export function decodeStatusRequest(body: Uint8Array): boolean {
  const reader = new Reader(body, 'status_request');
  if (reader.u8() !== OCSP) return false;
  reader.vector16(0);
  reader.vector16(0);
  reader.finish();
  return true;
}

/** RFC 8446 4.4.2.1: CertificateStatus, in a CertificateEntry. */
export function encodeCertificateStatus(ocspResponse: Uint8Array): Uint8Array {
  return concat(u8(OCSP), vector24(ocspResponse));
}

/** The OCSP response, not looked into. */
export function decodeCertificateStatus(body: Uint8Array): Uint8Array {
  const reader = new Reader(body, 'status_request in Certificate');
  const type = reader.u8();
  if (type !== OCSP) fail('malformed-message', `a certificate status of type ${type}`);
  const response = reader.vector24(1).slice();
  reader.finish();
  return response;
}
