import { expect, test } from 'vitest';
import { ok } from '#runtime';
import { changeManifests } from './manifests.ts';

/** As an injection does: something new before what was there, and something changed inside it. */
const added = (template: unknown): unknown => {
  const { metadata, spec } = template as { metadata?: object; spec: { containers: { name: string }[] } };
  const containers = spec.containers.map((each) => (each.name === 'web' ? { ...each, probe: 1 } : each));
  return {
    ...(template as object),
    metadata: { ...metadata, annotations: { a: 'b' } },
    spec: { ...spec, containers: [{ name: 'ours' }, ...containers] },
  };
};

function changed(text: string): string {
  const result = changeManifests(text, ({ template }) => ok(added(template)));
  if (!result.ok) throw new Error(result.error.join());
  return result.value;
}

test('comments stay at what they were written for, and other documents as they are', () => {
  const text = `# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # its name
spec:
  template:
    spec:
      containers:
        # the application
        - name: web
          image: web:1 # pinned
        - name: log
---
apiVersion: v1
kind: Service # stays
metadata: { name: web }
`;
  expect(changed(text)).toBe(`# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # its name
spec:
  template:
    spec:
      containers:
        - name: ours
        # the application
        - name: web
          image: web:1 # pinned
          probe: 1
        - name: log
    metadata:
      annotations:
        a: b
---
apiVersion: v1
kind: Service # stays
metadata: { name: web }
`);
});

test.each([
  ['v1', 'Pod', (spec: object) => ({ spec })],
  ['apps/v1', 'StatefulSet', (spec: object) => ({ spec: { template: { spec } } })],
  ['apps/v1', 'DaemonSet', (spec: object) => ({ spec: { template: { spec } } })],
  ['batch/v1', 'Job', (spec: object) => ({ spec: { template: { spec } } })],
  ['batch/v1', 'CronJob', (spec: object) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } })],
])('%s %s, alone and in a List', (apiVersion, kind, around) => {
  const object = { apiVersion, kind, metadata: { name: 'x' }, ...around({ containers: [{ name: 'web' }] }) };
  expect(changed(JSON.stringify(object))).toContain('ours');
  const list = { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Secret' }, object] };
  expect(changed(JSON.stringify(list))).toContain('ours');
});

test('what an anchor names is changed only where it should be', () => {
  const text = `apiVersion: v1
kind: Pod
metadata: &m { name: web }
other: *m
spec: { containers: [{ name: web }] }
`;
  const injected = changed(text);
  expect(injected.match(/annotations/g)).toHaveLength(1);
});

test('one mistake, and nothing is changed', () => {
  expect(changeManifests('a: [', () => undefined)).toMatchObject({ ok: false });
  expect(changeManifests('', () => undefined)).toMatchObject({ ok: false });
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]\n`;
  expect(changeManifests(bomb, () => undefined)).toMatchObject({ ok: false });
  expect(changeManifests('kind: ConfigMap', () => undefined)).toEqual({
    ok: true,
    value: 'kind: ConfigMap\n',
  });
});
