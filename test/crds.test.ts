import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { EMBEDDED_DEFAULTS, readPolicies } from '#policy';
import { POLICY_CORPUS } from './support/policy-corpus.ts';

test('deploy/k8s/crds says what the schemas say', () => {
  const script = new URL('../scripts/crds.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});

const context = { defaults: EMBEDDED_DEFAULTS, trustDomain: 'shop.test', rootNamespace: 'sallyport-system' };

// test/e2e/cluster/stories/crds.story.ts gives the same documents to an API server.
test.each(POLICY_CORPUS)('a file with $kind: $name', ({ kind, spec, refusal }) => {
  const text = JSON.stringify({
    apiVersion: 'mesh.sallyport.dev/v1alpha1',
    kind,
    metadata: { name: 'case', namespace: 'shop' },
    spec,
  });
  const { set, problems } = readPolicies([{ file: 'case.yaml', text }], context, 1, []);
  const errors = problems.filter(({ severity }) => severity === 'error');
  expect(set === undefined).toBe(refusal !== undefined);
  expect(errors.length > 0).toBe(refusal !== undefined);
});
