import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import type { Namespace } from './namespace.ts';

const KILL = `
for environment in /proc/[0-9]*/environ; do
  if grep -qzx "SALLYPORT_NAMESPACE=$1" "$environment" && grep -qzx "SALLYPORT_POD=$2" "$environment"; then
    process=\${environment%/environ}; kill -KILL "\${process#/proc/}" && echo killed
  fi
done 2>/dev/null`;

/** By the pod's node, since process 1 of a container takes no SIGKILL from inside. */
export async function killSidecar(cluster: Cluster, namespace: Namespace, pod: string): Promise<void> {
  const node = await namespace.field(`pod/${pod}`, '.spec.nodeName');
  const said = await cluster.onNode(node, ['sh', '-c', KILL, 'sh', namespace.name, pod]).catch(String);
  expect(said).toContain('killed');
}
