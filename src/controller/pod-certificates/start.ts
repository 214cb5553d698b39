import type { Scope } from '#runtime';
import type { ApiObjects } from '../discovery/watch/api-objects.ts';
import { WATCH_LIMITS } from '../discovery/watch/limits.ts';
import { Reflector, type WatchRestart } from '../discovery/watch/reflector.ts';
import {
  GROUP_PATH,
  POD_CERTIFICATE_REQUESTS,
  PodCertificateSigner,
  type PodCertificateSignerConfig,
} from './signer.ts';

export interface PodCertificatesParts extends PodCertificateSignerConfig {
  readonly objects: ApiObjects;
  readonly random: () => number;
  readonly onRestart: (kind: string, reason: WatchRestart) => void;
}

/**
 * Follows the requests for our signer and answers them, until the scope ends. Where the cluster doesn't serve the API, it is
 * looked for again from time to time.
 */
export function startPodCertificates(scope: Scope, parts: PodCertificatesParts): void {
  const { clock, log, objects, onRestart, random, signerName } = parts;
  const signer = new PodCertificateSigner(parts);
  const reflector = new Reflector({
    ...{ api: objects, clock, log, random, limits: WATCH_LIMITS },
    path: `${POD_CERTIFICATE_REQUESTS}?fieldSelector=${encodeURIComponent(`spec.signerName=${signerName}`)}`,
    optional: true,
    onObject: (key, object) => signer.apply(key, object),
    onRestart: (reason) => onRestart('podcertificaterequests', reason),
  });
  signer.run(scope);
  reflector.run(scope);
  log.info('PodCertificateRequests are signed', { signerName });
  scope.run((signal) => sayIfAbsent(parts, signal));
}

/** Whoever names a signer in a cluster that doesn't serve the API would otherwise wait for certificates without a word. */
async function sayIfAbsent(
  { api, log, signerName }: PodCertificatesParts,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { body } = await api.send('GET', GROUP_PATH, undefined, signal);
    const { resources = [] } = body as { resources?: readonly { readonly name?: string }[] };
    if (resources.some(({ name }) => name === 'podcertificaterequests')) return;
    log.warn('this cluster does not serve PodCertificateRequests, so none can be signed yet', {
      signerName,
      next:
        'switch on the gate PodCertificateRequest for kube-apiserver and kubelets, and ' +
        '--runtime-config=certificates.k8s.io/v1beta1/podcertificaterequests=true, or leave podCertificates out',
    });
  } catch {
    // The API server is away: the watch says so, and goes on.
  }
}
