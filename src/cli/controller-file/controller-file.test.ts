import { expect, test } from 'vitest';
import { sayProblem } from '../mesh-file/problem.ts';
import { parseControllerFile } from './controller-file.ts';

const POD = { namespace: 'sallyport-system', serviceAccount: undefined, pod: 'controller-0' };
const LEAST = 'trustDomain: shop.example\nclusterNetworks: [10.244.0.0/16, 10.96.0.0/12]\n';

function mistakes(text: string, pod: Parameters<typeof parseControllerFile>[2] = POD): string {
  const parsed = parseControllerFile('controller.yaml', text, pod);
  return parsed.ok ? 'none' : parsed.error.map(sayProblem).join('\n');
}

test('two fields are enough; the rest has values that fit a cluster', () => {
  const parsed = parseControllerFile('controller.yaml', LEAST, POD);
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      audience: 'sallyport',
      namespace: 'sallyport-system',
      serviceAccount: 'sallyport-controller',
      pod: 'controller-0',
      leafLifetimeMilliseconds: 6 * 3_600_000,
      intermediateLifetimeMilliseconds: 720 * 3_600_000,
      ports: { grpc: 15_010, status: 15_014 },
      names: { stateSecret: 'sallyport-ca', trustBundle: 'sallyport-trust-bundle' },
    },
  });
});

test('every mistake is said at once, each with its line', () => {
  const text = 'trustDomain: Shop\nclusterNetworks: [10.244.0.0/99]\nleafLifetime: 1m\nprots: {}\n';
  const said = mistakes(text, { namespace: undefined, serviceAccount: undefined, pod: undefined });
  expect(said).toContain('controller.yaml:1:14: trustDomain: a trust domain');
  expect(said).toContain('controller.yaml:2:');
  expect(said).toContain('controller.yaml:3:15: leafLifetime: at least 2m');
  expect(said).toContain('unknown field prots');
});

test('lifetimes that contradict each other, and an unknown own pod, are refused', () => {
  expect(mistakes(`${LEAST}leafLifetime: 24h\nintermediateLifetime: 48h\n`)).toContain('at least 3 times');
  expect(mistakes(LEAST, { ...POD, pod: undefined })).toContain('SALLYPORT_POD');
});

test('a signer of PodCertificateRequests has a name of its own, and leaves live an hour at least', () => {
  const section = (name: string): string => `${LEAST}podCertificates: {signerName: ${name}}\n`;
  expect(parseControllerFile('controller.yaml', section('mesh.sallyport.dev/workload'), POD)).toMatchObject({
    ok: true,
    value: { podCertificates: { signerName: 'mesh.sallyport.dev/workload' } },
  });
  for (const name of ['workload', 'kubernetes.io/x', 'a.kubernetes.io/x', 'UPPER.example/x', 'a.example/']) {
    expect(mistakes(section(name))).toContain('a signer is named like');
  }
  expect(mistakes(`${section('a.example/b')}leafLifetime: 30m\n`)).toContain(
    '4:15: with podCertificates, at least 1h',
  );
});
