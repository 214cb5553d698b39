import { describe, expect, test } from 'vitest';
import { sayProblem } from '../mesh-file/problem.ts';
import { parseDestinations } from './destinations-file.ts';
import { parseSidecarFile, type PodNames } from './sidecar-file.ts';

const NO_POD = { namespace: undefined, serviceAccount: undefined, name: undefined };
const SIDECAR = `
trustDomain: mesh.test
workload: { namespace: shop, serviceAccount: orders }
certificate: identity/tls.crt
key: identity/tls.key
trustBundle: /run/trust/ca.crt
policies: [policies]
destinations: destinations.yaml
`;

describe('sidecar.yaml', () => {
  const read = (text: string, pod: PodNames = NO_POD) =>
    parseSidecarFile('/etc/sallyport/sidecar.yaml', text, pod);
  const wrong = (text: string): string[] => {
    const parsed = read(text);
    return parsed.ok ? [] : parsed.error.map(sayProblem);
  };

  test('is read with what it leaves out', () => {
    expect(read(SIDECAR)).toEqual({
      ok: true,
      value: {
        service: 'orders',
        trustDomain: 'mesh.test',
        rootNamespace: 'sallyport',
        workload: { namespace: 'shop', serviceAccount: 'orders', name: 'orders', labels: {} },
        source: {
          kind: 'files',
          certificate: '/etc/sallyport/identity/tls.crt',
          key: '/etc/sallyport/identity/tls.key',
          destinations: '/etc/sallyport/destinations.yaml',
        },
        trustBundle: '/run/trust/ca.crt',
        policies: ['/etc/sallyport/policies'],
        defaults: { tlsMode: 'Strict', unselected: 'Deny' },
        serverFirstPorts: [],
        probes: [],
        ports: { inbound: 15_006, outbound: 15_001, admin: 15_000, status: 15_020, verification: 15_021 },
      },
    });
  });

  test('lives on a controller in place of three files', () => {
    const controller = SIDECAR.replace(/(certificate|key|destinations): .*\n/g, '');
    const least = `${controller}controller: { host: controller.mesh.svc, token: token }\n`;
    expect(read(least)).toMatchObject({
      ok: true,
      value: {
        source: {
          kind: 'controller',
          host: 'controller.mesh.svc',
          port: 15_010,
          namespace: 'sallyport',
          serviceAccount: 'sallyport-controller',
          token: '/etc/sallyport/token',
        },
      },
    });
    expect(wrong(controller)).toEqual([
      '/etc/sallyport/sidecar.yaml:2:1: certificate is missing: name the file, or a controller',
      '/etc/sallyport/sidecar.yaml:2:1: key is missing: name the file, or a controller',
      '/etc/sallyport/sidecar.yaml:2:1: destinations is missing: name the file, or a controller',
    ]);
    const none = least.replace('[policies]', '[]');
    expect(wrong(none)).toEqual([]);
    expect(wrong(SIDECAR.replace('[policies]', '[]'))).toEqual([
      expect.stringContaining('name at least one file or folder of policies'),
    ]);
    expect(wrong(`${least}key: tls.key\n`)).toEqual([
      '/etc/sallyport/sidecar.yaml:7:6: key stands beside controller, which gives it: leave one out',
    ]);
  });

  test('what the pod says of itself outweighs it', () => {
    const pod = { namespace: 'other', serviceAccount: 'web', name: 'web-7d9' };
    expect(read(SIDECAR, pod)).toMatchObject({ ok: true, value: { service: 'web', workload: pod } });
    const shared = SIDECAR.replace(/workload:.*\n/, '');
    expect(read(shared, pod)).toMatchObject({ ok: true, value: { workload: pod } });
    expect(wrong(shared)).toEqual([
      '/etc/sallyport/sidecar.yaml:2:1: namespace is missing: write it, or set SALLYPORT_NAMESPACE',
      '/etc/sallyport/sidecar.yaml:2:1: serviceAccount is missing: write it, or set SALLYPORT_SERVICE_ACCOUNT',
    ]);
  });

  test('every mistake at its place', () => {
    const text = SIDECAR.replace('mesh.test', 'Mesh Test');
    expect(
      wrong(`${text}serverFirstPorts: [0]\nports: { inbuond: 1 }\ndefaults: { tlsMode: strict }\n`),
    ).toEqual([
      expect.stringContaining(':2:14: trustDomain: a trust domain is a name'),
      expect.stringContaining(':9:20: item 1: a port is at least 1'),
      expect.stringContaining(':10:10: unknown field inbuond'),
      expect.stringContaining(':11:22: tlsMode: Invalid option'),
    ]);
  });
});

