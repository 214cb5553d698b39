import type { Workload } from '#policy';

/** The workload that tests are about. */
export const WEB: Workload = Object.freeze({
  namespace: 'shop',
  serviceAccount: 'web',
  name: 'web-1',
  labels: Object.freeze({ app: 'web' }),
});

export const denyAll = { action: 'Deny', rules: [{ from: [{ peer: 'Any' }] }] } as const;

export function allow(account: string) {
  return {
    action: 'Allow',
    rules: [{ from: [{ serviceAccounts: [{ name: account, namespace: 'shop' }] }] }],
  } as const;
}

/** An object as the API server has it. */
export function object(
  name: string,
  spec: object,
  {
    namespace = 'shop',
    uid = 'u',
    generation = 1,
  }: { namespace?: string; uid?: string; generation?: number } = {},
): object {
  return { metadata: { name, namespace, uid, generation }, spec };
}
