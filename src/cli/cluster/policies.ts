import { stringify } from 'yaml';
import { formatProblem, type PolicyProblem, type PolicySet, readPolicies } from '#policy';
import type { Cluster } from './cluster.ts';
import type { Installation } from './installation.ts';

/** A MeshPolicy or a MeshTLS as the API server has it. */
export interface MeshObject {
  readonly kind: 'MeshPolicy' | 'MeshTLS';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: unknown;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly wouldDeny?: unknown;
    readonly plaintextPeers?: unknown;
    readonly readyForStrict?: unknown;
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

export function objectName({ kind, metadata }: MeshObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

export interface ClusterPolicies {
  readonly set: PolicySet;
  /** Objects that can't be read are not in the set. */
  readonly problems: readonly PolicyProblem[];
}

/** The policies of a cluster, compiled as its controller does it, with what holds where none speaks. */
export function compileObjects(
  objects: readonly MeshObject[],
  { settings, namespace }: Installation,
): ClusterPolicies {
  const context = {
    defaults: settings.injection?.settings.defaults ?? FRESH_DEFAULTS,
    trustDomain: settings.trustDomain,
    rootNamespace: namespace,
  };
  const files = objects.map((object) => {
    const { kind, metadata, spec } = object;
    const { name, namespace } = metadata;
    const document = { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec };
    return { file: objectName(object), text: stringify(document) };
  });
  const whole = readPolicies(files, context, 1, []);
  if (whole.set !== undefined) return { set: whole.set, problems: whole.problems };
  const bad = new Set(whole.problems.flatMap(({ severity, file }) => (severity === 'error' ? [file] : [])));
  const rest = readPolicies(
    files.filter(({ file }) => !bad.has(file)),
    context,
    1,
    [],
  );
  if (rest.set === undefined) throw new Error(rest.problems.map(formatProblem).join('\n'));
  return { set: rest.set, problems: whole.problems };
}

/** Of an installation without injection. */
const FRESH_DEFAULTS = { tlsMode: 'Permissive', unselected: 'AllowAuthenticated' } as const;
