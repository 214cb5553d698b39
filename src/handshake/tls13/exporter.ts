import { EMPTY } from '#runtime';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { Secret } from '../crypto/secret.ts';
import type { Suite } from '../suites.ts';
import { Deriver } from './key-schedule.ts';

/** RFC 5869 2.3: HKDF-Expand gives at most this many hashes. */
const MOST_BLOCKS = 255;

/**
 * RFC 8446 7.5: TLS-Exporter(label, context, length) = HKDF-Expand-Label(Derive-Secret(Secret, label, ""), "exporter",
 * Hash(context), length). No context and an empty one are the same here, unlike in TLS 1.2.
 */
export function exportKeyingMaterial(
  crypto: CryptoProvider,
  suite: Suite,
  exporterSecret: Secret,
  wanted: { readonly label: string; readonly context: Uint8Array; readonly length: number },
): Uint8Array {
  const { label, context, length } = wanted;
  // RFC 8446 7.1: the label is an opaque<7..255> with "tls13 " in front.
  if (!/^[\x20-\x7e]{1,249}$/.test(label))
    throw new RangeError('exporter: want a label of 1 to 249 ASCII characters');
  const most = MOST_BLOCKS * suite.hashLength;
  if (!Number.isInteger(length) || length < 1 || length > most) {
    throw new RangeError(`exporter: ${length} bytes, not 1 to ${most}`);
  }
  const deriver = new Deriver(crypto, suite);
  const secret = deriver.deriveSecret(exporterSecret, label, crypto.hash(suite.hash, EMPTY));
  const material = deriver.expandLabel(secret, 'exporter', crypto.hash(suite.hash, context), length);
  secret.wipe();
  return material;
}
