import { concat } from '#runtime';
import type { ClientConfig } from '../../config.ts';
import { encodeBinders, encodeOfferedPsks, type PskIdentity } from '../../extensions/pre-shared-key.ts';
import type { Parameters } from '../../parameters.ts';
import type { Port } from '../../port.ts';
import { type HashName, SUITES } from '../../suites.ts';
import { importPsk } from '../../tickets/external-psk.ts';
import type { ClientSession } from '../../tickets/session-cache.ts';
import type { VerifiedPeer } from '../../verify/peer-verifier.ts';
import type { ChainVerified } from '../../verify/verdict.ts';
import { computeBinder, type Psk } from '../psk.ts';

/** A session whose server is believed today. */
export interface UsableSession {
  readonly session: ClientSession;
  readonly chain: ChainVerified<VerifiedPeer>;
}

interface OfferedKey {
  readonly identity: Uint8Array;
  readonly psk: Psk;
  /** RFC 8446 4.2.11.1, at the time of sending. */
  readonly obfuscatedAge: () => number;
}

/** RFC 8446 4.2.11: the keys that a ClientHello offers: one session, or those from outside. */
export class PskOffer {
  readonly keys: readonly OfferedKey[];
  readonly usable: UsableSession | undefined;

  private constructor(keys: readonly OfferedKey[], usable: UsableSession | undefined) {
    this.keys = keys;
    this.usable = usable;
  }

  static ofSession(usable: UsableSession, config: ClientConfig): PskOffer {
    const { session } = usable;
    const { clock } = config.sessions!.cache;
    const key: OfferedKey = {
      identity: session.ticket,
      psk: { kind: 'resumption', secret: session.secret, suite: SUITES[session.suite] },
      obfuscatedAge: () => (Math.round(clock.monotonic() - session.receivedAt) + session.ageAdd) % 2 ** 32,
    };
    return new PskOffer([key], usable);
  }

  /** Undefined without any that fits a suite that is offered. */
  static ofExternal(config: ClientConfig, parameters: Parameters): PskOffer | undefined {
    const hashes = new Set<HashName>(parameters.suites.map((name) => SUITES[name].hash));
    const keys = (config.externalPsks ?? []).flatMap((external) =>
      importPsk(config.crypto, external).flatMap((imported): OfferedKey[] => {
        const { identity, secret, suite } = imported;
        if (!hashes.has(suite.hash)) return [];
        // "For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used".
        return [{ identity, psk: { kind: 'imported', secret, suite }, obfuscatedAge: () => 0 }];
      }),
    );
    return keys.length === 0 ? undefined : new PskOffer(keys, undefined);
  }

  /** RFC 8446 4.1.4: after a retry only keys of the hash that the server chose may be offered. */
  narrow(hash: HashName): PskOffer | undefined {
    const keys = this.keys.filter(({ psk }) => psk.suite.hash === hash);
    return keys.length === 0 ? undefined : new PskOffer(keys, this.usable);
  }

  /** The extension with binders of the right length, all zero. */
  encode(): Uint8Array {
    const identities = this.keys.map(
      ({ identity, obfuscatedAge }): PskIdentity => ({ identity, obfuscatedAge: obfuscatedAge() }),
    );
    return encodeOfferedPsks(identities, this.#blank());
  }

  /** The ClientHello (header included) with its binders: the extension is the last, the binders are its end. */
  bind(message: Uint8Array, port: Port): Uint8Array {
    const truncated = message.subarray(0, message.length - encodeBinders(this.#blank()).length);
    const binders = this.keys.map(({ psk }) =>
      computeBinder(port.crypto, psk, port.transcript, truncated).expose(),
    );
    return concat(truncated, encodeBinders(binders));
  }

  wipe(): void {
    for (const { psk } of this.keys) psk.secret.wipe();
  }

  #blank(): readonly Uint8Array[] {
    return this.keys.map(({ psk }) => new Uint8Array(psk.suite.hashLength));
  }
}
