import type { PodIdentity, SpiffePeer } from '#identity';
import { refuseIssuance, refuseRevoked, type Revocation } from '#identity/issuance';
import type { RpcConnection, RpcRefusal } from '#rpc';
import type { ReadableWatch, Result, Scope } from '#runtime';
import type { Pods } from './pods.ts';

export interface StandingConfig {
  readonly attestor: {
    confirmSoon(
      pod: PodIdentity,
      remoteAddress: string,
      signal: AbortSignal,
    ): Promise<Result<void, RpcRefusal>>;
  };
  readonly pods: Pods;
  readonly revocations: ReadableWatch<readonly Revocation[]>;
  /** All that are open. */
  readonly connections: () => Iterable<RpcConnection<SpiffePeer>>;
}

/**
 * Whether who holds a certificate still stands for its pod: it is there, at that address, and nothing of it is revoked. A
 * certificate outlives that by hours, so each call asks, and a connection ends when it is over.
 */
export class Standing {
  readonly #config: StandingConfig;
  readonly #ofPod = new Map<string, Set<RpcConnection>>();

  constructor(config: StandingConfig) {
    this.#config = config;
  }

  /** Why nobody but the authority answers it any more; undefined: it stands, or showed no certificate. */
  async refusal(connection: RpcConnection<SpiffePeer>, signal: AbortSignal): Promise<RpcRefusal | undefined> {
    const { peer, remoteAddress } = connection;
    if (peer === undefined) return undefined;
    const { attestor, revocations } = this.#config;
    const { pod, serial } = peer;
    if (pod === undefined) return errorOf(refuseIssuance('certificate-names-no-pod', `serial ${serial}`));
    // Before the pod is judged, so that it can't go unnoticed in between.
    this.#remember(pod.podUid, connection);
    const confirmed = await attestor.confirmSoon(pod, remoteAddress, signal);
    return errorOf(confirmed) ?? errorOf(refuseRevoked(revocations.value, peer));
  }

  /** Ends connections whose pod is gone, or that are revoked, until the scope ends. */
  run(scope: Scope): void {
    const { connections, pods, revocations } = this.#config;
    scope.defer(
      pods.subscribe((gone) => {
        if (gone === undefined) return;
        for (const connection of this.#ofPod.get(gone) ?? []) connection.end();
      }),
    );
    scope.defer(
      revocations.subscribe((revoked) => {
        for (const connection of connections()) {
          const { peer } = connection;
          if (peer !== undefined && refuseRevoked(revoked, peer) !== undefined) connection.end();
        }
      }),
    );
  }

  #remember(podUid: string, connection: RpcConnection): void {
    const ofPod = this.#ofPod.get(podUid) ?? new Set();
    if (connection.signal.aborted || ofPod.has(connection)) return;
    this.#ofPod.set(podUid, ofPod.add(connection));
    const forget = (): void => {
      ofPod.delete(connection);
      if (ofPod.size === 0) this.#ofPod.delete(podUid);
    };
    connection.signal.addEventListener('abort', forget, { once: true });
  }
}

function errorOf(result: Result<unknown, RpcRefusal> | undefined): RpcRefusal | undefined {
  return result?.ok === false ? result.error : undefined;
}
