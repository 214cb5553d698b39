import type { V1Service, V1ServicePort } from '@kubernetes/client-node';
import type { ServicePortRecord, ServiceRecord } from '../graph/records.ts';
import { addressesOf } from './fields.ts';

/** Kubernetes' own default of sessionAffinityConfig.clientIP.timeoutSeconds. */
const DEFAULT_AFFINITY_SECONDS = 10_800;
const MILLISECONDS = 1_000;

/** Undefined: its name is all it has (ExternalName), which DNS answers. */
export function serviceRecord({ metadata = {}, spec = {}, status }: V1Service): ServiceRecord | undefined {
  if (spec.type === 'ExternalName') return undefined;
  const balancers = status?.loadBalancer?.ingress ?? [];
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    // `None`, of a headless Service, is no address.
    clusterAddresses: addressesOf(spec.clusterIPs ?? [spec.clusterIP]),
    externalAddresses: addressesOf([
      ...(spec.externalIPs ?? []),
      // With mode Proxy the load balancer itself is called, from inside too.
      ...balancers.filter(({ ipMode }) => ipMode !== 'Proxy').map(({ ip }) => ip),
    ]),
    ports: (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(portRecord),
    affinityMilliseconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS) * MILLISECONDS
        : undefined,
    local: spec.internalTrafficPolicy === 'Local',
    trafficDistribution: distributionOf(spec.trafficDistribution),
  };
}

function portRecord({ name = '', port, targetPort, nodePort }: V1ServicePort): ServicePortRecord {
  return {
    name,
    port,
    targetPort: typeof targetPort === 'number' ? targetPort : undefined,
    // 0 is how a Service without one may say so.
    nodePort: nodePort === 0 ? undefined : nodePort,
  };
}

/** PreferClose is the old name of PreferSameZone (KEP-3015). */
function distributionOf(text: string | undefined): ServiceRecord['trafficDistribution'] {
  if (text === 'PreferSameNode') return text;
  return text === 'PreferSameZone' || text === 'PreferClose' ? 'PreferSameZone' : undefined;
}
