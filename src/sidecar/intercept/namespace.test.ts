import { expect, test } from 'vitest';
import { hostNamespaceRefusal, type NamespaceFacts, namespaceFacts, type PodFacts } from './namespace.ts';

const POD_NAMESPACE: NamespaceFacts = {
  link: 'net:[4026532177]',
  kernelSettings: false,
  addresses: ['127.0.0.1', '10.244.1.5', 'fd00::5'],
  netAdmin: true,
  ipv6: true,
};
const NO_POD: PodFacts = { inKubernetes: false, hostAddresses: undefined };
const pod = (...hostAddresses: string[]): PodFacts => ({ inKubernetes: true, hostAddresses });

function codeOf(facts: Partial<NamespaceFacts>, podFacts: PodFacts = NO_POD): string | undefined {
  return hostNamespaceRefusal({ ...POD_NAMESPACE, ...facts }, podFacts)?.reason.code;
}

test('a namespace of its own is taken', () => {
  expect(codeOf({})).toBeUndefined();
  expect(codeOf({}, pod('192.168.1.10', 'fd11::10'))).toBeUndefined();
});

test('the first namespace of the kernel is refused by its number or by its settings', () => {
  expect(codeOf({ link: 'net:[4026531833]' })).toBe('host-network-namespace');
  expect(codeOf({ kernelSettings: true })).toBe('host-network-namespace');
});

test("a pod that has its node's address shares the node's network", () => {
  expect(codeOf({ addresses: ['127.0.0.1', '192.168.1.10'] }, pod('192.168.1.10'))).toBe(
    'host-network-namespace',
  );
  expect(codeOf({ addresses: ['fd11::10'] }, pod('192.168.1.10', 'fd11:0:0::10'))).toBe(
    'host-network-namespace',
  );
});

test('what cannot be told is refused', () => {
  expect(codeOf({ link: undefined })).toBe('namespace-unproved');
  expect(codeOf({ kernelSettings: undefined })).toBe('namespace-unproved');
  expect(codeOf({}, { inKubernetes: true, hostAddresses: undefined })).toBe('namespace-unproved');
  expect(codeOf({}, pod())).toBe('namespace-unproved');
});

test.each([' 192.168.1.10', '192.168.1.10/24', '$(HOST_IP)', 'node-1'])(
  '%j as an address of the node proves nothing',
  (text) => {
    expect(codeOf({ addresses: ['192.168.1.10'] }, pod(text))).toBe('namespace-unproved');
    expect(codeOf({}, pod('192.168.1.10', text))).toBe('namespace-unproved');
  },
);

test('the facts of this process are read', (context) => {
  if (process.platform !== 'linux') context.skip('needs Linux');
  const facts = namespaceFacts();
  expect(facts.link).toMatch(/^net:\[\d+\]$/);
  expect(facts.kernelSettings).toBeTypeOf('boolean');
  expect(facts.addresses).toContain('127.0.0.1');
});
