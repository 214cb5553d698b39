/** What the shim reads of certificates that the runner made: of strangers' ones only `#identity` should. */

/** The issuer, a DER Name. */
export function issuerOf(certificate: Uint8Array): Uint8Array {
  return tbsField(certificate, ISSUER);
}

/** The bit digitalSignature of keyUsage (RFC 5280 4.2.1.3), if the certificate has that extension. */
export function maySign(certificate: Uint8Array): boolean {
  const hex = Buffer.from(certificate).toString('hex');
  const [, bits] = /0603551d0f(?:0101ff)?04040302[0-9a-f]{2}([0-9a-f]{2})/.exec(hex) ?? [];
  return bits === undefined || (Number.parseInt(bits, 16) & 0x80) !== 0;
}

/** RFC 5280 4.1: the issuer is the fourth field of a TBSCertificate that states its version. */
const ISSUER = 3;

/** A field of the TBSCertificate, header included. */
function tbsField(der: Uint8Array, index: number): Uint8Array {
  let rest = contentOf(contentOf(der));
  for (let skipped = 0; skipped < index; skipped += 1) rest = rest.subarray(lengthOf(rest));
  return rest.slice(0, lengthOf(rest));
}

/** Header and content. */
function lengthOf(der: Uint8Array): number {
  return contentStart(der) + contentLength(der);
}

function contentOf(der: Uint8Array): Uint8Array {
  return der.subarray(contentStart(der), lengthOf(der));
}

function contentStart(der: Uint8Array): number {
  return der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f);
}

function contentLength(der: Uint8Array): number {
  if (der[1]! < 0x80) return der[1]!;
  return der.subarray(2, contentStart(der)).reduce((length, byte) => length * 256 + byte, 0);
}
