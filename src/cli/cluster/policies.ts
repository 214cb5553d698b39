import { compilePolicySet, type PolicyProblem, type PolicySet, readObject } from '#policy';
import type { Cluster } from './cluster.ts';
import type { Installation } from './installation.ts';

/** A MeshPolicy or a MeshTLS as the API server has it. */
export interface MeshObject {
  readonly kind: 'MeshPolicy' | 'MeshTLS';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: unknown;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly wouldDeny?: {
      readonly total?: number;
      readonly callers?: readonly { readonly caller?: string }[];
    };
    readonly plaintextPeers?: {
      readonly total?: number;
      readonly peers?: readonly { readonly address?: string; readonly name?: string }[];
    };
    readonly readyForStrict?: boolean;
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const API_VERSION = 'mesh.sallyport.dev/v1alpha1';
const KINDS = { MeshPolicy: 'meshpolicies', MeshTLS: 'meshtlses' } as const;

/** All of them, or those of one namespace. None where the kinds aren't installed. */
export async function meshObjects(cluster: Cluster, namespace?: string): Promise<readonly MeshObject[]> {
  const place = namespace === undefined ? '' : `namespaces/${namespace}/`;
  const lists = await Promise.all(
    (Object.keys(KINDS) as (keyof typeof KINDS)[]).map(async (kind) => {
      const items = await cluster.list<Omit<MeshObject, 'kind'>>(
        `/apis/${API_VERSION}/${place}${KINDS[kind]}`,
      );
      return items.map((item): MeshObject => ({ ...item, kind }));
    }),
  );
  return lists.flat();
}

export interface ClusterPolicies {
  readonly set: PolicySet;
  /** Objects that can't be read are not in the set. */
  readonly problems: readonly PolicyProblem[];
}

/**
 * The policies of a cluster, each read by itself as its controller does it, with what holds where none speaks. What the
 * controller keeps of an object that has a mistake, its last good version, only it knows: here such an object is left out.
 */
export function compileObjects(
  objects: readonly MeshObject[],
  { settings, namespace }: Installation,
): ClusterPolicies {
  const context = {
    defaults: settings.injection?.settings.defaults ?? FRESH_DEFAULTS,
    trustDomain: settings.trustDomain,
    rootNamespace: namespace,
  };
  const read = objects.map((object) => readObject(object, context));
  const documents = read.flatMap(({ told }) => (told === undefined ? [] : [told.document]));
  return {
    set: compilePolicySet(documents, context, 1, []),
    problems: read.flatMap(({ problems }) => problems),
  };
}

/** Of an installation without injection. */
const FRESH_DEFAULTS = { tlsMode: 'Permissive', unselected: 'AllowAuthenticated' } as const;
