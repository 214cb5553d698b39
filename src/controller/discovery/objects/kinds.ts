import type { V1EndpointSlice } from '@kubernetes/client-node';
import type { ObjectChange, ObjectKey, ObjectKind } from '../graph/records.ts';
import { sliceRecord } from './endpoint-slice.ts';
import { nodeRecord } from './node.ts';
import { podRecord } from './pod.ts';
import { serviceNetworksRecord } from './service-cidr.ts';
import { serviceRecord } from './service.ts';

/** Where the API server has each kind. The controller's role lets it get, list and watch these. */
export const PATHS: Readonly<Record<FollowedKind, string>> = {
  pods: '/api/v1/pods',
  services: '/api/v1/services',
  endpointslices: '/apis/discovery.k8s.io/v1/endpointslices',
  nodes: '/api/v1/nodes',
  servicecidrs: '/apis/networking.k8s.io/v1/servicecidrs',
  meshpolicies: '/apis/mesh.sallyport.dev/v1alpha1/meshpolicies',
  meshtlses: '/apis/mesh.sallyport.dev/v1alpha1/meshtlses',
};

/** Kinds of policies: not part of the graph, and kept whole by who judges them. */
export const POLICY_KINDS = { meshpolicies: 'MeshPolicy', meshtlses: 'MeshTLS' } as const;

export type PolicyKind = keyof typeof POLICY_KINDS;
export type FollowedKind = ObjectKind | PolicyKind;

export function isPolicyKind(kind: FollowedKind): kind is PolicyKind {
  return Object.hasOwn(POLICY_KINDS, kind);
}

export const KINDS = [
  'pods',
  'services',
  'endpointslices',
  'nodes',
  'servicecidrs',
  'meshpolicies',
  'meshtlses',
] as const satisfies readonly FollowedKind[];

/** Kinds that a cluster may not have: ServiceCIDR is served from Kubernetes 1.33 on, ours with their chart. */
export const OPTIONAL: ReadonlySet<FollowedKind> = new Set(['servicecidrs', 'meshpolicies', 'meshtlses']);

/** What is kept of an object; the rest of it goes at once. `object` undefined: it is gone. */
export function trim(kind: ObjectKind, key: ObjectKey, object: object | undefined): ObjectChange {
  switch (kind) {
    case 'pods':
      return { kind, key, record: object === undefined ? undefined : podRecord(object) };
    case 'services':
      return { kind, key, record: object === undefined ? undefined : serviceRecord(object) };
    case 'endpointslices':
      return { kind, key, record: object === undefined ? undefined : sliceRecord(object as V1EndpointSlice) };
    case 'nodes':
      return { kind, key, record: object === undefined ? undefined : nodeRecord(object) };
    case 'servicecidrs':
      return { kind, key, record: object === undefined ? undefined : serviceNetworksRecord(object) };
  }
}
