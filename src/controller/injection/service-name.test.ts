import { expect, test } from 'vitest';
import type { Pod } from './pod.ts';
import { serviceNameOf } from './service-name.ts';

function named(metadata: NonNullable<Pod['metadata']>): string | undefined {
  return serviceNameOf({ metadata });
}

function owned(kind: string, name: string, labels: Readonly<Record<string, string>> = {}) {
  return named({
    labels,
    ownerReferences: [
      { kind: 'Other', name: 'other' },
      { kind, name, controller: true },
    ],
  });
}

test('a pod is called like what made it', () => {
  expect(owned('ReplicaSet', 'web-5d4f6c7b8', { 'pod-template-hash': '5d4f6c7b8' })).toBe('web');
  expect(owned('ReplicaSet', 'web-own')).toBe('web-own');
  expect(owned('StatefulSet', 'db')).toBe('db');
  expect(owned('Job', 'report-29381760')).toBe('report');
  expect(owned('Job', 'migrate')).toBe('migrate');
});

test('its label outweighs that, and its annotation both', () => {
  expect(owned('StatefulSet', 'db', { 'app.kubernetes.io/name': 'postgres' })).toBe('postgres');
  const annotations = { 'resource.opentelemetry.io/service.name': 'ledger' };
  expect(named({ annotations, labels: { 'app.kubernetes.io/name': 'postgres' } })).toBe('ledger');
});

test.each<[string, NonNullable<Pod['metadata']>]>([
  ['nothing', {}],
  ['no list of owners', { ownerReferences: 'web' }],
  ['an owner that is none', { ownerReferences: [null, { controller: true }, { controller: true, name: 7 }] }],
  ['an annotation that is no name', { annotations: { 'resource.opentelemetry.io/service.name': 'a,b=c' } }],
  ['a label with capitals', { labels: { 'app.kubernetes.io/name': 'Web_1' } }],
])('%s gives no name', (_, metadata) => {
  expect(named(metadata)).toBeUndefined();
});
