import type { DerReader } from '../der/reader.ts';
import { readNamedBits } from '../der/values.ts';
import { X509Error } from '../problem.ts';

/** RFC 5280 4.2.1.3: named bits of KeyUsage, by number. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsageName = (typeof KEY_USAGES)[number];
export type KeyUsage = ReadonlySet<KeyUsageName>;

export function readKeyUsage(value: DerReader): KeyUsage {
  const start = value.offset;
  const bits = readNamedBits(value, 'keyUsage');
  if (bits >> KEY_USAGES.length !== 0) throw new X509Error(start, 'keyUsage has bits that no RFC names');
  return new Set(KEY_USAGES.filter((_, bit) => (bits & (1 << bit)) !== 0));
}
