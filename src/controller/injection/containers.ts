import type { PodChoices } from './choices.ts';
import { FOLDER, INIT, PORTS, SIDECAR, SIDECAR_UID, VOLUME } from './names.ts';
import type { Container } from './pod.ts';
import { type ProbeEntry, PROBES_VARIABLE } from './probes.ts';
import type { InjectionSettings, Resources } from './settings.ts';

/** Loads the rules, and ends. */
export function initContainer(settings: InjectionSettings, { capture }: PodChoices): Container {
  return {
    name: INIT,
    ...image(settings),
    args: ['init'],
    env: [
      field('SALLYPORT_HOST_IPS', 'status.hostIPs'),
      ...Object.entries(capture).map(([name, value]) => ({ name, value })),
    ],
    resources: settings.resources.init,
    securityContext: {
      ...CONFINED,
      runAsUser: 0,
      runAsNonRoot: false,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    },
  };
}

/** A native sidecar: it starts before all others and is ended after them. */
export function sidecarContainer(
  settings: InjectionSettings,
  choices: PodChoices,
  probes: readonly ProbeEntry[],
  service: string | undefined,
): Container {
  return {
    name: SIDECAR,
    ...image(settings),
    args: ['sidecar'],
    restartPolicy: 'Always',
    env: [
      field('SALLYPORT_NAMESPACE', 'metadata.namespace'),
      field('SALLYPORT_SERVICE_ACCOUNT', 'spec.serviceAccountName'),
      field('SALLYPORT_POD', 'metadata.name'),
      field('SALLYPORT_POD_UID', 'metadata.uid'),
      field('SALLYPORT_NODE', 'spec.nodeName'),
      { name: PROBES_VARIABLE, value: JSON.stringify(probes) },
      { name: 'SALLYPORT_CONFIG', value: JSON.stringify(sidecarFile(settings, choices, service)) },
      ...telemetry(settings, service),
    ],
    ports: [{ name: 'sallyport', containerPort: PORTS.status, protocol: 'TCP' }],
    volumeMounts: [{ name: VOLUME, mountPath: FOLDER, readOnly: true }],
    resources: merged(settings.resources.sidecar, choices.resources),
    securityContext: {
      ...CONFINED,
      runAsUser: SIDECAR_UID,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    lifecycle: { preStop: { exec: { command: ['sallyport', 'drain'] } } },
    // Nobody listens on this port: an answer proves that the rules redirect what comes in.
    startupProbe: {
      httpGet: { path: '/ready', port: PORTS.verification },
      periodSeconds: 1,
      failureThreshold: STARTUP_SECONDS,
    },
    readinessProbe: { httpGet: { path: '/ready', port: PORTS.status }, periodSeconds: 5 },
  };
}

/** Whom to believe, and what proves to the controller who the pod is. */
export function volume({ audience, trustBundle }: InjectionSettings): { name: string; projected: object } {
  return {
    name: VOLUME,
    projected: {
      sources: [
        { serviceAccountToken: { audience, expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: trustBundle, items: [{ key: 'trust-bundle.pem', path: 'trust-bundle.pem' }] } },
      ],
    },
  };
}

/** How long the controller may be away before the kubelet starts the sidecar again, in a pod that is just starting. */
const STARTUP_SECONDS = 120;
/** The least that Kubernetes gives; the kubelet renews it at four fifths. */
const TOKEN_SECONDS = 600;

const CONFINED = {
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  seccompProfile: { type: 'RuntimeDefault' },
};

function image({ image, imagePullPolicy }: InjectionSettings): { image: string; imagePullPolicy: string } {
  return { image, imagePullPolicy };
}

function field(name: string, fieldPath: string): { name: string; valueFrom: object } {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

/** What `sallyport sidecar` would read as sidecar.yaml. */
function sidecarFile(
  settings: InjectionSettings,
  { serverFirstPorts }: PodChoices,
  service: string | undefined,
): object {
  const { trustDomain, controller, defaults } = settings;
  return {
    trustDomain,
    ...(service === undefined ? {} : { service }),
    rootNamespace: controller.namespace,
    trustBundle: `${FOLDER}/trust-bundle.pem`,
    policies: [],
    defaults,
    ...(serverFirstPorts.length === 0 ? {} : { serverFirstPorts }),
    controller: { ...controller, token: `${FOLDER}/token` },
  };
}

/** Resource attributes by the semantic conventions of OpenTelemetry for Kubernetes. */
const ATTRIBUTES = {
  'service.namespace': '$(SALLYPORT_NAMESPACE)',
  'service.instance.id': `$(SALLYPORT_NAMESPACE).$(SALLYPORT_POD).${SIDECAR}`,
  'k8s.namespace.name': '$(SALLYPORT_NAMESPACE)',
  'k8s.pod.name': '$(SALLYPORT_POD)',
  'k8s.pod.uid': '$(SALLYPORT_POD_UID)',
  'k8s.node.name': '$(SALLYPORT_NODE)',
  'k8s.container.name': SIDECAR,
};

function telemetry({ otlpEndpoint }: InjectionSettings, service: string | undefined): object[] {
  if (otlpEndpoint === undefined) return [];
  const attributes = Object.entries(ATTRIBUTES).map((pair) => pair.join('='));
  return [
    { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: otlpEndpoint },
    { name: 'OTEL_SERVICE_NAME', value: service ?? '$(SALLYPORT_SERVICE_ACCOUNT)' },
    { name: 'OTEL_RESOURCE_ATTRIBUTES', value: attributes.join(',') },
  ];
}

/** The pod's own outweigh those of the mesh. */
function merged(mesh: Resources, pod: Resources): Resources {
  return {
    requests: { ...mesh.requests, ...pod.requests },
    limits: { ...mesh.limits, ...pod.limits },
  };
}
