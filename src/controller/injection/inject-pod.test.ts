import { describe, expect, test } from 'vitest';
import type { Refusal } from '#handshake';
import { injectPod } from './inject-pod.ts';
import { jsonPatch } from './json-patch.ts';
import type { Container, Pod, PodSpec } from './pod.ts';
import { countedTokens, SETTINGS } from './testing/sample.ts';

const APPLICATION: Container = {
  name: 'web',
  image: 'web:1',
  ports: [{ name: 'http', containerPort: 8080 }],
};

function pod(spec: object = {}, metadata: object = {}): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', ...metadata },
    spec: { containers: [APPLICATION], ...spec },
  };
}

function inject(value: unknown, token = countedTokens()): Pod {
  const injected = injectPod(value, SETTINGS, token);
  if (!injected.ok) throw new Error(codes(injected.error).join());
  return injected.value;
}

function refused(value: unknown): readonly Refusal[] {
  const injected = injectPod(value, SETTINGS, countedTokens());
  return injected.ok ? [] : injected.error;
}

function codes(refusals: readonly Refusal[]): string[] {
  return refusals.map(({ reason }) => reason.code);
}

function sidecarOf({ spec }: Pod): Container {
  const found = spec.initContainers?.find(({ name }) => name === 'sallyport');
  if (found === undefined) throw new Error('no sidecar');
  return found;
}

function variable(container: Container, name: string): string {
  return container.env?.find((each) => each.name === name)?.value ?? '';
}

/** As an API server hands a pod on after a webhook: its defaults filled in. */
function defaulted(injected: Pod): Pod {
  const fill = (containers: readonly Container[] = []): Container[] =>
    containers.map((container) => ({ terminationMessagePath: '/dev/termination-log', ...container }));
  const spec: PodSpec = {
    ...injected.spec,
    containers: fill(injected.spec.containers),
    initContainers: fill(injected.spec.initContainers),
    volumes: [...(injected.spec.volumes ?? []), { name: 'kube-api-access', projected: {} }],
  };
  return { ...injected, spec };
}

test('rules and sidecar stand before all other init containers, and what the pod had stays', () => {
  const init = { name: 'migrate', image: 'migrate:1' };
  const { spec, metadata } = inject(pod({ initContainers: [init], priorityClassName: 'high' }));
  expect(spec.initContainers?.map(({ name }) => name)).toEqual(['sallyport-init', 'sallyport', 'migrate']);
  expect(spec).toMatchObject({ containers: [APPLICATION], priorityClassName: 'high' });
  expect(metadata?.annotations).toEqual({ 'mesh.sallyport.dev/injected': '1.2.3' });
});

