import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import type { Namespace } from './namespace.ts';

const SIGNAL = `
for environment in /proc/[0-9]*/environ; do
  if grep -qzx "SALLYPORT_NAMESPACE=$1" "$environment" && grep -qzx "SALLYPORT_POD=$2" "$environment"; then
    process=\${environment%/environ}; kill "-$3" "\${process#/proc/}" && echo told
  fi
done 2>/dev/null`;

/** By the pod's node, since process 1 of a container takes no SIGKILL from inside. */
export async function killSidecar(cluster: Cluster, namespace: Namespace, pod: string): Promise<void> {
  await signal(cluster, 'KILL', {
    node: await namespace.field(`pod/${pod}`, '.spec.nodeName'),
    namespace: namespace.name,
    pod,
  });
}

/** A program of ours, the sidecar or the controller, by where it runs. */
export interface Place {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
}

export async function signal(
  cluster: Cluster,
  name: 'KILL' | 'STOP' | 'CONT',
  { node, namespace, pod }: Place,
): Promise<void> {
  const said = await cluster.onNode(node, ['sh', '-c', SIGNAL, 'sh', namespace, pod, name]).catch(String);
  expect(said).toContain('told');
}
