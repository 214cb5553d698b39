/** Writes docs/reference/limbo.md from a run of the stored suite: `node test/conformance/limbo/page.ts`. */
import { writeFileSync } from 'node:fs';
import { DIFFERENCES } from './differences.ts';
import { differs, type LimboRun, runStoredSuite } from './run.ts';

export const PAGE = new URL('../../../docs/reference/limbo.md', import.meta.url);

export function limboPage(runs: readonly LimboRun[]): string {
  const groups = new Map<string, LimboRun[]>();
  for (const run of runs) {
    const group = run.test.id.split('::')[0] ?? '';
    groups.set(group, [...(groups.get(group) ?? []), run]);
  }
  const count = (list: readonly LimboRun[], keep: (run: LimboRun) => boolean): number =>
    list.filter(keep).length;
  const row = (name: string, list: readonly LimboRun[]): string =>
    `| ${name} | ${list.length} | ${count(list, (run) => !differs(run))} | ` +
    `${count(list, isSkipped)} | ${count(list, isFalseAccept)} | ${count(list, isFalseRefusal)} |`;
  return [
    '# x509-limbo',
    '',
    '<!-- Written by test/conformance/limbo/page.ts. Do not edit. -->',
    '',
    'The cases of C2SP/x509-limbo that this tree holds (`test/conformance/data/limbo-dev.json.gz`), judged with the profile',
    '`webpki`. `test/conformance/limbo-harness < suite.json` runs any other suite of that format, `npm test -- limbo` this one.',
    '',
    '| group | cases | as expected | skipped | accepted wrongly | refused wrongly |',
    '|---|---|---|---|---|---|',
    ...[...groups].map(([name, list]) => row(`\`${name}\``, list)),
    row('all', runs),
    '',
    '## Cases that differ',
    '',
    '| case | expected | here | why |',
    '|---|---|---|---|',
    ...runs.filter(differs).map(({ test, result }) => {
      const why = DIFFERENCES[test.id] ?? 'not explained';
      return `| \`${test.id}\` | ${test.expected_result} | ${result.actual_result} | ${why} |`;
    }),
    '',
  ].join('\n');
}

function isSkipped({ result }: LimboRun): boolean {
  return result.actual_result === 'SKIPPED';
}

export function isFalseAccept({ test, result }: LimboRun): boolean {
  return test.expected_result === 'FAILURE' && result.actual_result === 'SUCCESS';
}

function isFalseRefusal({ test, result }: LimboRun): boolean {
  return test.expected_result === 'SUCCESS' && result.actual_result === 'FAILURE';
}

if (process.argv[1] === new URL(import.meta.url).pathname) writeFileSync(PAGE, limboPage(runStoredSuite()));
