import type { TestApiServer } from '#controller/testing';

const PODS = '/api/v1/pods';
const SERVICES = '/api/v1/services';
const SLICES = '/apis/discovery.k8s.io/v1/endpointslices';

export function serviceAddress(index: number): string {
  return `10.96.${index >> 8}.${index & 255}`;
}

/** Of the Service that every sidecar asks for. */
export const SHARED: string = serviceAddress(0);

/** Services with two pods each, as large as pods of a real cluster are on the wire. */
export function fillCluster(api: TestApiServer, services: number): void {
  for (let index = 0; index < services; index += 1) {
    const name = `service-${index}`;
    const metadata = { name, namespace: 'shop', managedFields: FIELDS };
    api.put(SERVICES, {
      metadata,
      spec: { clusterIPs: [serviceAddress(index)], ports: [{ port: 80, targetPort: 8080 }] },
    });
    for (const half of [0, 1]) putPod(api, `${name}-${half}`, podAddress(index * 2 + half));
    putSlice(
      api,
      name,
      [0, 1].map((half) => endpoint(`${name}-${half}`, podAddress(index * 2 + half))),
    );
  }
}

/** A new pod for the shared Service; its address, which nothing else mentions. */
export function addPod(api: TestApiServer, round: number): string {
  const address = `10.3.0.${round + 1}`;
  putPod(api, `moved-${round}`, address);
  return address;
}

/** Gives the shared Service that pod as its endpoint. */
export function moveShared(api: TestApiServer, round: number, address: string): void {
  putSlice(api, 'service-0', [endpoint(`moved-${round}`, address)]);
}

function podAddress(index: number): string {
  return `10.2.${index >> 8}.${index & 255}`;
}

function endpoint(pod: string, address: string): object {
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: 'node-1',
    zone: 'zone-1',
    targetRef: { kind: 'Pod', name: pod, namespace: 'shop', uid: `uid-shop/${pod}` },
  };
}

function putSlice(api: TestApiServer, service: string, endpoints: readonly object[]): void {
  api.put(SLICES, {
    metadata: {
      name: `${service}-1`,
      namespace: 'shop',
      labels: { 'kubernetes.io/service-name': service },
      managedFields: FIELDS,
    },
    addressType: 'IPv4',
    ports: [{ port: 8080, protocol: 'TCP' }],
    endpoints,
  });
}

function putPod(api: TestApiServer, name: string, ip: string): void {
  const container = (own: string, args: string[]) => ({
    name: own,
    image: `registry.example.org/shop/${own}:1.2.3`,
    args,
    env: Array.from({ length: 10 }, (_, index) => ({ name: `SETTING_${index}`, value: 'x'.repeat(40) })),
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [{ name: 'kube-api-access', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
  });
  api.put(PODS, {
    metadata: { name, namespace: 'shop', labels: { app: name }, managedFields: FIELDS },
    spec: {
      serviceAccountName: name,
      nodeName: 'node-1',
      containers: [container('app', []), container('sallyport', ['sidecar'])],
    },
    status: { phase: 'Running', podIPs: [{ ip }], startTime: '2026-01-01T00:00:00Z' },
  });
}

/** What the API server adds to every object: most of what comes over the wire, and nothing that is kept. */
const FIELDS = [
  {
    manager: 'kubelet',
    operation: 'Update',
    fieldsV1: Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`f:field-${index}`, { 'f:value': {} }]),
    ),
  },
];
