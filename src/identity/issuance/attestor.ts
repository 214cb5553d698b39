import type { Result } from '#runtime';
import type { RpcRefusal } from '#rpc';
import type { SpiffeId } from '../spiffe-id.ts';
import type { PodIdentity } from '../x509/extensions/pod-identity.ts';

/** A pod that proved itself with a token. Nothing here comes from the request but through Kubernetes. */
export interface AttestedPod {
  readonly identity: SpiffeId;
  readonly pod: PodIdentity;
  readonly token: { readonly id: string; readonly expiresAt: number };
  /** How often the sidecar's container was started again. */
  readonly run: number;
}

/** Who knows the pods: Kubernetes, or a fake in tests. */
export interface Attestor {
  /** Judges a token that came from `remoteAddress`, which must be the pod's own. May wait for Kubernetes to know it. */
  attest(token: string, remoteAddress: string, signal: AbortSignal): Promise<Result<AttestedPod, RpcRefusal>>;
  /** Whether the pod of a certificate is still there, unchanged, and has the address. */
  confirm(pod: PodIdentity, remoteAddress: string): Result<void, RpcRefusal>;
}
