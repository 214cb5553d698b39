import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { capturedAddresses } from './captured.ts';
import { FAMILIES } from './networks.ts';
import { proofTargets } from './proof-targets.ts';
import { parseCaptureSettings } from './settings.ts';
import { given, goodTexts, settingsOf } from './testing/settings.ts';

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
  expect(targets({}, 'ipv4').slice(0, 4)).toEqual([
    '192.0.2.1 1',
    '198.51.100.1 1',
    '203.0.113.1 1',
    '10.0.0.5 1',
  ]);
  expect(targets({}, 'ipv6').slice(0, 3)).toEqual(['2001:db8::1 1', '3fff::1 1', 'fd00::b 1']);
});

test('only what the settings capture', () => {
  expect(
    targets({ excludeOutboundNetworks: '192.0.2.0/24', excludeOutboundPorts: '1-1000' }, 'ipv4')[0],
  ).toBe('198.51.100.1 1001');
  expect(
    targets({ includeOutboundNetworks: '172.16.0.0/12', includeOutboundPorts: '80,443' }, 'ipv4'),
  ).toEqual(['172.16.0.0 80']);
  expect(targets({ includeOutboundNetworks: '172.16.0.0/12' }, 'ipv6')).toEqual([]);
});

test('a family of which anything is captured has a target, whatever is excluded', () => {
  const excludeOutboundNetworks = '10.0.0.0/8,192.0.2.0/24,198.51.100.0/24,203.0.113.0/24,2000::/3,fd00::/8';
  expect(targets({ excludeOutboundNetworks }, 'ipv4')[0]).toBe('1.0.0.0 1');
  expect(targets({ excludeOutboundNetworks }, 'ipv6')[0]).toBe('::2 1');
  fc.assert(
    fc.property(goodTexts, fc.constantFrom(...FAMILIES), (texts, family) => {
      const parsed = parseCaptureSettings(given(texts));
      fc.pre(parsed.ok);
      const found = proofTargets(parsed.value, family, INTERFACES);
      expect(found.length > 0).toBe(capturedAddresses(parsed.value, family).length > 0);
    }),
  );
});
