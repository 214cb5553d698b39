import { GROUPS, SCHEMES, SUITES } from '#handshake';

/** docs/reference/suites.md. */
export function suitesPage(): string {
  return [
    '# Suites, groups and signature schemes',
    '',
    '<!-- Written by scripts/reference.ts. Do not edit. -->',
    '',
    'What the engine speaks, from the tables that it runs on. What a peer offers beside it is passed over and counted;',
    'what is weak has its own refusals (reasons.md).',
    '',
    '## Cipher suites (RFC 8446 B.4)',
    '',
    '| suite | number | AEAD | hash |',
    '|---|---|---|---|',
    ...Object.entries(SUITES).map(
      ([name, { id, aead, hash }]) => `| ${name} | ${hex(id)} | ${aead} | ${hash} |`,
    ),
    '',
    '## Key exchange groups (RFC 8446 4.2.7)',
    '',
    '| group | number |',
    '|---|---|',
    ...Object.entries(GROUPS).map(([name, { id }]) => `| ${name} | ${hex(id)} |`),
    '',
    '## Signature schemes of handshakes (RFC 8446 4.2.3)',
    '',
    '| scheme | number | key |',
    '|---|---|---|',
    ...Object.entries(SCHEMES).map(([name, { id, key }]) => `| ${name} | ${hex(id)} | ${key} |`),
    '',
  ].join('\n');
}

function hex(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`;
}
