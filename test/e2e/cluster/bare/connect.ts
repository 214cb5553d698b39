import { rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster, ClusterHandle, CommandOptions } from '../cluster.ts';
import { before } from './network.ts';
import { eventually, expectGone, run, sallyport } from '../command.ts';

/** Enters a running cluster, from any process of root's. */
export function connectBare({ nodes, access }: ClusterHandle): Cluster {
  const { folder = '', bin = '', helm = '', init = '' } = access;
  const networkOf = (node: string): string =>
    node === nodes[0] ? `/proc/${init}/ns/net` : `/proc/${init}/root/run/netns/${node}`;
  const onNode = (node: string, command: readonly string[], options?: CommandOptions): Promise<string> =>
    run(['nsenter', `--net=${networkOf(node)}`, '--', ...command], options);
  const kubectl = join(bin, 'kubectl');
  const kubeconfig = `--kubeconfig=${join(folder, 'admin.conf')}`;
  const kubectlHere = (args: readonly string[], options?: CommandOptions): Promise<string> =>
    onNode(nodes[0] ?? '', [kubectl, kubeconfig, ...args], options);
  return {
    nodes,
    onNode,
    kubectl: kubectlHere,
    sallyport: (args, options) =>
      onNode(nodes[0] ?? '', sallyport(join(folder, 'admin.conf'), args, options), options),
    helm: (args, options) => onNode(nodes[0] ?? '', [helm, kubeconfig, ...args], options),
    // host-local gives the address after the one that it gave last; the first range is IPv4's.
    nextPodAddress: (node, address) =>
      writeFile(join(folder, node, 'cni-addresses/pods/last_reserved_ip.0'), before(address)),
    tokenKey: () => readFile(join(folder, 'pki/sa.key'), 'utf8'),
    stopApiServer: async () => {
      // init.sh looks for it.
      const order = join(folder, 'apiserver-stopped');
      writeFileSync(order, '');
      await eventually(() => expectGone(() => kubectlHere(['get', '--raw', '/readyz'])));
      return async () => {
        rmSync(order);
        await eventually(() => kubectlHere(['get', '--raw', '/readyz']), 240_000);
      };
    },
    loadImage: async (archive) => {
      for (const node of nodes) {
        const socket = join(folder, node, 'containerd.sock');
        await run(['ctr', '--address', socket, '--namespace', 'k8s.io', 'images', 'import', archive]);
      }
    },
  };
}
