import { MAX_AUTHORITIES } from '../limits.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { vector16 } from '../wire/writer.ts';

/** RFC 8446 4.2.4: DistinguishedName authorities<3..2^16-1>, each the DER of a Name. */
export function encodeCertificateAuthorities(names: readonly Uint8Array[]): Uint8Array | undefined {
  return names.length === 0 ? undefined : vector16(...names.map((name) => vector16(name)));
}

export function decodeCertificateAuthorities(body: Uint8Array): Uint8Array[] {
  const reader = new Reader(body, 'certificate_authorities');
  const list = new Reader(reader.vector16(3), 'certificate_authorities');
  reader.finish();
  const names: Uint8Array[] = [];
  while (list.left > 0) {
    if (names.length === MAX_AUTHORITIES)
      fail('message-too-large', `more than ${MAX_AUTHORITIES} authorities`);
    names.push(list.vector16(1).slice());
  }
  return names;
}
