import { existsSync, readFileSync } from 'node:fs';
import { BOGO_RESULT, type BogoResult } from './bogo-result.ts';
import { REQUIREMENTS, type Requirement } from './rfc8446-requirements.ts';

/** docs/reference/conformance.md. Throws where a requirement names code or a test that is not there. */
export function conformancePage(): string {
  return [
    '# What others say of the engine',
    '',
    '<!-- Written by scripts/reference.ts. Do not edit. -->',
    '',
    ...bogo(),
    ...requirementsSection(),
  ].join('\n');
}

function bogo(): string[] {
  if (existsSync(BOGO_RESULT))
    return bogoSection(JSON.parse(readFileSync(BOGO_RESULT, 'utf8')) as BogoResult);
  return [
    "## BoringSSL's test runner (BoGo)",
    '',
    'No whole run of `npm run conformance:bogo` is recorded yet.',
    '',
  ];
}

function bogoSection(result: BogoResult): string[] {
  const reasons = Object.entries(result.unimplemented);
  const unimplemented = reasons.flatMap(([, names]) => names).length;
  return [
    "## BoringSSL's test runner (BoGo)",
    '',
    `The runner of BoringSSL ${result.commit}, with the cases that test/conformance/data/bogo-scope.json leaves and those`,
    'of test/conformance/bogo-config.json taken out: `npm run conformance:bogo -- --runner PATH --commit ID`.',
    '',
    '| cases | passed | failed | unimplemented |',
    '|---|---|---|---|',
    `| ${result.cases} | ${result.passed} | ${result.failed.length} | ${unimplemented} |`,
    '',
    `In ${result.seconds} seconds with ${result.workers} workers. ${share(result, reasons)}`,
    '',
    ...(result.failed.length === 0
      ? []
      : ['Failed:', '', ...result.failed.map((name) => `- \`${name}\``), '']),
    'Unimplemented, by what the shim says:',
    '',
    '| cases | reason | for example |',
    '|---|---|---|',
    ...reasons.map(([reason, names]) => `| ${names.length} | ${reason} | \`${names[0]}\` |`),
    '',
    'Taken out by us, where the runner asks for something else than the RFC or our rules:',
    '',
    '| cases | reason |',
    '|---|---|',
    ...Object.entries(result.disabled).map(([glob, reason]) => `| \`${glob}\` | ${reason} |`),
    '',
  ];
}

/** What the runner holds below TLS 1.3 says nothing of TLS 1.3. */
function share({ cases }: BogoResult, reasons: readonly (readonly [string, readonly string[]])[]): string {
  const count = (below: boolean): number =>
    reasons
      .filter(([reason]) => reason.endsWith('TLS 1.2 is not spoken') === below)
      .flatMap(([, names]) => names).length;
  const considered = cases - count(true);
  const percent = ((100 * count(false)) / considered).toFixed(1);
  return `Of the ${considered} cases that the runner does not force below TLS 1.3, ${count(false)} (${percent} %) are unimplemented.`;
}

function requirementsSection(): string[] {
  return [
    '## RFC 8446, demand by demand',
    '',
    'From scripts/rfc8446-requirements.ts; code and tests are below src/handshake.',
    '',
    '| section | demand | code | test |',
    '|---|---|---|---|',
    ...REQUIREMENTS.map(requirementRow),
    '',
  ];
}

function requirementRow({ section, demand, code, test }: Requirement): string {
  read(`src/handshake/${code}`);
  if ('open' in test) return `| ${section} | ${demand} | \`${code}\` | open: ${test.open} |`;
  const [file, title] = test;
  if (!read(`src/handshake/${file}`).includes(title)) {
    throw new Error(`rfc8446-requirements: no test "${title}" in ${file}`);
  }
  return `| ${section} | ${demand} | \`${code}\` | \`${file}\`: ${title} |`;
}

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}
