import { concat, EMPTY } from '#runtime';
import {
  decodeCertificateAuthorities,
  encodeCertificateAuthorities,
} from '../extensions/certificate-authorities.ts';
import { decodeExtensions, encodeExtensions } from '../extensions/extensions.ts';
import { decodeNumbers } from '../extensions/numbers.ts';
import { encodeCertificateSchemes } from '../extensions/signature-algorithms.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { numbers16, vector8 } from '../wire/writer.ts';

/** RFC 8446 4.3.2. */
export interface CertificateRequest {
  readonly context: Uint8Array;
  readonly schemes: readonly number[];
  /** RFC 8446 4.2.3: what may sign certificates; `schemes` if the server does not say. */
  readonly certificateSchemes: readonly number[];
  /** RFC 8446 4.2.4: DER Names of accepted authorities; undefined: any. */
  readonly authorities?: readonly Uint8Array[] | undefined;
  /** RFC 8446 4.4.2.1: an OCSP response is wanted. */
  readonly wantsStatus: boolean;
}

export function decodeCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body, 'CertificateRequest');
  const context = reader.vector8(0).slice();
  const extensions = decodeExtensions(reader, 'CR');
  reader.finish();
  // RFC 8446 4.3.2: "The signature_algorithms extension MUST be specified".
  const schemes = extensions.get('signature_algorithms');
  if (schemes === undefined) fail('missing-extension', 'signature_algorithms in CertificateRequest');
  const decoded = decodeNumbers(schemes, 'signature_algorithms');
  const authorities = extensions.get('certificate_authorities');
  const forCertificates = extensions.get('signature_algorithms_cert');
  return {
    context,
    schemes: decoded,
    certificateSchemes:
      forCertificates === undefined ? decoded : decodeNumbers(forCertificates, 'signature_algorithms_cert'),
    authorities: authorities && decodeCertificateAuthorities(authorities),
    wantsStatus: extensions.get('status_request') !== undefined,
  };
}

/** During the handshake the context is empty (RFC 8446 4.3.2). */
export function encodeCertificateRequest(request: Omit<CertificateRequest, 'context'>): Uint8Array {
  const { schemes, certificateSchemes, authorities, wantsStatus } = request;
  const extensions = encodeExtensions([
    ['signature_algorithms', numbers16(schemes)],
    ['signature_algorithms_cert', encodeCertificateSchemes(certificateSchemes, schemes)],
    ['certificate_authorities', encodeCertificateAuthorities(authorities ?? [])],
    // RFC 8446 4.4.2.1: "an empty "status_request" extension in its CertificateRequest message".
    ['status_request', wantsStatus ? EMPTY : undefined],
  ]);
  return concat(vector8(), extensions);
}
