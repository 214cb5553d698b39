import { describe, expect, test } from 'vitest';
import { trim } from './kinds.ts';

const metadata = {
  name: 'web',
  namespace: 'shop',
  uid: 'uid-web',
  creationTimestamp: '2026-01-01T00:00:00Z',
};

function pod(spec: object, status: object = {}, more: object = {}) {
  return trim('pods', 'shop/web', { metadata: { ...metadata, ...more }, spec, status }).record;
}

describe('a pod', () => {
  test('is trimmed to what an answer needs', () => {
    expect(
      pod(
        { serviceAccountName: 'web', nodeName: 'n1', containers: [{ name: 'app', image: 'x' }] },
        {
          phase: 'Running',
          startTime: '2026-01-01T00:00:05Z',
          podIP: '10.1.0.1',
          podIPs: [{ ip: '10.1.0.1' }, { ip: 'FD00:0::1' }, { ip: 'nonsense' }],
        },
      ),
    ).toEqual({
      uid: 'uid-web',
      namespace: 'shop',
      name: 'web',
      serviceAccount: 'web',
      meshed: false,
      hostNetwork: false,
      ended: false,
      terminating: false,
      since: Date.UTC(2026, 0, 1, 0, 0, 5),
      addresses: ['10.1.0.1', 'fd00::1'],
    });
  });

  test('that has not started, ended or is about to go', () => {
    expect(pod({})).toMatchObject({ serviceAccount: 'default', since: Date.UTC(2026, 0, 1), addresses: [] });
    expect(pod({}, { podIP: '10.1.0.1' })).toMatchObject({ addresses: ['10.1.0.1'] });
    expect(pod({}, { phase: 'Succeeded' })).toMatchObject({ ended: true });
    expect(pod({}, { phase: 'Failed' })).toMatchObject({ ended: true });
    expect(pod({}, {}, { deletionTimestamp: '2026-01-01T00:00:30Z' })).toMatchObject({ terminating: true });
    expect(pod({ hostNetwork: true })).toMatchObject({ hostNetwork: true });
  });

  const sidecar = { name: 'sallyport', args: ['sidecar', '-c', '/etc/sallyport/sidecar.yaml'] };

  test.each([
    ['a native sidecar', { initContainers: [{ ...sidecar, restartPolicy: 'Always' }] }, true],
    ['a container', { containers: [{ name: 'app' }, sidecar] }, true],
    [
      'one that is started by a command',
      { containers: [{ name: 'sallyport', command: ['node', 'main.ts', 'sidecar'] }] },
      true,
    ],
    ['an init container that ends', { initContainers: [sidecar] }, false],
    [
      'init alone',
      { initContainers: [{ name: 'sallyport', args: ['init'], restartPolicy: 'Always' }] },
      false,
    ],
    ['another name', { containers: [{ ...sidecar, name: 'proxy' }] }, false],
    ['an ephemeral container, which anybody may add later', { ephemeralContainers: [sidecar] }, false],
    ['no containers', {}, false],
  ])('is meshed by its spec: %s', (_, spec, expected) => {
    expect(pod(spec)).toMatchObject({ meshed: expected });
  });

  test('is not meshed by what can be changed', () => {
    const labels = { 'sallyport.dev/meshed': 'true' };
    expect(
      pod({ containers: [{ name: 'app', image: 'sallyport' }] }, {}, { labels, annotations: labels }),
    ).toMatchObject({
      meshed: false,
    });
  });
});

