import { EMPTY } from '#runtime';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { Secret } from '../crypto/secret.ts';
import { CipherState } from '../record/cipher-state.ts';
import type { Suite } from '../suites.ts';
import { Deriver } from './key-schedule.ts';

const IV_LENGTH = 12;

/** RFC 8446 7.3: the record keys of one traffic secret. */
export function trafficKeys(crypto: CryptoProvider, suite: Suite, secret: Secret): CipherState {
  const deriver = new Deriver(crypto, suite);
  const key = deriver.expandLabel(secret, 'key', EMPTY, suite.keyLength);
  const iv = deriver.expandLabel(secret, 'iv', EMPTY, IV_LENGTH);
  return new CipherState(crypto.aead(suite.aead, key), iv);
}
