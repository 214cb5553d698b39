import type { Reason, Refusal } from '#handshake';
import { INIT, INJECTED, isReserved, SIDECAR, SIDECAR_UID, VOLUME } from './names.ts';
import type { Container, Pod } from './pod.ts';
import { INJECTION_REASONS } from './reasons.ts';

/** Pure: why a pod can't be in the mesh as it is, or that nothing speaks against it. */
type Check = (pod: Pod) => readonly Refusal[];

/** All that speaks against a pod. */
export function refusalsOf(pod: Pod): readonly Refusal[] {
  return CHECKS.flatMap((check) => check(pod));
}

/** Whether the pod was injected before: by another call for it, or offline. */
export function isInjected({ metadata }: Pod): boolean {
  return Object.hasOwn(metadata?.annotations ?? {}, INJECTED);
}

/** All containers but ours. */
function otherContainers(pod: Pod): readonly Container[] {
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  const init = (initContainers ?? []).filter(({ name }) => !isInjected(pod) || !isOurs(name));
  return [...init, ...containers, ...(ephemeralContainers ?? [])];
}

export function isOurs(name: string): boolean {
  return name === SIDECAR || name === INIT;
}

/** Nothing of ours, or all of it by our own hand: a part of it isn't made whole, since nobody knows what it was meant to be. */
const parts: Check = (pod) => {
  const { initContainers, containers, volumes } = pod.spec;
  const init = (initContainers ?? []).map(({ name }) => name).filter(isOurs);
  const found = [
    ...init.map((name) => `initContainer ${name}`),
    ...containers.filter(({ name }) => isOurs(name)).map(({ name }) => `container ${name}`),
    ...(volumes ?? []).filter(({ name }) => name === VOLUME).map(({ name }) => `volume ${name}`),
  ];
  if (!isInjected(pod)) return found.length === 0 ? [] : [refuse('sidecar-not-ours', found.join(', '))];
  const whole = init.length === 2 && new Set(init).size === 2 && found.length === 3;
  const has = found.length === 0 ? 'nothing of it' : `only ${found.join(', ')}`;
  return whole ? [] : [refuse('sidecar-not-ours', `annotation ${INJECTED}, and ${has}`)];
};

const CHECKS: readonly Check[] = [
  ({ spec }) => (spec.hostNetwork === true ? [refuse('pod-on-host-network', 'spec.hostNetwork: true')] : []),
  ({ spec }) => (spec.hostPID === true ? [refuse('pod-in-host-processes', 'spec.hostPID: true')] : []),
  ({ spec }) =>
    spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows'
      ? [refuse('pod-on-windows', spec.os?.name === 'windows' ? 'spec.os' : 'spec.nodeSelector')]
      : [],
  ({ spec }) =>
    spec.dnsPolicy === 'Default' ? [refuse('pod-without-cluster-dns', 'spec.dnsPolicy: Default')] : [],
  otherMesh,
  parts,
  ofContainers('container-runs-as-sidecar', ({ securityContext }, { spec }) => {
    const user = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
    return user === SIDECAR_UID ? `runAsUser ${user}` : undefined;
  }),
  ofContainers('container-may-change-rules', ({ securityContext }) => {
    if (securityContext?.privileged === true) return 'privileged';
    return securityContext?.capabilities?.add?.find((name) =>
      ['NET_ADMIN', 'ALL'].includes(name.toUpperCase().replace(/^CAP_/, '')),
    );
  }),
  ofContainers('port-reserved', ({ ports }) => {
    const port = (ports ?? []).find(({ containerPort }) => isReserved(containerPort ?? 0))?.containerPort;
    return port === undefined ? undefined : `containerPort ${port}`;
  }),
];

function ofContainers(
  code: keyof typeof INJECTION_REASONS,
  find: (container: Container, pod: Pod) => string | undefined,
): Check {
  return (pod) =>
    otherContainers(pod).flatMap((container) => {
      const found = find(container, pod);
      return found === undefined ? [] : [refuse(code, `container ${container.name}: ${found}`)];
    });
}

const OTHER_MESHES = [
  {
    mesh: 'Istio',
    containers: ['istio-proxy', 'istio-init', 'istio-validation'],
    annotation: 'sidecar.istio.io/status',
  },
  {
    mesh: 'Linkerd',
    containers: ['linkerd-proxy', 'linkerd-init', 'linkerd-network-validator'],
    annotation: 'linkerd.io/proxy-version',
  },
  { mesh: 'Kuma', containers: ['kuma-sidecar', 'kuma-init'], annotation: 'kuma.io/sidecar-injected' },
  {
    mesh: 'Consul',
    containers: ['consul-dataplane', 'consul-connect-inject-init'],
    annotation: 'consul.hashicorp.com/connect-inject-status',
  },
] as const;

function otherMesh(pod: Pod): Refusal[] {
  return OTHER_MESHES.flatMap(({ mesh, containers, annotation }) => {
    const container = otherContainers(pod).find(({ name }) =>
      (containers as readonly string[]).includes(name),
    );
    if (container !== undefined) return [refuse('other-mesh', `${mesh}: container ${container.name}`)];
    const marked = Object.hasOwn(pod.metadata?.annotations ?? {}, annotation);
    return marked ? [refuse('other-mesh', `${mesh}: annotation ${annotation}`)] : [];
  });
}

export function refuse(code: keyof typeof INJECTION_REASONS, detail: string): Refusal {
  const reason: Reason = INJECTION_REASONS[code];
  return { reason, detail };
}
