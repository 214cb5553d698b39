import type { V1ServiceCIDR } from '@kubernetes/client-node';
import type { ServiceNetworksRecord } from '../graph/records.ts';
import { networksOf } from './fields.ts';

export function serviceNetworksRecord({ spec }: V1ServiceCIDR): ServiceNetworksRecord {
  return { networks: networksOf(spec?.cidrs ?? []) };
}