test('the sidecar is as the restricted Pod Security Standard wants it, and only the rules need a capability', () => {
  const [init, sidecar] = inject(pod()).spec.initContainers ?? [];
  expect(sidecar).toMatchObject({
    args: ['sidecar'],
    restartPolicy: 'Always',
    resources: { requests: { cpu: '20m', memory: '80Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      runAsUser: 1337,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  });
  expect(sidecar?.securityContext?.capabilities).toEqual({ drop: ['ALL'] });
  expect(init).toMatchObject({
    args: ['init'],
    securityContext: { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] }, readOnlyRootFilesystem: true },
  });
});

test('probes and hooks of every kind go to the sidecar, each by a path of its own; exec and other hosts stay', () => {
  const exec = { exec: { command: ['true'] } };
  const elsewhere = { httpGet: { host: 'example.com', port: 80 } };
  const httpHeaders = [{ name: 'X', value: 'y' }];
  const { spec } = inject(
    pod({
      containers: [
        {
          ...APPLICATION,
          livenessProbe: {
            httpGet: { path: 'live?a=b', port: 'http', scheme: 'HTTPS', httpHeaders },
            timeoutSeconds: 5,
            periodSeconds: 3,
          },
          readinessProbe: { tcpSocket: { port: 8080 } },
          startupProbe: { grpc: { port: 9000, service: 'orders' }, failureThreshold: 9 },
          lifecycle: { postStart: exec, preStop: { httpGet: { path: '/stop', port: 8080 } } },
        },
        {
          name: 'other',
          livenessProbe: exec,
          readinessProbe: elsewhere,
          startupProbe: { grpc: { port: 9000, service: null } },
        },
      ],
    }),
  );
  const [first, second] = spec.containers;
  const at = (number: number): object => ({
    httpGet: { path: `/probe/${String(number).padStart(32, '0')}`, port: 15_020, scheme: 'HTTP' },
  });
  expect(first).toMatchObject({
    livenessProbe: { ...at(1), timeoutSeconds: 5, periodSeconds: 3 },
    readinessProbe: at(2),
    startupProbe: { ...at(3), failureThreshold: 9 },
    lifecycle: { postStart: exec, preStop: at(4) },
  });
  expect(first).not.toHaveProperty('readinessProbe.tcpSocket');
  expect(first).not.toHaveProperty('startupProbe.grpc');
  expect(second).toMatchObject({ livenessProbe: exec, readinessProbe: elsewhere, startupProbe: at(5) });
  expect(JSON.parse(variable(sidecarOf({ spec }), 'SALLYPORT_PROBES'))).toEqual([
    {
      token: '1'.padStart(32, '0'),
      timeoutSeconds: 5,
      http: { port: 8080, path: '/live?a=b', scheme: 'HTTPS', headers: httpHeaders },
    },
    { token: '2'.padStart(32, '0'), tcp: { port: 8080 } },
    { token: '3'.padStart(32, '0'), grpc: { port: 9000, service: 'orders' } },
    { token: '4'.padStart(32, '0'), http: { port: 8080, path: '/stop', scheme: 'HTTP' } },
    { token: '5'.padStart(32, '0'), grpc: { port: 9000 } },
  ]);
});

describe('a second time', () => {
  const probed = pod({ containers: [{ ...APPLICATION, livenessProbe: { tcpSocket: { port: 8080 } } }] });

  test('changes nothing', () => {
    const once = inject(probed);
    expect(jsonPatch(once, inject(once))).toEqual([]);
  });

  test('keeps paths of probes, takes in what another webhook added, and puts ours first again', () => {
    const token = countedTokens();
    const once = defaulted(inject(probed, token));
    const added = { name: 'late', readinessProbe: { tcpSocket: { port: 7000 } } };
    const twice = inject(
      {
        ...once,
        spec: {
          ...once.spec,
          initContainers: [{ name: 'early' }, ...(once.spec.initContainers ?? [])],
          containers: [...once.spec.containers, added],
        },
      },
      token,
    );
    expect(twice.spec.initContainers?.map(({ name }) => name)).toEqual([
      'sallyport-init',
      'sallyport',
      'early',
    ]);
    expect(twice.spec.volumes?.map(({ name }) => name)).toEqual(['sallyport', 'kube-api-access']);
    expect(twice.spec.containers[0]).toEqual(once.spec.containers[0]);
    expect(JSON.parse(variable(sidecarOf(twice), 'SALLYPORT_PROBES'))).toMatchObject([
      { token: '1'.padStart(32, '0') },
      { token: '2'.padStart(32, '0'), tcp: { port: 7000 } },
    ]);
  });

  test('makes ours anew, whatever was written into it', () => {
    const once = inject(probed);
    const forged = once.spec.initContainers?.map((container) =>
      container.name === 'sallyport'
        ? { ...container, image: 'evil', securityContext: { privileged: true } }
        : container,
    );
    expect(inject({ ...once, spec: { ...once.spec, initContainers: forged } })).toEqual(once);
  });
});

describe('a pod is refused', () => {
  const add = (name: string): object => ({ securityContext: { capabilities: { add: [name] } } });
  const once = inject(pod());
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['pod-malformed', 'that is none', { spec: { containers: 'web' } }],
    ['pod-malformed', 'without containers', { spec: {} }],
    ['pod-on-host-network', 'on its host', pod({ hostNetwork: true })],
    ['pod-in-host-processes', "among its host's processes", pod({ hostPID: true })],
    ['pod-on-windows', 'of Windows', pod({ os: { name: 'windows' } })],
    ['pod-on-windows', 'for nodes of Windows', pod({ nodeSelector: { 'kubernetes.io/os': 'windows' } })],
    ['pod-without-cluster-dns', "without the cluster's DNS", pod({ dnsPolicy: 'Default' })],
    [
      'container-runs-as-sidecar',
      'whose container is user 1337',
      pod({ containers: [{ ...APPLICATION, securityContext: { runAsUser: 1337 } }] }),
    ],
    ['container-runs-as-sidecar', 'that is user 1337', pod({ securityContext: { runAsUser: 1337 } })],
    [
      'container-may-change-rules',
      'with NET_ADMIN',
      pod({ containers: [{ ...APPLICATION, ...add('NET_ADMIN') }] }),
    ],
    [
      'container-may-change-rules',
      'with cap_net_admin',
      pod({ containers: [{ ...APPLICATION, ...add('cap_net_admin') }] }),
    ],
    ['container-may-change-rules', 'with ALL', pod({ initContainers: [{ name: 'i', ...add('ALL') }] })],
    [
      'container-may-change-rules',
      'that is privileged',
      pod({ ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }] }),
    ],
    ['other-mesh', 'of Istio', pod({ initContainers: [{ name: 'istio-proxy' }] })],
    ['other-mesh', 'that Istio injected', pod({}, { annotations: { 'sidecar.istio.io/status': '{}' } })],
    ['other-mesh', 'of Linkerd', pod({ containers: [APPLICATION, { name: 'linkerd-proxy' }] })],
    [
      'sidecar-not-ours',
      'with a sidecar by hand',
      pod({ initContainers: [{ name: 'sallyport', args: ['sidecar'] }] }),
    ],
    ['sidecar-not-ours', 'with a container of that name', pod({ containers: [{ name: 'sallyport' }] })],
    ['sidecar-not-ours', 'with our volume', pod({ volumes: [{ name: 'sallyport', emptyDir: {} }] })],
    [
      'sidecar-not-ours',
      'with the mark alone',
      pod({}, { annotations: { 'mesh.sallyport.dev/injected': '1' } }),
    ],
    [
      'sidecar-not-ours',
      'that lost its rules',
      { ...once, spec: { ...once.spec, initContainers: once.spec.initContainers?.slice(1) } },
    ],
    [
      'sidecar-not-ours',
      'whose probes nobody can read',
      {
        ...once,
        spec: {
          ...once.spec,
          initContainers: once.spec.initContainers?.map((each) => ({ ...each, env: [] })),
        },
      },
    ],
    [
      'port-reserved',
      'on our port',
      pod({ containers: [{ ...APPLICATION, ports: [{ containerPort: 15_006 }] }] }),
    ],
    [
      'port-reserved',
      'that is asked at our port',
      pod({ containers: [{ ...APPLICATION, livenessProbe: { tcpSocket: { port: 15_001 } } }] }),
    ],
    [
      'probe-unusable',
      'whose probe names no port',
      pod({ containers: [{ ...APPLICATION, livenessProbe: { httpGet: { port: 'admin' } } }] }),
    ],
    ['choice-wrong', 'with a wrong label', pod({}, { labels: { 'mesh.sallyport.dev/inject': 'true' } })],
    [
      'choice-wrong',
      'with an annotation that there is not',
      pod({}, { annotations: { 'mesh.sallyport.dev/exclude-ports': '80' } }),
    ],
    [
      'choice-wrong',
      'with wrong ports',
      pod({}, { annotations: { 'mesh.sallyport.dev/exclude-inbound-ports': '80; flush ruleset' } }),
    ],
    [
      'choice-wrong',
      'without the port of the proof',
      pod({}, { annotations: { 'mesh.sallyport.dev/exclude-inbound-ports': '15021' } }),
    ],
    [
      'choice-wrong',
      'with a wrong amount',
      pod({}, { annotations: { 'mesh.sallyport.dev/sidecar-cpu-limit': 'much' } }),
    ],
    [
      'choice-wrong',
      'with a wrong server-first port',
      pod({}, { annotations: { 'mesh.sallyport.dev/server-first-ports': '3306,0' } }),
    ],
  ];
  test.each(cases)('%s: one %s', (code, _, value) => {
    expect(codes(refused(value))).toEqual([code]);
  });

  test('with every reason at once', () => {
    const wrong = pod({ hostNetwork: true, hostPID: true, dnsPolicy: 'Default' });
    expect(codes(refused(wrong))).toEqual([
      'pod-on-host-network',
      'pod-in-host-processes',
      'pod-without-cluster-dns',
    ]);
  });
});

