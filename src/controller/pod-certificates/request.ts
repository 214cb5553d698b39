import type { PodIdentity } from '#identity';

/** What is kept of a PodCertificateRequest (certificates.k8s.io/v1beta1). What it lacks is empty here, and refused later. */
export interface PodCertificateRequest {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly signerName: string;
  /** As the kubelet claims; that it is of the pod's own node, the API server saw to (NodeRestriction). */
  readonly pod: PodIdentity;
  /** PKCS #10, DER. */
  readonly csr: Uint8Array;
  readonly mostMilliseconds: number;
  /** Keys of what the pod's author passes to the signer. */
  readonly annotations: readonly string[];
  /** Issued, denied or failed: nothing of it changes any more. */
  readonly answered: boolean;
}

/** Never throws. */
export function readPodCertificateRequest(object: object): PodCertificateRequest {
  const { metadata = {}, spec = {}, status = {} } = object as RequestObject;
  const namespace = text(metadata.namespace);
  return Object.freeze({
    namespace,
    name: text(metadata.name),
    uid: text(metadata.uid),
    resourceVersion: text(metadata.resourceVersion),
    signerName: text(spec.signerName),
    pod: Object.freeze({
      // A request speaks for pods of its own namespace alone: who may make one there is for the namespace's rights to say.
      namespace,
      namespaceUid: '',
      serviceAccountName: text(spec.serviceAccountName),
      serviceAccountUid: text(spec.serviceAccountUID),
      podName: text(spec.podName),
      podUid: text(spec.podUID),
      nodeName: text(spec.nodeName),
      nodeUid: text(spec.nodeUID),
    }),
    csr: new Uint8Array(Buffer.from(text(spec.stubPKCS10Request), 'base64')),
    mostMilliseconds: typeof spec.maxExpirationSeconds === 'number' ? spec.maxExpirationSeconds * 1000 : 0,
    annotations: Object.keys(record(spec.unverifiedUserAnnotations)),
    answered:
      text(status.certificateChain) !== '' ||
      (Array.isArray(status.conditions) && status.conditions.some(isTerminal)),
  });
}

interface RequestObject {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

const TERMINAL: ReadonlySet<unknown> = new Set(['Issued', 'Denied', 'Failed']);

function isTerminal(condition: unknown): boolean {
  return TERMINAL.has(record(condition).type);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
