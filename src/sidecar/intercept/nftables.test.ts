import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nftablesRemoval, nftablesRules } from './nftables.ts';
import { parseCaptureSettings } from './settings.ts';
import { badText, given, goodTexts, settingsOf } from './testing/settings.ts';

test('exclusions come before inclusions, and those before the redirect', () => {
  const text = nftablesRules(
    settingsOf({
      excludeOutboundPorts: '22',
      excludeOutboundNetworks: '10.1.0.0/16,fd00:1::/32',
      includeOutboundPorts: '1-1023',
      includeOutboundNetworks: '10.0.0.0/8',
    }),
  );
  expect(chainOf(text, 'outbound')).toEqual([
    'type nat hook output priority -100; policy accept;',
    'meta l4proto != tcp accept',
    'meta skuid 1337 accept',
    'ip daddr 127.0.0.0/8 accept',
    'ip6 daddr ::1 accept',
    'tcp dport { 22 } counter accept',
    'ip daddr { 10.1.0.0/16 } counter accept',
    'ip6 daddr { fd00:1::/32 } counter accept',
    'tcp dport != { 1-1023 } counter accept',
    'ip daddr != { 10.0.0.0/8 } counter accept',
    // Only IPv4 networks are included, so no IPv6 address is.
    'meta nfproto ipv6 counter accept',
    'meta l4proto tcp counter redirect to :15001',
  ]);
});

test('the status port is never captured', () => {
  expect(chainOf(nftablesRules(settingsOf({ excludeInboundPorts: '15019,9100' })), 'inbound')).toContain(
    'tcp dport { 9100, 15019-15020 } counter accept',
  );
});

test('where only some ports from the network are included, the one that verifies capture is', () => {
  const chain = chainOf(nftablesRules(settingsOf({ includeInboundPorts: '80' })), 'inbound');
  expect(chain).toContain('tcp dport != { 80, 15021 } counter accept');
});

test('removing is the first half of loading', () => {
  expect(nftablesRules(settingsOf()).startsWith(nftablesRemoval())).toBe(true);
});

test('whatever settings are accepted, every token is one of a closed grammar', () => {
  const seen = { accepted: 0 };
  fc.assert(
    fc.property(fc.oneof(goodTexts, fc.dictionary(fc.constantFrom(...NAMES), badText)), (texts) => {
      const parsed = parseCaptureSettings(given(texts));
      if (!parsed.ok) return;
      seen.accepted += 1;
      expectGrammar(nftablesRules(parsed.value));
    }),
    { numRuns: 500 },
  );
  // About a tenth are.
  expect(seen.accepted).toBeGreaterThan(5);
});

const NAMES = [
  'uid',
  'inboundPort',
  'excludeInboundPorts',
  'excludeOutboundNetworks',
  'includeOutboundPorts',
] as const;

const WORDS = new Set(
  (
    'add delete table inet sallyport chain inbound outbound inbound_invalid outbound_invalid { } type filter nat hook ' +
    'prerouting output priority -150; -100; policy accept; iifname oifname "lo" accept meta l4proto nfproto ipv4 ipv6 ' +
    'tcp ct state invalid counter drop != fib daddr local dport sport ip ip6 skuid redirect to'
  ).split(' '),
);

function expectGrammar(text: string): void {
  for (const token of text.split(/[ \t\n]+/)) {
    if (token === '' || WORDS.has(token)) continue;
    const plain = token.replace(/,$/, '').replace(/^:(?=\d+$)/, '');
    const numbers = /^(\d+)(?:-(\d+))?$/.exec(plain);
    const network = /^([0-9.]+|[0-9a-f:]+)(?:\/(\d+))?$/.exec(plain);
    const ports = numbers?.slice(1).filter((number) => number !== undefined);
    const isNumber = ports?.every((number) => Number(number) >= 1 && Number(number) < 2 ** 32 - 1) ?? false;
    expect(isNumber || network !== null, `the token ${JSON.stringify(token)}`).toBe(true);
  }
  // One table, and nothing outside of it.
  expect(text.split('\n').filter((line) => /^\S/.test(line))).toEqual([
    'add table inet sallyport',
    'delete table inet sallyport',
    'table inet sallyport {',
    '}',
  ]);
}

function chainOf(text: string, name: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const start = lines.indexOf(`chain ${name} {`);
  return lines.slice(start + 1, lines.indexOf('}', start));
}
