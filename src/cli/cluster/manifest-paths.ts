/** Where the API keeps objects of a kind. */
export interface ApiPlace {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' };
const ADMISSION = { group: 'admissionregistration.k8s.io', version: 'v1' };
const CORE = { group: '', version: 'v1' };

/** Every kind that deploy/k8s has. */
const PLACES = {
  Namespace: { ...CORE, resource: 'namespaces', namespaced: false },
  CustomResourceDefinition: {
    ...{ group: 'apiextensions.k8s.io', version: 'v1' },
    ...{ resource: 'customresourcedefinitions', namespaced: false },
  },
  ClusterRole: { ...RBAC, resource: 'clusterroles', namespaced: false },
  ClusterRoleBinding: { ...RBAC, resource: 'clusterrolebindings', namespaced: false },
  Role: { ...RBAC, resource: 'roles', namespaced: true },
  RoleBinding: { ...RBAC, resource: 'rolebindings', namespaced: true },
  ServiceAccount: { ...CORE, resource: 'serviceaccounts', namespaced: true },
  ConfigMap: { ...CORE, resource: 'configmaps', namespaced: true },
  Service: { ...CORE, resource: 'services', namespaced: true },
  Deployment: { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true },
  NetworkPolicy: { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies', namespaced: true },
  MutatingWebhookConfiguration: {
    ...ADMISSION,
    resource: 'mutatingwebhookconfigurations',
    namespaced: false,
  },
  ValidatingAdmissionPolicy: { ...ADMISSION, resource: 'validatingadmissionpolicies', namespaced: false },
  ValidatingAdmissionPolicyBinding: {
    ...ADMISSION,
    ...{ resource: 'validatingadmissionpolicybindings', namespaced: false },
  },
} as const satisfies Record<string, ApiPlace>;

export type InstalledKind = keyof typeof PLACES;

/** In the order in which they are made: what others need first, and what asks for the controller last. */
export const INSTALLED_KINDS = Object.keys(PLACES) as readonly InstalledKind[];

export function isInstalledKind(kind: string): kind is InstalledKind {
  return Object.hasOwn(PLACES, kind);
}

export function apiPathOf(kind: InstalledKind): ApiPlace {
  return PLACES[kind];
}
