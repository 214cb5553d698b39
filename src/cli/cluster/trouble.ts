/** Where a cluster is, for people. */
interface Place {
  readonly context: string;
  readonly server: string;
}

/** Kubernetes gave no answer at all. */
export function sayUnavailable({ context, server }: Place, error: Error): string {
  const { message } = error;
  const [why, next] = CAUSES.find(([sign]) => sign.test(message))?.[1] ?? [
    message,
    'Is it the right context?',
  ];
  return `The cluster of context ${context} (${server}) does not answer: ${why}. ${next} (kubectl config get-contexts shows others; --context names one.)`;
}

const CAUSES: readonly (readonly [RegExp, readonly [string, string]])[] = [
  [/ECONNREFUSED/, ['nobody listens there', 'Does the cluster run?']],
  [/ENOTFOUND|EAI_AGAIN/, ['its name is not known', 'Is it a cluster that is gone, or one behind a VPN?']],
  [
    /ETIMEDOUT|TimeoutError|aborted due to timeout|EHOSTUNREACH|ENETUNREACH/,
    ['nothing came back', 'Is there a VPN or a firewall on the way?'],
  ],
  [
    /certificate|CERT_|SELF_SIGNED|ERR_TLS/i,
    [
      'its certificate is not from the authority that the kubeconfig names',
      'Was the cluster made anew? Then fetch its kubeconfig again.',
    ],
  ],
  [
    /ENOENT|exec|spawn/,
    [
      'the program that the kubeconfig names for credentials failed',
      'Run `kubectl get nodes`: it uses the same one.',
    ],
  ],
];

/** HTTP 401 */
export function sayStranger({ context }: Place): string {
  return `The cluster of context ${context} does not know you: your credentials have ended or are of another cluster. Sign in again, and try \`kubectl auth whoami\`.`;
}

/** HTTP 403 */
export function sayForbidden({ context }: Place, said: string): string {
  return `The cluster of context ${context} does not let you: ${said}. Whoever runs it can give you that right (RBAC), or is it another context?`;
}