describe('probes', () => {
  const TOKEN = 'c0ffee'.repeat(6);
  const OTHER = 'decade'.repeat(6);
  const read = (probes: string, environment?: string) =>
    parseSidecarFile('/etc/sallyport/sidecar.yaml', `${SIDECAR}${probes}`, {
      ...NO_POD,
      probes: environment,
    });
  const wrong = (probes: string, environment?: string): string[] => {
    const parsed = read(probes, environment);
    return parsed.ok ? [] : parsed.error.map(sayProblem);
  };

  test('are of three kinds', () => {
    const parsed = read(`
probes:
  - token: ${TOKEN}
    http: { port: 8080, path: /live?full, scheme: HTTPS, headers: [{ name: X-Probe, value: a }] }
  - { token: ${OTHER}, timeoutSeconds: 5, tcp: { port: 5432 } }
  - { token: ${TOKEN}2, grpc: { port: 9000 } }
`);
    expect(parsed.ok ? parsed.value.probes : parsed.error).toEqual([
      {
        token: TOKEN,
        timeoutMilliseconds: 60_000,
        target: {
          kind: 'http',
          port: 8_080,
          path: '/live?full',
          scheme: 'HTTPS',
          headers: [{ name: 'X-Probe', value: 'a' }],
        },
      },
      { token: OTHER, timeoutMilliseconds: 5_000, target: { kind: 'tcp', port: 5_432 } },
      { token: `${TOKEN}2`, timeoutMilliseconds: 60_000, target: { kind: 'grpc', port: 9_000, service: '' } },
    ]);
  });

  test('those of the environment are in place of those of the file', () => {
    const file = `probes: [{ token: ${TOKEN}, tcp: { port: 1 } }]`;
    const parsed = read(file, JSON.stringify([{ token: OTHER, tcp: { port: 2 } }]));
    expect(parsed).toMatchObject({ ok: true, value: { probes: [{ token: OTHER, target: { port: 2 } }] } });
    expect(wrong(file, '[{ token: short, tcp: { port: 2 } }]')).toEqual([
      expect.stringMatching(
        /^SALLYPORT_PROBES:1:11: token: a token is 32 to 128 letters.*`openssl rand -hex 16`/,
      ),
    ]);
    expect(wrong(file, '{')).toEqual([expect.stringMatching(/^SALLYPORT_PROBES:1:\d+: not valid YAML/)]);
  });

  test('every mistake at its place, and no token in what is said', () => {
    const said = wrong(`
probes:
  - { token: ${TOKEN}, tcp: { port: 80 }, grpc: { port: 81 } }
  - { token: ${TOKEN} }
`);
    expect(said).toEqual([
      expect.stringContaining(':11:5: item 1: say one of http, tcp and grpc'),
      expect.stringContaining(':12:5: item 2: say one of http, tcp and grpc'),
    ]);
    const doubles = wrong(`
probes:
  - { token: ${TOKEN}, tcp: { port: 15006 } }
  - { token: ${TOKEN}, tcp: { port: 80 } }
`);
    expect(doubles).toEqual([
      expect.stringContaining(":11:65: port: 15006 is the sidecar's own (inbound)"),
      expect.stringContaining(':12:14: token: another probe has the same one'),
    ]);
    expect([...said, ...doubles].join()).not.toContain(TOKEN);
    const headers = (text: string): string[] =>
      wrong(`\nprobes: [{ token: ${TOKEN}, http: { port: 80, headers: [${text}] } }]`);
    expect(headers('{ name: "a b", value: x }')).toEqual([expect.stringContaining('a header has a name')]);
    expect(headers('{ name: a, value: "x\\r\\nb: y" }')).toEqual([
      expect.stringContaining('a value of one line'),
    ]);
    expect(headers('{ name: Transfer-Encoding, value: chunked }')).toEqual([
      expect.stringContaining('for the connection'),
    ]);
  });
});

