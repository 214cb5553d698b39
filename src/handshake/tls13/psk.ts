import type { CryptoProvider } from '../crypto/provider.ts';
import type { Secret } from '../crypto/secret.ts';
import { fail } from '../reasons.ts';
import type { Suite } from '../suites.ts';
import type { Transcript } from '../transcript.ts';
import { type BinderLabel, Deriver, EarlyStage } from './key-schedule.ts';

/** A pre-shared key as a handshake uses it: of an earlier session, or imported from outside (RFC 9258). */
export interface Psk {
  readonly kind: 'resumption' | 'imported';
  readonly secret: Secret;
  /** A suite with the hash that the key belongs to (RFC 8446 4.2.11). */
  readonly suite: Suite;
}

const LABELS: Readonly<Record<Psk['kind'], BinderLabel>> = {
  resumption: 'res binder',
  imported: 'imp binder',
};

class BindersProof {
  readonly #verified = true;

  get verified(): boolean {
    return this.#verified;
  }
}

/** Evidence that whoever sent a ClientHello knows the key that it names: no step that uses the key goes without it. */
export type BindersVerified = BindersProof;

/**
 * RFC 8446 4.2.11.2: binder = HMAC(finished_key, Transcript-Hash(Truncate(ClientHello1))); after a HelloRetryRequest
 * the hash goes over ClientHello1 (as its hash), HelloRetryRequest and Truncate(ClientHello2). `truncated` is the
 * ClientHello, header included, up to and without its binders; the transcript does not have it yet.
 */
export function computeBinder(
  crypto: CryptoProvider,
  psk: Psk,
  transcript: Transcript,
  truncated: Uint8Array,
): Secret {
  const early = new EarlyStage(crypto, psk.suite, psk.secret);
  const key = early.binderKey(LABELS[psk.kind]);
  const hash = transcript.hashWith(psk.suite.hash, truncated);
  const binder = new Deriver(crypto, psk.suite).finished(key, hash);
  early.wipe();
  key.wipe();
  return binder;
}

/** RFC 8446 4.2.11: "Prior to accepting PSK key establishment, the server MUST validate the corresponding binder". */
export function checkBinder(
  crypto: CryptoProvider,
  psk: Psk,
  transcript: Transcript,
  truncated: Uint8Array,
  received: Uint8Array,
): BindersVerified {
  const expected = computeBinder(crypto, psk, transcript, truncated);
  const holds = expected.equals(received);
  expected.wipe();
  if (!holds) fail('incorrect-binder');
  return new BindersProof();
}
