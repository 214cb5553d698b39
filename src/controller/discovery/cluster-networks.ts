import { type Cidr, parseCidr } from '#policy';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';

const PATH = '/apis/networking.k8s.io/v1/servicecidrs';

/**
 * The networks of Services, as Kubernetes 1.33 and newer say them. Those of pods come with the nodes. Rejects when they
 * can't be known: an address of a Service that is not known yet would pass for one outside the cluster.
 */
export async function serviceNetworks(api: KubernetesApi): Promise<readonly Cidr[]> {
  const answer = await api.send('GET', PATH);
  const { items } = (answer.body ?? {}) as { items?: readonly { spec?: { cidrs?: readonly string[] } }[] };
  const networks = (items ?? [])
    .flatMap(({ spec }) => spec?.cidrs ?? [])
    .flatMap((text) => {
      const parsed = parseCidr(text);
      return parsed.ok ? [parsed.value] : [];
    });
  if (answer.status === 200 && networks.length > 0) return networks;
  throw new Error(
    `the networks of this cluster's Services can't be read (${PATH}: ${statusText(answer)}): write them, and those of its pods, as clusterNetworks`,
  );
}
