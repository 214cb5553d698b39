import { serviceAccountId, type PodIdentity } from '#identity';
import {
  type AttestedPod,
  type Attestor,
  ISSUANCE_LIMITS,
  ISSUANCE_REASONS,
  refuseIssuance,
} from '#identity/issuance';
import type { RpcRefusal } from '#rpc';
import { type Clock, ok, type Result } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';
import { describePod, differsFrom } from './claimed-pod.ts';
import type { PodFacts, Pods } from './pods.ts';
import { readClaims } from './token.ts';

export interface KubernetesAttestorConfig {
  readonly api: KubernetesApi;
  readonly pods: Pods;
  /** Whether all pods were told once: before that, one that is not known may be there. */
  readonly synced: () => boolean;
  readonly audience: string;
  readonly trustDomain: string;
  /** The token is the pod's, and the caller is elsewhere. */
  readonly onMisuse?: (pod: PodIdentity, refusal: RpcRefusal) => void;
  readonly clock: Clock;
}

/** A pod asks as soon as it has a network; its address reaches the API server, and us, a little later. */
const ADDRESS_MILLISECONDS = 5000;

/** Who a pod is, by a token that Kubernetes made for it and by the address that it calls from. */
export class KubernetesAttestor implements Attestor {
  readonly #config: KubernetesAttestorConfig;

  constructor(config: KubernetesAttestorConfig) {
    this.#config = config;
  }

  async attest(
    token: string,
    remoteAddress: string,
    signal: AbortSignal,
  ): Promise<Result<AttestedPod, RpcRefusal>> {
    const { audience, clock, trustDomain } = this.#config;
    const claims = readClaims(token);
    if (!claims.ok) return refuseIssuance('token-malformed', claims.error);
    // Kubernetes judges both again; asking here first spares it the work and gives each its own reason.
    if (!claims.value.audiences.includes(audience)) {
      return refuseIssuance(
        'token-wrong-audience',
        `for ${claims.value.audiences.join(', ')}, not ${audience}`,
      );
    }
    if (claims.value.expiresAt <= clock.now()) {
      return refuseIssuance('token-expired', `at ${new Date(claims.value.expiresAt).toISOString()}`);
    }
    if (claims.value.expiresAt - clock.now() > ISSUANCE_LIMITS.tokenMilliseconds) {
      return refuseIssuance('token-too-long', `to ${new Date(claims.value.expiresAt).toISOString()}`);
    }
    const reviewed = await this.#review(token, signal);
    if (!reviewed.ok) return reviewed;
    const { pod, tokenId } = reviewed.value;
    await this.#known(pod, signal);
    const found = this.#at(pod, remoteAddress);
    if (!found.ok) {
      if (found.error.reason === ISSUANCE_REASONS['token-of-another-pod'])
        this.#config.onMisuse?.(pod, found.error);
      return found;
    }
    return ok({
      identity: serviceAccountId(trustDomain, pod.namespace, pod.serviceAccountName),
      pod,
      token: { id: tokenId, expiresAt: claims.value.expiresAt },
      run: found.value.restarts,
    });
  }

  confirm(pod: PodIdentity, remoteAddress: string): Result<void, RpcRefusal> {
    const found = this.#at(pod, remoteAddress);
    return found.ok ? ok(undefined) : found;
  }

  /** The same for a pod of which another replica may have heard a little earlier. */
  async confirmSoon(
    pod: PodIdentity,
    remoteAddress: string,
    signal: AbortSignal,
  ): Promise<Result<void, RpcRefusal>> {
    await this.#known(pod, signal);
    return this.confirm(pod, remoteAddress);
  }

  /** TokenReview for our audience; an API server that does not say that it looked at the audience is not believed. */
  async #review(token: string, signal: AbortSignal): Promise<Result<Reviewed, RpcRefusal>> {
    const { api, audience } = this.#config;
    const review = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [audience] },
    };
    let status: TokenReviewStatus;
    try {
      const answer = await api.send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review, signal);
      if (answer.status !== CREATED) return refuseIssuance('attestation-unavailable', statusText(answer));
      status = (answer.body as { status?: TokenReviewStatus }).status ?? {};
    } catch (error) {
      return refuseIssuance(
        'attestation-unavailable',
        error instanceof Error ? error.message : String(error),
      );
    }
    if (status.authenticated !== true) return refuseIssuance('token-refused', status.error ?? '');
    if (status.audiences?.includes(audience) !== true) {
      return refuseIssuance('token-wrong-audience', 'Kubernetes confirmed another audience, or none');
    }
    return readReviewed(status);
  }

  /** Waits until the pod can be judged: it has an address, or will have none. */
  #known(pod: PodIdentity, signal: AbortSignal): Promise<void> {
    const { pods } = this.#config;
    return this.#until(signal, () => {
      const found = pods.byUid(pod.podUid);
      return found !== undefined && (found.ended || found.addresses.length > 0 || found.hostNetwork);
    });
  }

  /** The pod, if it is who was claimed and has the address that the call came from. */
  #at(pod: PodIdentity, remoteAddress: string): Result<PodFacts, RpcRefusal> {
    const { pods, synced } = this.#config;
    const found = pods.byUid(pod.podUid);
    if (found === undefined && !synced()) {
      return refuseIssuance('attestation-unavailable', 'the pods of the cluster are not known yet');
    }
    if (found === undefined || found.ended) return refuseIssuance('pod-unknown', describePod(pod));
    const differs = differsFrom(found, pod);
    if (differs !== undefined) return differs;
    if (!found.addresses.includes(remoteAddress)) {
      return refuseIssuance('token-of-another-pod', elsewhere(pod, found, remoteAddress));
    }
    return ok(found);
  }

  /** Waits until `holds`, the time that an address may take, or the end of the call. */
  #until(signal: AbortSignal, holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    const { clock, pods } = this.#config;
    return new Promise((resolve) => {
      const end = (): void => {
        unsubscribe();
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const unsubscribe = pods.subscribe(() => {
        if (holds()) end();
      });
      const cancel = clock.after(ADDRESS_MILLISECONDS, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

const CREATED = 201;
const EXTRA = 'authentication.kubernetes.io/';

interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly error?: string;
  readonly audiences?: readonly string[];
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

interface Reviewed {
  readonly pod: PodIdentity;
  readonly tokenId: string;
}

function readReviewed({ user }: TokenReviewStatus): Result<Reviewed, RpcRefusal> {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user?.username ?? '');
  const extra = (name: string): string => user?.extra?.[EXTRA + name]?.[0] ?? '';
  const pod: PodIdentity = {
    namespace: account?.[1] ?? '',
    namespaceUid: '',
    serviceAccountName: account?.[2] ?? '',
    serviceAccountUid: user?.uid ?? '',
    podName: extra('pod-name'),
    podUid: extra('pod-uid'),
    nodeName: extra('node-name'),
    nodeUid: extra('node-uid'),
  };
  const tokenId = extra('credential-id');
  const needed = { ServiceAccount: pod.namespace, pod: pod.podUid, node: pod.nodeName, id: tokenId };
  const missing = Object.entries(needed).flatMap(([name, text]) => (text === '' ? [name] : []));
  if (missing.length > 0)
    return refuseIssuance('token-not-bound', `it says nothing of: ${missing.join(', ')}`);
  return ok({ pod, tokenId });
}

function elsewhere(pod: PodIdentity, { addresses }: PodFacts, remoteAddress: string): string {
  const own = addresses.length === 0 ? 'no address yet' : addresses.join(', ');
  return `${describePod(pod)} has ${own}; the call came from ${remoteAddress}`;
}