test('annotations reach the container that they are for', () => {
  const annotations = {
    'mesh.sallyport.dev/exclude-outbound-ports': '5432, 8000-8100',
    'mesh.sallyport.dev/include-inbound-ports': '8080',
    'mesh.sallyport.dev/server-first-ports': '3306, 25',
    'mesh.sallyport.dev/sidecar-cpu-limit': '500m',
    'mesh.sallyport.dev/sidecar-memory-request': '128Mi',
  };
  const injected = inject(pod({}, { annotations }));
  const [init] = injected.spec.initContainers ?? [];
  expect(variable(init!, 'SALLYPORT_EXCLUDE_OUTBOUND_PORTS')).toBe('5432, 8000-8100');
  // Else the pod could never prove that it is captured.
  expect(variable(init!, 'SALLYPORT_INCLUDE_INBOUND_PORTS')).toBe('8080,15021');
  expect(JSON.parse(variable(sidecarOf(injected), 'SALLYPORT_CONFIG'))).toMatchObject({
    serverFirstPorts: [3306, 25],
  });
  expect(sidecarOf(injected).resources).toEqual({
    requests: { cpu: '20m', memory: '128Mi' },
    limits: { cpu: '500m', memory: '256Mi' },
  });
});

test("a null field is one that isn't there", () => {
  const given = {
    metadata: null,
    spec: { containers: [{ ...APPLICATION, lifecycle: null }], initContainers: null, volumes: null },
  };
  expect(inject(given).spec.initContainers).toHaveLength(2);
});

