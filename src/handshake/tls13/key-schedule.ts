import { EMPTY } from '#runtime';
import { hkdfExpand, hkdfExtract } from '../crypto/hkdf.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import { Secret } from '../crypto/secret.ts';
import type { Suite } from '../suites.ts';

/**
 * RFC 8446 7.1, a class a stage: each stage offers just the secrets that may be derived at that point, and turning
 * into the next one wipes what isn't needed any more.
 */
export class EarlyStage {
  readonly #deriver: Deriver;
  readonly #secret: Secret;

  /** Early Secret = HKDF-Extract(0, PSK); without a PSK that is a string of zeros. The PSK stays its owner's. */
  constructor(crypto: CryptoProvider, suite: Suite, psk?: Secret) {
    this.#deriver = new Deriver(crypto, suite);
    const zeros = new Uint8Array(suite.hashLength);
    this.#secret = this.#deriver.extract(zeros, psk?.expose() ?? zeros);
  }

  /** binder_key = Derive-Secret(., "ext binder" | "res binder" | "imp binder", ""). The last is RFC 9258 5.2. */
  binderKey(label: BinderLabel): Secret {
    return this.#deriver.deriveSecret(this.#secret, label, this.#deriver.emptyHash());
  }

  /** client_early_traffic_secret = Derive-Secret(., "c e traffic", ClientHello). */
  clientTraffic(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 'c e traffic', transcriptHash);
  }

  /** early_exporter_master_secret = Derive-Secret(., "e exp master", ClientHello). */
  exporter(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 'e exp master', transcriptHash);
  }

  /** Handshake Secret = HKDF-Extract(Derive-Secret(., "derived", ""), (EC)DHE). */
  intoHandshake(shared: Secret): HandshakeStage {
    const salt = this.#deriver.deriveSecret(this.#secret, 'derived', this.#deriver.emptyHash());
    const secret = this.#deriver.extract(salt.expose(), shared.expose());
    wipe(this.#secret, salt, shared);
    return new HandshakeStage(this.#deriver, secret);
  }

  wipe(): void {
    wipe(this.#secret);
  }
}

export type BinderLabel = 'ext binder' | 'res binder' | 'imp binder';

export class HandshakeStage {
  readonly #deriver: Deriver;
  readonly #secret: Secret;

  constructor(deriver: Deriver, secret: Secret) {
    this.#deriver = deriver;
    this.#secret = secret;
  }

  /** client_handshake_traffic_secret = Derive-Secret(., "c hs traffic", ClientHello...ServerHello). */
  clientTraffic(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 'c hs traffic', transcriptHash);
  }

  /** server_handshake_traffic_secret = Derive-Secret(., "s hs traffic", ClientHello...ServerHello). */
  serverTraffic(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 's hs traffic', transcriptHash);
  }

  /** Master Secret = HKDF-Extract(Derive-Secret(., "derived", ""), 0). */
  intoMaster(): MasterStage {
    const salt = this.#deriver.deriveSecret(this.#secret, 'derived', this.#deriver.emptyHash());
    const secret = this.#deriver.extract(salt.expose(), new Uint8Array(this.#deriver.suite.hashLength));
    wipe(this.#secret, salt);
    return new MasterStage(this.#deriver, secret);
  }

  wipe(): void {
    wipe(this.#secret);
  }
}

export class MasterStage {
  readonly #deriver: Deriver;
  readonly #secret: Secret;

  constructor(deriver: Deriver, secret: Secret) {
    this.#deriver = deriver;
    this.#secret = secret;
  }

  /** client_application_traffic_secret_0 = Derive-Secret(., "c ap traffic", ClientHello...server Finished). */
  clientTraffic(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 'c ap traffic', transcriptHash);
  }

  /** server_application_traffic_secret_0 = Derive-Secret(., "s ap traffic", ClientHello...server Finished). */
  serverTraffic(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 's ap traffic', transcriptHash);
  }

  /** exporter_master_secret = Derive-Secret(., "exp master", ClientHello...server Finished). */
  exporter(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 'exp master', transcriptHash);
  }

  /** resumption_master_secret = Derive-Secret(., "res master", ClientHello...client Finished). */
  resumption(transcriptHash: Uint8Array): Secret {
    return this.#deriver.deriveSecret(this.#secret, 'res master', transcriptHash);
  }

  wipe(): void {
    wipe(this.#secret);
  }
}

/** HKDF (RFC 5869) with the labels of TLS 1.3. */
export class Deriver {
  readonly suite: Suite;
  readonly #crypto: CryptoProvider;

  constructor(crypto: CryptoProvider, suite: Suite) {
    this.#crypto = crypto;
    this.suite = suite;
  }

  emptyHash(): Uint8Array {
    return this.#crypto.hash(this.suite.hash, EMPTY);
  }

  /** RFC 5869 2.2. */
  extract(salt: Uint8Array, keyMaterial: Uint8Array): Secret {
    return new Secret(hkdfExtract(this.#crypto, this.suite.hash, salt, keyMaterial));
  }

  /** RFC 8446 7.1: Derive-Secret(Secret, Label, Messages), given the hash of the messages. */
  deriveSecret(secret: Secret, label: string, transcriptHash: Uint8Array): Secret {
    return new Secret(this.expandLabel(secret, label, transcriptHash, this.suite.hashLength));
  }

  /** RFC 8446 7.1: HKDF-Expand-Label(Secret, Label, Context, Length). */
  expandLabel(secret: Secret, label: string, context: Uint8Array, length: number): Uint8Array {
    return hkdfExpand(
      this.#crypto,
      this.suite.hash,
      secret.expose(),
      hkdfLabel(label, context, length),
      length,
    );
  }

  /** RFC 8446 4.4.4: HMAC(finished_key, transcript hash). */
  finished(baseKey: Secret, transcriptHash: Uint8Array): Secret {
    const finishedKey = this.expandLabel(baseKey, 'finished', EMPTY, this.suite.hashLength);
    const verifyData = this.#crypto.hmac(this.suite.hash, finishedKey, transcriptHash);
    finishedKey.fill(0);
    return new Secret(verifyData);
  }

  /** RFC 8446 4.6.1: PSK = HKDF-Expand-Label(resumption_master_secret, "resumption", ticket_nonce, Hash.length). */
  ticketPsk(resumption: Secret, nonce: Uint8Array): Secret {
    return new Secret(this.expandLabel(resumption, 'resumption', nonce, this.suite.hashLength));
  }

  /** RFC 8446 7.2: application_traffic_secret_N+1. */
  nextTraffic(secret: Secret): Secret {
    return new Secret(this.expandLabel(secret, 'traffic upd', EMPTY, this.suite.hashLength));
  }
}

const PREFIX = 'tls13 ';

/** RFC 8446 7.1: HkdfLabel. Some forty of them are made in a handshake, so it is written in one go. */
function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  const name = PREFIX + label;
  if (length > 0xffff || name.length > 0xff || context.length > 0xff) {
    throw new RangeError(`"${name}" with ${context.length} bytes of context cannot give ${length} bytes`);
  }
  const info = new Uint8Array(2 + 1 + name.length + 1 + context.length);
  info[0] = length >> 8;
  info[1] = length & 0xff;
  info[2] = name.length;
  for (let index = 0; index < name.length; index += 1) info[3 + index] = name.charCodeAt(index);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  return info;
}

function wipe(...secrets: readonly Secret[]): void {
  for (const secret of secrets) secret.wipe();
}
