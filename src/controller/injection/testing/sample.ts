import type { InjectionSettings } from '../settings.ts';

export const SETTINGS: InjectionSettings = {
  image: 'registry.example/sallyport:1.2.3',
  imagePullPolicy: 'IfNotPresent',
  version: '1.2.3',
  trustDomain: 'cluster.local',
  controller: {
    host: 'sallyport-controller.sallyport-system.svc',
    port: 15_010,
    namespace: 'sallyport-system',
    serviceAccount: 'sallyport-controller',
  },
  audience: 'sallyport',
  trustBundle: 'sallyport-trust-bundle',
  defaults: { tlsMode: 'Permissive', unselected: 'AllowAuthenticated' },
  resources: {
    sidecar: { requests: { cpu: '20m', memory: '80Mi' }, limits: { memory: '256Mi' } },
    init: { requests: { cpu: '10m', memory: '64Mi' } },
  },
  otlpEndpoint: undefined,
};

/** Tokens that a test can foresee. */
export function countedTokens(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return count.toString(16).padStart(32, '0');
  };
}
