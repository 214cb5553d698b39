import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EMBEDDED_DEFAULTS, watchPolicies } from '#policy';
import { silentLog, systemClock } from '#runtime';
import { unknownAccounts } from './unknown-accounts.ts';

test('a policy for or from an account that no service has is told, with what was meant', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-accounts-'));
  const file = join(folder, 'policy.yaml');
  writeFileSync(
    file,
    `apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: callers, namespace: default }
spec:
  targetRef: { kind: ServiceAccount, name: paymens }
  action: Allow
  rules:
    - from:
        - serviceAccounts: [{ name: web, namespace: default }, { name: wep, namespace: default }]
`,
  );
  const context = { defaults: EMBEDDED_DEFAULTS, trustDomain: 'shop.example', rootNamespace: 'root' };
  const { policies } = await watchPolicies({ ...context, paths: [file], clock: systemClock, log: silentLog });
  const services = ['web', 'payments'].map((serviceAccount) => ({ namespace: 'default', serviceAccount }));
  expect(unknownAccounts(policies.value, services)).toEqual([
    `${file}:5: no service of mesh.yaml is default/paymens (did you mean default/payments?)`,
    `${file}:8: no service of mesh.yaml is default/wep (did you mean default/web?)`,
  ]);
  rmSync(folder, { recursive: true });
});
