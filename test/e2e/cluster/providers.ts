import { bareProvider } from './bare/provider.ts';
import type { ClusterProvider, ProviderName } from './cluster.ts';
import { kindProvider } from './kind/provider.ts';

const PROVIDERS: Readonly<Record<ProviderName, ClusterProvider>> = { bare: bareProvider, kind: kindProvider };

/** @param name `E2E_CLUSTER` */
export function clusterProvider(name: string): ClusterProvider {
  const provider = Object.entries(PROVIDERS).find(([known]) => known === name)?.[1];
  if (provider === undefined) {
    throw new Error(`E2E_CLUSTER=${name}: there is ${Object.keys(PROVIDERS).join(' and ')}`);
  }
  return provider;
}
