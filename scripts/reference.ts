/** Writes docs/reference from the tables that the program runs on. */
import { readFileSync } from 'node:fs';
import { DISCOVERY_REASONS } from '#controller/discovery';
import { INJECTION_REASONS } from '#controller/injection';
import { GROUPS, REASONS, type Reason, SCHEMES, SUITES, TRANSITIONS } from '#handshake';
import { IDENTITY_REASONS } from '#identity';
import { ISSUANCE_REASONS } from '#identity/issuance';
import { POLICY_REASONS } from '#policy';
import { RPC_REASONS } from '#rpc';
import { SIDECAR_REASONS } from '#sidecar';
import { INTERCEPT_REASONS } from '#sidecar/intercept';
import { conformancePage } from './conformance-page.ts';
import { suitesPage } from './suites-page.ts';
import { writeFolder } from './written-folder.ts';

const files = {
  'conformance.md': conformancePage(),
  'interop.md': interopPage(),
  'reasons.md': reasonsPage(),
  'states.md': statesPage(),
  'suites.md': suitesPage(),
};
// limbo.md has a script of its own.
writeFolder({ script: 'reference.ts', folder: 'docs/reference', files, others: 'kept' });

interface PeerRow {
  readonly name: string;
  readonly programs: string;
  readonly lacks: Readonly<Record<string, string>>;
}

function interopPage(): string {
  const source = new URL('../test/interop/peers/peers.json', import.meta.url);
  const peers = Object.values(JSON.parse(readFileSync(source, 'utf8')) as Record<string, PeerRow>);
  const cells = [
    ...Object.keys(SUITES).map((name) => [name, name]),
    ...Object.keys(GROUPS).map((name) => [name, name]),
    ...new Set(Object.values(SCHEMES).map(({ key }) => key)),
  ].map((cell) => (typeof cell === 'string' ? [`certificates with ${cell} keys`, cell] : cell));
  const more = [
    ...['HelloRetryRequest', 'KeyUpdate from us', 'KeyUpdate from the peer'],
    ...[
      'resumption of its servers',
      'resumption by its clients',
      '0-RTT to its servers',
      '0-RTT by its clients',
    ],
    ...['stapling by its servers', 'stapling to its clients'],
  ].map((name) => [name, name]);
  const rows = [...cells, ...more].map(([title = '', cell = '']) => {
    // A peer may lack the whole thing, or one role of it.
    const [whole = ''] = cell.split(' ');
    const answers = peers.map(({ lacks }) => {
      const why = lacks[cell] ?? lacks[whole];
      if (why === undefined) return 'yes';
      return why.startsWith('untested') ? 'untested' : 'lacks it';
    });
    return `| ${title} | ${answers.join(' | ')} |`;
  });
  const lacking = peers.flatMap(({ name, lacks }) =>
    Object.entries(lacks).map(([cell, why]) => `| ${name} | ${cell} | ${why} |`),
  );
  return [
    '# Other implementations',
    '',
    '<!-- Written by scripts/reference.ts. Do not edit. -->',
    '',
    'What the tests under `test/interop` speak with other TLS 1.3 implementations, in both roles and with certificates',
    'on both sides. "yes" is a test that runs where the programs are installed; what a peer lacks is skipped there, with',
    'the reason below. From `test/interop/peers/peers.json`.',
    '',
    '| peer | programs |',
    '|---|---|',
    ...peers.map(({ name, programs }) => `| ${name} | ${programs} |`),
    '',
    `| | ${peers.map(({ name }) => name).join(' | ')} |`,
    `|---|${peers.map(() => '---|').join('')}`,
    ...rows,
    '',
    '## What peers lack, or what was not tried with them',
    '',
    '| peer | what | why |',
    '|---|---|---|',
    ...lacking,
    '',
  ].join('\n');
}

function reasonsPage(): string {
  const tables: readonly (readonly [string, string, Readonly<Record<string, Reason>>])[] = [
    ['The TLS engine', 'src/handshake/reasons.ts', REASONS],
    ['Remote calls', 'src/rpc/reasons.ts', RPC_REASONS],
    ['Certificates and identities', 'src/identity/reasons.ts', IDENTITY_REASONS],
    ['Issuance in a cluster', 'src/identity/issuance/reasons.ts', ISSUANCE_REASONS],
    ['Policy', 'src/policy/reasons.ts', POLICY_REASONS],
    ['The sidecar', 'src/sidecar/reason.ts', SIDECAR_REASONS],
    ['Capture', 'src/sidecar/intercept/reason.ts', INTERCEPT_REASONS],
    ['Discovery, of the controller', 'src/controller/discovery/reasons.ts', DISCOVERY_REASONS],
    ['Injection, of the controller', 'src/controller/injection/reasons.ts', INJECTION_REASONS],
  ];
  const sections = tables.map(([title, source, table]) => {
    const rows = Object.values(table).map(
      ({ code, alert, blame, rfc, say, next }) =>
        `| <a id="${code}"></a>\`${code}\` | ${say} | ${next} | ${blame} | ${alert ?? 'none'} | ${rfc} |`,
    );
    return [
      `## ${title}`,
      '',
      `From \`${source}\`.`,
      '',
      '| code | what happened | what to try | look at | alert to the peer | source |',
      '|---|---|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  return [
    '# Reasons',
    '',
    '<!-- Written by scripts/reference.ts. Do not edit. -->',
    '',
    'Every refusal carries one of these codes: in the log (`reason`), the metrics (`reason`), the handshake span',
    '(`error.type`) and `sallyport handshakes`. The peer is told the alert and nothing else.',
    '',
    sections.join('\n'),
  ].join('\n');
}

type StateTable = Readonly<
  Record<string, { readonly on: readonly string[]; readonly next: readonly string[] }>
>;

function statesPage(): string {
  const tables: Readonly<Record<string, StateTable>> = TRANSITIONS;
  const sections = Object.entries(tables).map(([role, table]) => {
    const rows = Object.entries(table).map(([name, { on, next }]) => {
      const messages =
        on.length === 0 ? 'nothing: it waits for us' : on.map((each) => `\`${each}\``).join(', ');
      return `| \`${name}\` | ${messages} | ${next.map((each) => `\`${each}\``).join(', ')} |`;
    });
    return [`## ${role}`, '', '| state | takes | goes on to |', '|---|---|---|', ...rows, ''].join('\n');
  });
  return [
    '# States of a TLS 1.3 connection',
    '',
    '<!-- Written by scripts/reference.ts. Do not edit. -->',
    '',
    'From `src/handshake/states.ts`, after RFC 8446 appendix A. A message that a state does not take ends the connection',
    'with `unexpected-message`. The engine runs on this table, and the compiler refuses a state that goes on to another.',
    '',
    sections.join('\n'),
  ].join('\n');
}
