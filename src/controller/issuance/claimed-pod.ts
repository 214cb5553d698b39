import type { PodIdentity } from '#identity';
import { refuseIssuance } from '#identity/issuance';
import type { RpcRefusal } from '#rpc';
import type { Result } from '#runtime';
import type { PodFacts } from './pods.ts';

/** Why the pod isn't what is claimed of it, or may have no identity at all; undefined: it is. */
export function differsFrom(found: PodFacts, pod: PodIdentity): Result<never, RpcRefusal> | undefined {
  if (found.hostNetwork) return refuseIssuance('pod-on-host-network', describePod(pod));
  const claims = [
    ['namespace', found.namespace, pod.namespace],
    ['name', found.name, pod.podName],
    ['ServiceAccount', found.serviceAccount, pod.serviceAccountName],
    ['node', found.nodeName, pod.nodeName],
  ] as const;
  const wrong = claims.find(([, is, claimed]) => is !== claimed);
  if (wrong === undefined) return undefined;
  const [what, is, claimed] = wrong;
  return refuseIssuance('pod-differs', `${describePod(pod)} has ${what} ${is}, not ${claimed}`);
}

export function describePod({ namespace, podName, podUid }: PodIdentity): string {
  return `pod ${namespace}/${podName} (${podUid})`;
}
