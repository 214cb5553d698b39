import type { V1Endpoint, V1EndpointSlice } from '@kubernetes/client-node';
import type { SliceEndpoint, SliceRecord } from '../graph/records.ts';
import { addressOf } from './fields.ts';

const SERVICE_LABEL = 'kubernetes.io/service-name';

/** Undefined: it belongs to no Service, or its endpoints are names (addressType FQDN). */
export function sliceRecord({
  metadata = {},
  addressType,
  ports,
  endpoints,
}: V1EndpointSlice): SliceRecord | undefined {
  const service = metadata.labels?.[SERVICE_LABEL];
  if (service === undefined || (addressType !== 'IPv4' && addressType !== 'IPv6')) return undefined;
  const tcp = (ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return {
    service: `${metadata.namespace ?? ''}/${service}`,
    family: addressType,
    ports: new Map(tcp.map(({ name = '', port }) => [name, port])),
    // Whatever the types say: an empty list comes as null.
    endpoints: (endpoints ?? []).flatMap(endpointOf),
  };
}

/** EndpointSlice: consumers take the first address only; it is the same workload behind each. */
function endpointOf({ addresses, conditions, nodeName, targetRef, zone }: V1Endpoint): SliceEndpoint[] {
  const address = addressOf(addresses[0]);
  if (address === undefined) return [];
  const terminating = conditions?.terminating === true;
  const serving = conditions?.serving ?? conditions?.ready ?? true;
  return [
    {
      address,
      // Ready and terminating at once is said of Services with publishNotReadyAddresses.
      ready: conditions?.ready ?? !terminating,
      drains: terminating && serving,
      node: nodeName,
      zone,
      podUid: targetRef?.kind === 'Pod' ? targetRef.uid : undefined,
    },
  ];
}
