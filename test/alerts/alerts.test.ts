import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const project = fileURLToPath(new URL('../../', import.meta.url));
const RULES = join(project, 'deploy/helm/sallyport/alerts.yaml');
const CASES = join(project, 'test/alerts/cases.yaml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = parse(readFileSync(RULES, 'utf8')) as {
  groups: readonly { rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const page = (name: string): string => readFileSync(join(project, 'docs', name), 'utf8');

function promtool(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-alerts-'));
  try {
    cpSync(RULES, join(folder, 'alerts.yaml'));
    cpSync(CASES, join(folder, 'cases.yaml'));
    const done = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    return { status: done.status, said: `${done.stdout}${done.stderr}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const missing = spawnSync('promtool', ['--version']).status !== 0;
const MISSING = 'promtool is not here: it comes with the Debian package prometheus';

test('Prometheus takes the rules', ({ skip }) => {
  if (missing) return skip(MISSING);
  const { status, said } = promtool('check', 'rules', 'alerts.yaml');
  expect(said).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(status).toBe(0);
});

test('each alert comes when it should, and none from a healthy mesh', ({ skip }) => {
  if (missing) return skip(MISSING);
  const { status, said } = promtool('test', 'rules', 'cases.yaml');
  expect(said).toContain('SUCCESS');
  expect(status).toBe(0);
});

test('there is a case for each alert in which it comes, and it is quiet in the healthy one', () => {
  const { tests } = parse(readFileSync(CASES, 'utf8')) as {
    tests: readonly { alert_rule_test: readonly { alertname: string; exp_alerts?: readonly object[] }[] }[];
  };
  const names = rules.map(({ alert }) => alert);
  const [healthy] = tests;
  expect(healthy?.alert_rule_test.map(({ alertname }) => alertname)).toEqual(names);
  expect(healthy?.alert_rule_test.every(({ exp_alerts = [] }) => exp_alerts.length === 0)).toBe(true);
  const fired = tests
    .flatMap((each) => each.alert_rule_test)
    .flatMap(({ alertname, exp_alerts = [] }) => (exp_alerts.length > 0 ? [alertname] : []));
  expect(names.filter((name) => !fired.includes(name))).toEqual([]);
});

test('docs/operations.md says of each alert what it means, and three commands', () => {
  const operations = page('operations.md');
  const sections = new Map(
    operations
      .split(/^### /m)
      .slice(1)
      .map((text) => [text.split('\n')[0] ?? '', text]),
  );
  expect([...sections.keys()]).toEqual(rules.map(({ alert }) => alert));
  for (const { alert, annotations } of rules) {
    expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    const [, commands = ''] = /\n```\n([^`]+)```/.exec(sections.get(alert) ?? '') ?? [];
    expect(commands.trim().split('\n'), alert).toHaveLength(3);
  }
});

test('the rules ask for metrics that there are', () => {
  const documented = page('observability.md');
  const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/\b(?:sallyport|nodejs)_[a-z0-9_]+/g)]);
  expect(asked.length).toBeGreaterThanOrEqual(rules.length);
  for (const [name] of asked) expect(documented).toContain(`\`${name}\``);
});