describe('a Service', () => {
  const service = (spec: object, status: object = {}) =>
    trim('services', 'shop/web', { metadata, spec, status }).record;

  test('is trimmed to what an answer needs', () => {
    expect(
      service(
        {
          clusterIPs: ['10.96.0.1', 'fd00:96::1'],
          externalIPs: ['203.0.113.1'],
          sessionAffinity: 'ClientIP',
          internalTrafficPolicy: 'Local',
          trafficDistribution: 'PreferClose',
          ports: [
            { name: 'http', port: 80, targetPort: 'web', nodePort: 30_080 },
            { name: 'dns', port: 53, protocol: 'UDP' },
            { name: 'admin', port: 81, targetPort: 8081, protocol: 'TCP', nodePort: 0 },
          ],
        },
        {
          loadBalancer: {
            ingress: [{ ip: '203.0.113.2' }, { ip: '203.0.113.3', ipMode: 'Proxy' }, { hostname: 'x' }],
          },
        },
      ),
    ).toEqual({
      namespace: 'shop',
      name: 'web',
      clusterAddresses: ['10.96.0.1', 'fd00:96::1'],
      externalAddresses: ['203.0.113.1', '203.0.113.2'],
      ports: [
        { name: 'http', port: 80, targetPort: undefined, nodePort: 30_080 },
        { name: 'admin', port: 81, targetPort: 8081, nodePort: undefined },
      ],
      affinityMilliseconds: 10_800_000,
      local: true,
      trafficDistribution: 'PreferSameZone',
    });
  });

  test('headless has no address, and ExternalName is none of ours', () => {
    expect(service({ clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 80 }] })).toMatchObject({
      clusterAddresses: [],
      ports: [{ name: '', port: 80 }],
    });
    expect(service({ type: 'ExternalName', externalName: 'db.example.org' })).toBeUndefined();
  });
});

describe('an EndpointSlice', () => {
  const slice = (more: object, labels: object = { 'kubernetes.io/service-name': 'web' }) =>
    trim('endpointslices', 'shop/web-1', { metadata: { ...metadata, labels }, addressType: 'IPv4', ...more })
      .record;

  test('is trimmed to what an answer needs', () => {
    const endpoint = (conditions: object | undefined) => ({
      addresses: ['10.1.0.1', '10.1.0.2'],
      conditions,
      nodeName: 'n1',
      zone: 'z1',
      targetRef: { kind: 'Pod', uid: 'uid-web' },
    });
    const record = slice({
      ports: [
        { name: 'http', port: 8080 },
        { port: 53, protocol: 'UDP' },
      ],
      endpoints: [
        endpoint(undefined),
        endpoint({ ready: false }),
        endpoint({ ready: false, serving: true, terminating: true }),
        endpoint({ ready: false, serving: false, terminating: true }),
        // publishNotReadyAddresses
        endpoint({ ready: true, serving: false, terminating: true }),
        endpoint({ terminating: true }),
        { addresses: ['web.example.org'] },
      ],
    });
    const common = { address: '10.1.0.1', node: 'n1', zone: 'z1', podUid: 'uid-web' };
    expect(record).toEqual({
      service: 'shop/web',
      family: 'IPv4',
      ports: new Map([['http', 8080]]),
      endpoints: [
        { ...common, ready: true, drains: false },
        { ...common, ready: false, drains: false },
        { ...common, ready: false, drains: true },
        { ...common, ready: false, drains: false },
        { ...common, ready: true, drains: false },
        { ...common, ready: false, drains: true },
      ],
    });
  });

  test('of no Service, of names or of nobody', () => {
    expect(slice({}, {})).toBeUndefined();
    expect(slice({ addressType: 'FQDN' })).toBeUndefined();
    expect(slice({ endpoints: null, ports: null })).toMatchObject({ endpoints: [], ports: new Map() });
    const reference = { addresses: ['10.1.0.1'], targetRef: { kind: 'Node', uid: 'x' } };
    expect(slice({ endpoints: [reference] })).toMatchObject({ endpoints: [{ podUid: undefined }] });
  });
});

test('a node', () => {
  expect(
    trim('nodes', 'n1', {
      metadata: { name: 'n1' },
      spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24', 'fd00::/64', '10.1.0.1/24'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.0.2.1' },
          { type: 'Hostname', address: 'n1' },
        ],
      },
    }).record,
  ).toEqual({ addresses: ['192.0.2.1'], podNetworks: ['10.1.0.0/24', 'fd00::/64'] });
});

test('a range of Service addresses', () => {
  const metadata = { name: 'kubernetes' };
  const record = (spec: object | undefined) => trim('servicecidrs', 'kubernetes', { metadata, spec }).record;
  expect(record({ cidrs: ['10.96.0.0/12', 'fd00:96::/112', 'nothing'] })).toEqual({
    networks: ['10.96.0.0/12', 'fd00:96::/112'],
  });
  expect(record(undefined)).toEqual({ networks: [] });
});
