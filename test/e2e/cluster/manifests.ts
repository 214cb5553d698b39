import { IMAGES } from './images.ts';
import { MAY_SET_RULES } from './security.ts';

/** Sallyport's own container: what it runs is in `args`. */
export function sallyportContainer(
  name: string,
  args: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { name, image: IMAGES.sallyport, imagePullPolicy: 'Never', args, ...more };
}

/** Runs `sallyport init`. It has to know the node's addresses to see that it is not in the node's network. */
export function captureContainer(
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Record<string, unknown> {
  const given = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  const hostIps = { name: 'SALLYPORT_HOST_IPS', valueFrom: { fieldRef: { fieldPath: 'status.hostIPs' } } };
  return sallyportContainer(name, ['init', ...args], {
    env: [hostIps, ...given],
    securityContext: MAY_SET_RULES,
  });
}
