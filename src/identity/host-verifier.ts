import type { PeerVerifier } from '#handshake';
import { type Clock, err, ok, type ReadableWatch } from '#runtime';
import type { ReferenceName } from './path/host-name.ts';
import type { RevocationInput } from './path/revocation.ts';
import { verifyHost } from './path/verify-host.ts';
import type { WeakKeyList } from './path/weak-keys/block-list.ts';
import type { WebRoots } from './path/web-roots.ts';

export interface HostVerifierConfig {
  /** The newest roots are read at each verification. */
  readonly roots: ReadableWatch<WebRoots>;
  /** The host that is wanted; `text` is how the operator wrote it. */
  readonly name: ReferenceName;
  readonly text: string;
  readonly clock: Clock;
  readonly revocation?: RevocationInput;
  readonly weakKeys?: WeakKeyList;
}

/** Believes servers of the web that present the wanted name under a public root. Never for peers of a mesh. */
export function hostVerifier(config: HostVerifierConfig): PeerVerifier {
  const { roots, name, text, clock, revocation, weakKeys } = config;
  return {
    verify(presented) {
      const host = verifyHost(presented, name, {
        roots: roots.value,
        time: clock.now(),
        ...(revocation === undefined ? {} : { revocation }),
        ...(weakKeys === undefined ? {} : { weakKeys }),
      });
      if (!host.ok) {
        const { reason, detail } = host.error;
        return err({ reason, detail: `presented: ${detail}; expected: host ${text}; ${reason.next}` });
      }
      const { leaf } = host.value;
      return ok({
        identity: text,
        publicKey: leaf.publicKey.spki,
        keyType: leaf.publicKey.type,
        serial: leaf.serial,
        notAfter: leaf.notAfter,
      });
    },
  };
}