describe('telemetry', () => {
  const telemetry = { ...SETTINGS, otlpEndpoint: 'http://collector.telemetry:4318' };
  const labels = { 'pod-template-hash': '5d4f6c7b8' };
  const ownerReferences = [{ kind: 'ReplicaSet', name: 'web-5d4f6c7b8', controller: true }];
  const sidecar = (settings: typeof SETTINGS, metadata: object): Container => {
    const injected = injectPod(pod({}, metadata), settings, countedTokens());
    if (!injected.ok) throw new Error(codes(injected.error).join());
    return sidecarOf(injected.value);
  };

  test('goes to the endpoint with the attributes of the pod, under the name of its workload', () => {
    const container = sidecar(telemetry, { labels, ownerReferences });
    expect(variable(container, 'OTEL_EXPORTER_OTLP_ENDPOINT')).toBe('http://collector.telemetry:4318');
    expect(variable(container, 'OTEL_SERVICE_NAME')).toBe('web');
    expect(JSON.parse(variable(container, 'SALLYPORT_CONFIG'))).toMatchObject({ service: 'web' });
    expect(variable(container, 'OTEL_RESOURCE_ATTRIBUTES').split(',')).toEqual([
      'service.namespace=$(SALLYPORT_NAMESPACE)',
      'service.instance.id=$(SALLYPORT_NAMESPACE).$(SALLYPORT_POD).sallyport',
      'k8s.namespace.name=$(SALLYPORT_NAMESPACE)',
      'k8s.pod.name=$(SALLYPORT_POD)',
      'k8s.pod.uid=$(SALLYPORT_POD_UID)',
      'k8s.node.name=$(SALLYPORT_NODE)',
      'k8s.container.name=sallyport',
    ]);
    // Kubernetes replaces $(X) only where X stands earlier in the list.
    const names = container.env?.map(({ name }) => name) ?? [];
    for (const [, used = ''] of JSON.stringify(container.env).matchAll(/\$\(([A-Z_]+)\)/g)) {
      expect(names.indexOf(used)).toBeGreaterThanOrEqual(0);
      expect(names.indexOf(used)).toBeLessThan(names.indexOf('OTEL_EXPORTER_OTLP_ENDPOINT'));
    }
  });

  test('without an endpoint goes nowhere; without a name of the workload it is called by its account', () => {
    expect(sidecar(SETTINGS, {}).env?.some(({ name }) => name?.startsWith('OTEL_'))).toBe(false);
    expect(variable(sidecar(telemetry, {}), 'OTEL_SERVICE_NAME')).toBe('$(SALLYPORT_SERVICE_ACCOUNT)');
    expect(JSON.parse(variable(sidecar(telemetry, {}), 'SALLYPORT_CONFIG'))).not.toHaveProperty('service');
  });
});
