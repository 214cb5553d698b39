import { type KubernetesApi, statusText } from './api.ts';

/** Kubernetes takes an object away when its owner has gone. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A ClusterRole as an owner: cluster-scoped, so that what it owns may be in any namespace. Rejects if there is none. */
export async function ownerOf(api: KubernetesApi, clusterRole: string): Promise<OwnerReference> {
  const found = await api.send('GET', `/apis/${GROUP}/clusterroles/${clusterRole}`);
  const uid = (found.body as { metadata?: { uid?: string } } | undefined)?.metadata?.uid;
  if (found.status !== 200 || uid === undefined) {
    throw new Error(
      `the ClusterRole ${clusterRole} (names.owner), which what is made at run time belongs to, can't be read: ${statusText(found)}`,
    );
  }
  return { apiVersion: GROUP, kind: 'ClusterRole', name: clusterRole, uid };
}

/** The field of an object's metadata; none without an owner. */
export function ownedBy(owner: OwnerReference | undefined): {
  readonly ownerReferences?: readonly OwnerReference[];
} {
  return owner === undefined ? {} : { ownerReferences: [owner] };
}

const GROUP = 'rbac.authorization.k8s.io/v1';
