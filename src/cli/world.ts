import { Cluster } from './cluster/cluster.ts';
import { hasKubeconfig } from './cluster/kubeconfig.ts';
import { findMesh, NoMeshRunning } from './control/find-mesh.ts';
import type { UpRecord } from './control/up-record.ts';
import { UsageError } from './usage-error.ts';
import { printableLine } from './view/printable.ts';

/** What the user said of which mesh is meant: one of this machine (`up`), or that of a cluster. */
export interface WorldChoice {
  readonly file: string | undefined;
  readonly state: string | undefined;
  readonly cluster: boolean;
  readonly context: string | undefined;
  /** The controller's. */
  readonly namespace: string;
  /** Named places (NAMESPACE/NAME), which only a cluster has. */
  readonly places: readonly string[];
}

export type World =
  | { readonly kind: 'embedded'; readonly mesh: UpRecord }
  | { readonly kind: 'cluster'; readonly cluster: Cluster };

/**
 * The mesh that is meant. What is named decides; if nothing is, a mesh that runs on this machine comes before the cluster
 * of the kubeconfig, and standard error says which of them is shown. Rejects with a UsageError that says what to do.
 */
export async function chooseWorld(choice: WorldChoice, env: NodeJS.ProcessEnv): Promise<World> {
  const { file, state, cluster, context, namespace, places } = choice;
  const local = file !== undefined || state !== undefined;
  const far = cluster || context !== undefined || places.length > 0;
  if (local && far) {
    throw new UsageError(
      '-f and --state name a mesh of this machine; --cluster, --context and NAMESPACE/NAME one of a cluster. Say one of both.',
    );
  }
  if (far) return { kind: 'cluster', cluster: new Cluster({ namespace, context }) };
  try {
    return { kind: 'embedded', mesh: await findMesh({ file, state }, env) };
  } catch (error) {
    if (!(error instanceof NoMeshRunning)) throw error;
    if (!hasKubeconfig()) throw new UsageError(`${error.message} For a mesh in Kubernetes, set KUBECONFIG.`);
  }
  const found = new Cluster({ namespace, context });
  const line = `No mesh runs on this machine: this is the cluster of context ${found.context}.`;
  process.stderr.write(`${printableLine(line)}\n`);
  return { kind: 'cluster', cluster: found };
}
