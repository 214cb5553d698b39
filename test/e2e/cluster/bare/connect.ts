import { join } from 'node:path';
import type { Cluster, ClusterHandle, CommandOptions } from '../cluster.ts';
import { run } from '../command.ts';

/** Enters a running cluster, from any process of root's. */
export function connectBare({ nodes, access }: ClusterHandle): Cluster {
  const { folder = '', bin = '', init = '' } = access;
  const networkOf = (node: string): string =>
    node === nodes[0] ? `/proc/${init}/ns/net` : `/proc/${init}/root/run/netns/${node}`;
  const onNode = (node: string, command: readonly string[], options?: CommandOptions): Promise<string> =>
    run(['nsenter', `--net=${networkOf(node)}`, '--', ...command], options);
  const kubectl = join(bin, 'kubectl');
  const kubeconfig = `--kubeconfig=${join(folder, 'admin.conf')}`;
  return {
    nodes,
    onNode,
    kubectl: (args, options) => onNode(nodes[0] ?? '', [kubectl, kubeconfig, ...args], options),
    loadImage: async (archive) => {
      for (const node of nodes) {
        const socket = join(folder, node, 'containerd.sock');
        await run(['ctr', '--address', socket, '--namespace', 'k8s.io', 'images', 'import', archive]);
      }
    },
  };
}
