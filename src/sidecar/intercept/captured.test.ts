import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, parseAddress } from '#policy';
import { addressValue, capturedAddresses, capturedInboundPorts, capturedOutboundPorts } from './captured.ts';
import { FAMILIES } from './networks.ts';
import { hasPort } from './ports.ts';
import { parseCaptureSettings } from './settings.ts';
import { given, goodTexts, settingsOf } from './testing/settings.ts';

/** What anybody may have: not one of the few that TCP can't leave a pod for. */
const ipv4 = fc.nat({ max: 0xdfff_ffff }).filter((word) => word >>> 24 !== 0 && word >>> 24 !== 127);
const ipv6 = fc
  .array(fc.nat({ max: 0xffff_ffff }), { minLength: 3, maxLength: 3 })
  .map((rest) => [0x2001_0db8, ...rest]);

test('the same as asking one port, and one address, after the other', () => {
  fc.assert(
    fc.property(goodTexts, fc.integer({ min: 1, max: 65_535 }), ipv4, ipv6, (texts, port, word, words) => {
      const parsed = parseCaptureSettings(given(texts));
      fc.pre(parsed.ok);
      const settings = parsed.value;
      const { includeInboundPorts, includeOutboundPorts, verificationPort, statusPort } = settings;
      const noInbound = includeInboundPorts.length === 0;
      expect(hasPort(capturedInboundPorts(settings), port)).toBe(
        (noInbound || hasPort(includeInboundPorts, port) || port === verificationPort) &&
          port !== statusPort &&
          !hasPort(settings.excludeInboundPorts, port),
      );
      expect(hasPort(capturedOutboundPorts(settings), port)).toBe(
        (includeOutboundPorts.length === 0 || hasPort(includeOutboundPorts, port)) &&
          !hasPort(settings.excludeOutboundPorts, port),
      );
      const { includeOutboundNetworks, excludeOutboundNetworks } = settings;
      const noNetworks = FAMILIES.every((family) => includeOutboundNetworks[family].length === 0);
      for (const [family, address] of [
        ['ipv4', [word]],
        ['ipv6', words],
      ] as const) {
        const value = addressValue(address);
        const captured = capturedAddresses(settings, family);
        const inside = (networks: typeof includeOutboundNetworks): boolean =>
          networks[family].some((network) => contains(network, address));
        expect(captured.some(({ from, to }) => from <= value && value < to)).toBe(
          (noNetworks || inside(includeOutboundNetworks)) && !inside(excludeOutboundNetworks),
        );
      }
    }),
  );
});

test('the verification port is captured where only some are included, and the status port never', () => {
  const ports = capturedInboundPorts(settingsOf({ includeInboundPorts: '80' }));
  expect(ports).toEqual([
    { first: 80, last: 80 },
    { first: 15_021, last: 15_021 },
  ]);
  const own = { statusPort: '9000', verificationPort: '9001', includeInboundPorts: '80' };
  expect(hasPort(capturedInboundPorts(settingsOf(own)), 9_001)).toBe(true);
  expect(hasPort(capturedInboundPorts(settingsOf({ statusPort: '9000' })), 9_000)).toBe(false);
});

test.each([
  ['0.0.0.1', false],
  ['127.0.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['240.0.0.1', true],
  ['169.254.169.254', true],
  ['100.64.0.1', true],
])('IPv4: whether a call to %s can leave the pod', (text, leaves) => {
  const value = addressValue(parseAddress(text) ?? []);
  const captured = capturedAddresses(settingsOf(), 'ipv4');
  expect(captured.some(({ from, to }) => from <= value && value < to)).toBe(leaves);
});
