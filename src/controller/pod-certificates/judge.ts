import type { Refusal } from '#handshake';
import { serviceAccountId, type SpiffeId } from '#identity';
import { type IssuableRequest, namesAnother, parseIssuableRequest } from '#identity/ca';
import { ISSUANCE_REASONS, refuseRevoked, type Revocation } from '#identity/issuance';
import { describePod, differsFrom } from '../issuance/claimed-pod.ts';
import type { PodFacts } from '../issuance/pods.ts';
import { POD_CERTIFICATE_LIMITS } from './limits.ts';
import type { PodCertificateRequest } from './request.ts';

export type Verdict =
  | { readonly answer: 'issue'; readonly identity: SpiffeId; readonly request: IssuableRequest }
  /** For good: the kubelet gives up. */
  | { readonly answer: 'deny'; readonly refusal: Refusal }
  /** It may be otherwise in a moment. */
  | { readonly answer: 'wait'; readonly refusal: Refusal };

/** What is known here of the pod that a request names. */
export interface Known {
  readonly pod: PodFacts | undefined;
  /** Whether all pods were told once. */
  readonly synced: boolean;
  readonly revocations: readonly Revocation[];
  readonly trustDomain: string;
  /** How long the request has been seen to be there. */
  readonly ageMilliseconds: number;
}

/**
 * Whether a request gets a certificate, and for whom. The API server has proved possession of the key, and bound pod,
 * ServiceAccount and node to the kubelet that asks, but for who may make requests and is no kubelet: so all is compared with
 * the pod itself, and the key's proof is asked for again. Pure.
 */
export function judge(asked: PodCertificateRequest, known: Known): Verdict {
  const { annotations, csr, mostMilliseconds, pod } = asked;
  const missing = [
    ...Object.entries(pod).flatMap(([field, text]) =>
      text === '' && field !== 'namespaceUid' ? [field] : [],
    ),
    ...(csr.length === 0 ? ['stubPKCS10Request'] : []),
    ...(mostMilliseconds < POD_CERTIFICATE_LIMITS.leastMilliseconds
      ? ['maxExpirationSeconds of an hour']
      : []),
  ];
  if (missing.length > 0) return deny('pod-certificate-malformed', `without ${missing.join(', ')}`);
  if (annotations.length > 0) {
    return deny('pod-certificate-annotated', annotations.slice(0, MOST_SHOWN).join(', ').slice(0, LONGEST));
  }
  const found = known.pod;
  if (found === undefined && !known.synced) {
    const detail = 'the pods of the cluster are not known yet';
    return { answer: 'wait', refusal: { reason: ISSUANCE_REASONS['attestation-unavailable'], detail } };
  }
  if (found === undefined || found.ended) {
    const refusal = { reason: ISSUANCE_REASONS['pod-unknown'], detail: describePod(pod) };
    const late = found !== undefined || known.ageMilliseconds > POD_CERTIFICATE_LIMITS.unknownPodMilliseconds;
    return { answer: late ? 'deny' : 'wait', refusal };
  }
  const differs = differsFrom(found, pod);
  if (differs !== undefined && !differs.ok) return { answer: 'deny', refusal: differs.error };
  const identity = serviceAccountId(known.trustDomain, found.namespace, found.serviceAccount);
  const revoked = refuseRevoked(known.revocations, { spiffeId: identity, pod, serial: undefined });
  if (revoked !== undefined && !revoked.ok) return { answer: 'deny', refusal: revoked.error };
  // Last, as it costs most: whoever names pods at random pays for no signature.
  const request = parseIssuableRequest(csr);
  if (!request.ok) return { answer: 'deny', refusal: request.error };
  const another = namesAnother(request.value, identity);
  if (another !== undefined) return { answer: 'deny', refusal: another };
  return { answer: 'issue', identity, request: request.value };
}

const MOST_SHOWN = 8;
const LONGEST = 256;

function deny(code: keyof typeof ISSUANCE_REASONS, detail: string): Verdict {
  return { answer: 'deny', refusal: { reason: ISSUANCE_REASONS[code], detail } };
}