describe('destinations.yaml', () => {
  const ORDERS = 'spiffe://mesh.test/ns/shop/sa/orders';
  const kindAt = (text: string, host: string, port: number): string => {
    const parsed = parseDestinations('d.yaml', text, 15_020);
    if (!parsed.ok) throw new Error(parsed.error.map(sayProblem).join('\n'));
    return parsed.value.destinationOf({ host, port }, () => false).kind;
  };
  const wrong = (text: string): string[] => {
    const parsed = parseDestinations('d.yaml', text, 15_020);
    return parsed.ok ? [] : parsed.error.map(sayProblem);
  };
  const TEXT = `
clusterNetworks: [10.0.0.0/8, "fd00::/8"]
destinations:
  - service: orders.shop
    networks: [10.96.0.7/32, "fd00:96::7/128"]
    ports: [{ port: 80, targetPort: 8080 }, 443]
    identities: [${ORDERS}]
    endpoints: [10.1.0.4]
  - networks: [10.1.0.0/16]
    identities: [${ORDERS}]
  - networks: [10.96.0.10/32]
    unmeshed: true
`;

  test('networks times ports are bounded before they are multiplied', () => {
    const many = (count: number): string =>
      Array.from({ length: count }, (_, index) => `10.${index >> 8}.${index & 255}.1/32`).join(',');
    const ports = Array.from({ length: 2000 }, (_, index) => index + 1).join(',');
    const row = `destinations: [{ networks: [${many(2000)}], ports: [${ports}], unmeshed: true }]`;
    expect(wrong(`clusterNetworks: []\n${row}`)).toEqual([
      expect.stringContaining('make more than 65536 entries, each network with each port'),
    ]);
  });

  test('say whom addresses stand for', () => {
    expect(kindAt(TEXT, '10.96.0.7', 80)).toBe('service');
    expect(kindAt(TEXT, 'fd00:96::7', 443)).toBe('service');
    expect(kindAt(TEXT, '10.96.0.7', 81)).toBe('unknown');
    expect(kindAt(TEXT, '10.1.200.1', 5432)).toBe('meshed');
    expect(kindAt(TEXT, '10.96.0.10', 53)).toBe('unmeshed');
    expect(kindAt(TEXT, '192.0.2.1', 443)).toBe('egress');
    expect(kindAt('clusterNetworks: []', '10.1.0.1', 443)).toBe('egress');
  });

  test('every mistake at its place', () => {
    expect(wrong('destinations: []')).toEqual(['d.yaml:1:1: clusterNetworks is missing']);
    expect(
      wrong(`
clusterNetworks: [10.0.0.1/8]
destinations:
  - networks: [10.1.0.0/16]
  - { networks: [10.2.0.0/16], identities: [nobody], unmeshed: true }
  - networks: [10.3.0.0/16, 10.4.0.0]
    identities: [${ORDERS}, spiffe://other.test/ns/a/sa/b, http://x]
    endpoints: [localhost]
    ports: [70000]
  - { networks: [10.5.0.0/16], unmeshed: true }
  - { networks: [10.5.0.0/16], unmeshed: true, ports: [80] }
  - { networks: [10.5.0.0/16], ports: [80], identities: [${ORDERS}] }
`),
    ).toEqual([
      expect.stringContaining(':2:19: "10.0.0.1/8" has bits set after its prefix'),
      expect.stringContaining(':4:5: item 1: say either the identities'),
      expect.stringContaining(':5:5: item 2: say either the identities'),
      expect.stringMatching(/:9:13: item 1: a port is at most 65535/),
      expect.stringContaining(':12:5: 10.5.0.0/16 port 80 is said twice'),
    ]);
    expect(
      wrong(`
clusterNetworks: []
destinations:
  - networks: [10.3.0.0/16, 10.4.0.0]
    identities: [${ORDERS}, spiffe://other.test/ns/a/sa/b, http://x]
    endpoints: [localhost]
`),
    ).toEqual([
      expect.stringContaining(':4:29: "10.4.0.0" has no prefix length'),
      expect.stringContaining(':5:17: the identities are of several trust domains'),
      expect.stringMatching(/:5:\d+: .*http:\/\/x/),
      expect.stringContaining(':6:17: "localhost" is no IP address'),
    ]);
  });
});
