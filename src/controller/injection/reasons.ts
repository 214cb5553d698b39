import { reasonTable } from '#handshake';

/** Why a pod gets no sidecar, and so is not admitted. */
export const INJECTION_REASONS = reasonTable({
  'pod-malformed': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1',
    say: 'This is no pod that a sidecar could be added to.',
    next: 'Compare the manifest with `kubectl explain pod.spec`.',
  },
  'pod-on-host-network': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1/hostNetwork',
    say: "A pod with hostNetwork has the node's addresses and no identity of its own.",
    next: 'Take hostNetwork away, or label the pod mesh.sallyport.dev/inject=disabled: then it is outside the mesh.',
  },
  'pod-in-host-processes': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1/hostPID',
    say: "A pod with hostPID can look into every process of its node, also into other pods' sidecars.",
    next: 'Take hostPID away, or label the pod mesh.sallyport.dev/inject=disabled: then it is outside the mesh.',
  },
  'pod-on-windows': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1/os',
    say: 'Capture needs the packet filter of Linux.',
    next: 'Label the pod mesh.sallyport.dev/inject=disabled: then it is outside the mesh.',
  },
  'pod-without-cluster-dns': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1/dnsPolicy',
    say: "With dnsPolicy Default the sidecar can't find the controller, whose name only the cluster's DNS knows.",
    next: 'Use ClusterFirst, which asks the same servers for all other names, or dnsPolicy None with dnsConfig.',
  },
  'container-runs-as-sidecar': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1/securityContext',
    say: "A container runs as the sidecar's user, 1337, whose connections are not captured.",
    next: 'Give it another runAsUser.',
  },
  'container-may-change-rules': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#container-v1/securityContext',
    say: 'A container may change the rules that lead its traffic to the sidecar.',
    next: 'Take NET_ADMIN, ALL or privileged away, or label the pod mesh.sallyport.dev/inject=disabled: then it is outside the mesh.',
  },
  'other-mesh': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1',
    say: 'The pod has the sidecar of another mesh, and both would capture the same traffic.',
    next: "Keep one: turn the other mesh's injection off for the pod (Istio: label sidecar.istio.io/inject=false; Linkerd: annotation linkerd.io/inject=disabled) and create it anew, or label it mesh.sallyport.dev/inject=disabled.",
  },
  'sidecar-not-ours': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#pod-v1',
    say: 'The pod brings parts of a sidecar of its own.',
    next: 'Take them out, so that all is added here; or, if the pod is meshed by hand, label it mesh.sallyport.dev/inject=disabled, which only keeps this webhook away.',
  },
  'port-reserved': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#container-v1/ports',
    say: "A container uses a port of the sidecar's.",
    next: 'Let the application listen on a port other than 15000, 15001, 15006, 15020 and 15021.',
  },
  'probe-unusable': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#container-v1/livenessProbe',
    say: 'A probe or hook names no port that could be asked.',
    next: "Write the port's number, or the name that it has among the container's ports.",
  },
  'choice-wrong': {
    alert: undefined,
    blame: 'operator',
    rfc: 'kubernetes#annotations',
    say: 'A label or annotation of the pod is not what Sallyport can act upon.',
    next: 'Write it as docs/injection.md has it.',
  },
});
