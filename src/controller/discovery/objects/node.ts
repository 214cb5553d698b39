import type { V1Node } from '@kubernetes/client-node';
import type { NodeRecord } from '../graph/records.ts';
import { addressesOf, networksOf } from './fields.ts';

export function nodeRecord({ spec, status }: V1Node): NodeRecord {
  return {
    addresses: addressesOf(status?.addresses?.map(({ address }) => address) ?? []),
    podNetworks: networksOf(spec?.podCIDRs ?? [spec?.podCIDR]),
  };
}
