import { reasonTable } from '#handshake';

const TOKEN =
  'Mount a projected ServiceAccount token with the audience of the controller and let the kubelet renew it.';
const RENEW = 'The sidecar asks again with its token by itself; if this repeats, restart the pod.';

/** Why a workload of a cluster gets no certificate. `rfc` names the document that asks for the check. */
export const ISSUANCE_REASONS = reasonTable({
  // The token
  'token-malformed': {
    alert: undefined,
    blame: 'peer',
    rfc: '7519#3',
    say: 'What was sent as a ServiceAccount token is none.',
    next: TOKEN,
  },
  'token-wrong-audience': {
    alert: undefined,
    blame: 'peer',
    rfc: '7519#4.1.3',
    say: 'The token was made for another audience than this controller.',
    next: TOKEN,
  },
  'token-expired': {
    alert: undefined,
    blame: 'peer',
    rfc: '7519#4.1.4',
    say: 'The token has expired.',
    next: 'See whether the kubelet still renews the projected token, and compare the clocks of node and controller.',
  },
  'token-too-long': {
    alert: undefined,
    blame: 'peer',
    rfc: '7519#4.1.4',
    say: 'The token is good for longer than a day.',
    next: 'Set `expirationSeconds` of the projected token to a day at most; ten minutes are enough.',
  },
  'token-refused': {
    alert: undefined,
    blame: 'peer',
    rfc: 'TokenReview#status',
    say: 'Kubernetes does not accept the token.',
    next: 'The pod or its ServiceAccount may be deleted, or the token is of another cluster. The detail is what Kubernetes said.',
  },
  'token-not-bound': {
    alert: undefined,
    blame: 'peer',
    rfc: 'TokenReview#status.user.extra',
    say: 'The token is not bound to a pod, its node and an id of its own.',
    next: 'Use a projected token, not one from a Secret; Kubernetes must be 1.32 or later.',
  },
  'token-of-another-pod': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'The connection does not come from the pod that the token was made for.',
    next: 'A token was taken to another place: find out how. If the pod reaches the controller by NAT, take that away.',
  },
  'token-used-with-another-key': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'The token has been used before, for another key.',
    next: 'Unless the sidecar was restarted a moment ago, somebody replays the token. A new one comes when the kubelet renews it.',
  },
  'attestation-unavailable': {
    alert: undefined,
    blame: 'network',
    rfc: 'TokenReview',
    say: 'The API server of Kubernetes could not be asked about the token.',
    next: 'Look at the API server and the controller. Sidecars keep their certificates and try again.',
  },
  // The pod
  'pod-unknown': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'The pod that asks, or that the certificate was issued to, is not there any more.',
    next: 'After the deletion of a pod nobody should hold its certificate or token: find out who does.',
  },
  'pod-differs': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'The pod runs under another ServiceAccount or on another node than was claimed.',
    next: 'Compare the pod with the detail; a token of this form was not made for it.',
  },
  'pod-on-host-network': {
    alert: undefined,
    blame: 'operator',
    rfc: 'SPIFFE#5.1',
    say: "A pod on its host's network shares its address with everything there, so it gets no identity.",
    next: 'Take hostNetwork out of the pod, or leave it out of the mesh.',
  },
  // The PodCertificateRequest
  'pod-certificate-malformed': {
    alert: undefined,
    blame: 'peer',
    rfc: 'KEP-4317',
    say: 'The PodCertificateRequest lacks what a certificate would be issued by.',
    next: 'The kubelet must be of Kubernetes 1.36 or later, which sends stubPKCS10Request; the detail says what is missing.',
  },
  'pod-certificate-annotated': {
    alert: undefined,
    blame: 'operator',
    rfc: 'KEP-4317',
    say: 'The pod passes annotations to the signer, and this one knows none.',
    next: "Take userAnnotations out of the pod's podCertificate volume.",
  },
  'pod-certificate-not-written': {
    alert: undefined,
    blame: 'network',
    rfc: 'KEP-4317',
    say: 'The answer to a PodCertificateRequest could not be written.',
    next: 'The detail is what the API server said. The controller needs `update` on podcertificaterequests/status and `sign` on its signer, and tries again.',
  },
  // The certificate
  'certificate-missing': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'A renewal needs the current certificate, and the connection showed none.',
    next: RENEW,
  },
  'certificate-names-no-pod': {
    alert: undefined,
    blame: 'peer',
    rfc: 'KEP-4317',
    say: 'The certificate does not say which pod it was issued to, so it cannot be renewed.',
    next: RENEW,
  },
  'attestation-too-old': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'The pod has not proved itself with a token for a day.',
    next: RENEW,
  },
  'key-not-fresh': {
    alert: undefined,
    blame: 'peer',
    rfc: '4210#5.3.5',
    say: 'A renewal must be over a new key, and this is the one of the current certificate.',
    next: 'Sidecars of this version make a new key for each certificate; something else asks here.',
  },
  'identity-revoked': {
    alert: undefined,
    blame: 'operator',
    rfc: '5280#3.3',
    say: 'The pod, the ServiceAccount or the certificate was revoked.',
    next: 'See `sallyport certs revoked`. A revoked pod is to be deleted; its successor gets certificates again.',
  },
  // Load
  'too-many-requests': {
    alert: undefined,
    blame: 'peer',
    rfc: 'SPIFFE#5.1',
    say: 'More certificates are asked for than are given out in this time.',
    next: 'The detail says whose limit it is. A sidecar needs one in hours; look for one that restarts again and again.',
  },
});
