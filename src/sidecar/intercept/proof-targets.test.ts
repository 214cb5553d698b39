import { expect, test } from 'vitest';
import { proofTargets } from './proof-targets.ts';
import { settingsOf } from './testing/settings.ts';

const INTERFACES = [
  { address: '127.0.0.1', cidr: '127.0.0.1/8', internal: true },
  { address: '10.0.0.4', cidr: '10.0.0.4/24', internal: false },
  { address: 'fd00::a', cidr: 'fd00::a/64', internal: false },
  { address: 'fe80::1', cidr: 'fe80::1/64', internal: false },
  { address: '10.9.9.9', cidr: '10.9.9.9/32', internal: false },
];

function targets(texts: Parameters<typeof settingsOf>[0], family: 'ipv4' | 'ipv6'): string[] {
  return proofTargets(settingsOf(texts), family, INTERFACES).map(({ host, port }) => `${host} ${port}`);
}

test('addresses that nobody has come first, then neighbours on the same network', () => {
  expect(targets({}, 'ipv4')).toEqual(['192.0.2.1 1', '198.51.100.1 1', '203.0.113.1 1', '10.0.0.5 1']);
  expect(targets({}, 'ipv6')).toEqual(['2001:db8::1 1', '3fff::1 1', 'fd00::b 1']);
});

test('only what the settings capture', () => {
  expect(
    targets({ excludeOutboundNetworks: '192.0.2.0/24', excludeOutboundPorts: '1-1000' }, 'ipv4')[0],
  ).toBe('198.51.100.1 1001');
  expect(
    targets({ includeOutboundNetworks: '172.16.0.0/12', includeOutboundPorts: '80,443' }, 'ipv4'),
  ).toEqual(['172.16.0.0 80']);
  expect(targets({ includeOutboundNetworks: '172.16.0.0/12' }, 'ipv6')).toEqual([]);
  expect(targets({ includeOutboundPorts: '80', excludeOutboundPorts: '80' }, 'ipv4')).toEqual([]);
});
