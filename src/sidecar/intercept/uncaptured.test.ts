import { expect, test } from 'vitest';
import { settingsOf } from './testing/settings.ts';
import { saysUncaptured } from './uncaptured.ts';

test('by default the status port only', () => {
  expect(saysUncaptured(settingsOf())).toEqual([
    'Not captured from the network: port 15020, the status port of the sidecar.',
  ]);
  expect(saysUncaptured(settingsOf({ statusPort: '8080' }))[0]).toContain('port 8080');
});

test('all that passes, by ports, networks and families', () => {
  const settings = settingsOf({
    excludeInboundPorts: '81,90-99',
    includeInboundPorts: '80-100',
    excludeOutboundPorts: '22',
    includeOutboundPorts: '1-1023',
    excludeOutboundNetworks: '10.1.0.0/16,fd00:1::/32',
    includeOutboundNetworks: '10.0.0.0/8',
  });
  expect(saysUncaptured(settings)).toEqual([
    'Not captured from the network: port 15020, the status port of the sidecar; excluded ports 81, 90-99; every port but 80-100, 15021.',
    'Not captured of the application: excluded ports 22; excluded networks 10.1.0.0/16, fd00:1::/32; every port but 1-1023; of IPv4 every network but 10.0.0.0/8; all of IPv6.',
  ]);
});
