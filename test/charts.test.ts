import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sallyport/cluster');
const chart = new URL('../deploy/helm/sallyport', import.meta.url).pathname;

/** The one that the stories of a cluster build, or the machine's own. */
function helm(): string | undefined {
  const candidates = [
    ...globSync(join(cache, 'helm-*')).filter((file) => !basename(file).includes('.')),
    'helm',
  ];
  return candidates.find((file) => spawnSync(file, ['version']).status === 0);
}

function charts(...args: readonly string[]): void {
  const script = new URL('../scripts/charts.ts', import.meta.url).pathname;
  const done = spawnSync(process.execPath, [script, '--check', ...args], { encoding: 'utf8' });
  expect(`${done.stdout}${done.stderr}`).toBe('');
  expect(done.status).toBe(0);
}

test('the README of the chart says what its values say', () => charts('--readme'));

test('deploy/k8s/sallyport.yaml is what Helm makes of the chart', ({ skip }) => {
  const found = helm();
  if (found === undefined) return skip('helm is not here; `npm run e2e` builds it');
  charts(`--helm=${found}`);
});

test('a value that there is not, or that is wrong, is refused by the schema', ({ skip }) => {
  const found = helm();
  if (found === undefined) return skip('helm is not here; `npm run e2e` builds it');
  const template = (set: string): string =>
    spawnSync(found, ['template', 'x', chart, '--set', set], { encoding: 'utf8' }).stderr;
  expect(template('replicas=2')).toContain("additional properties 'replicas' not allowed");
  expect(template('controller.replicas=0')).toContain('controller/replicas');
  expect(template('policy.default=deny')).toContain('policy/default');
  expect(template('trustDomain=Shop Example')).toContain('trustDomain');
  expect(template('policy.default=Deny')).toBe('');
});

test('with several replicas there is a PodDisruptionBudget; names follow the release', ({ skip }) => {
  const found = helm();
  if (found === undefined) return skip('helm is not here; `npm run e2e` builds it');
  const rendered = spawnSync(found, ['template', 'blue', chart, '--set', 'controller.replicas=3'], {
    encoding: 'utf8',
  });
  expect(rendered.stdout).toContain('kind: PodDisruptionBudget');
  expect(rendered.stdout).toContain('name: blue-sallyport-controller');
  expect(rendered.stdout).not.toMatch(/name: sallyport-controller/);
});
