import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaults, facts, tlsDocuments } from './testing/arbitraries.ts';
import { naiveTlsMode } from './testing/naive-evaluator.ts';
import { setOf, yamlOf } from './testing/sets.ts';
import { tlsMode } from './tls-mode.ts';

const orders = { namespace: 'shop', serviceAccount: 'orders', name: 'orders-1', labels: { app: 'orders' } };

function meshTls(name: string, spec: string, namespace = 'shop'): string {
  return `---\napiVersion: mesh.sallyport.dev/v1alpha1\nkind: MeshTLS\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n`;
}

const MESH = meshTls('mesh', '{ mode: Permissive }', 'sallyport-system');
const MESH_LABELS = meshTls(
  'mesh-labels',
  '{ selector: { matchLabels: { app: orders } }, mode: Disabled }',
  'sallyport-system',
);
const NAMESPACE = meshTls('namespace', '{ mode: Strict }');
const WORKLOAD = meshTls(
  'workload',
  '{ targetRef: { kind: ServiceAccount, name: orders }, mode: Permissive }',
);
const PORT = meshTls(
  'port',
  '{ selector: { matchLabels: { app: orders } }, ports: [{ port: 9090, mode: Disabled }] }',
);

describe('tlsMode', () => {
  it('is the default where no MeshTLS speaks', () => {
    expect(tlsMode(setOf(''), orders, 80)).toEqual({ mode: 'Strict', source: undefined });
  });

  it.each([
    ['mesh', [MESH], 80],
    ['namespace', [MESH, NAMESPACE], 80],
    ['mesh-labels', [MESH, NAMESPACE, MESH_LABELS], 80],
    ['workload', [MESH, NAMESPACE, MESH_LABELS, WORKLOAD], 80],
    ['workload', [WORKLOAD, PORT], 80],
    ['port', [WORKLOAD, PORT], 9090],
  ])('takes the most specific: %s', (name, documents, port) => {
    expect(tlsMode(setOf(documents.join('')), orders, port).source?.name).toBe(name);
  });

  it('takes the strictest of equals, and the first by name of those', () => {
    const text = ['c', 'b', 'a']
      .map((name) => meshTls(name, `{ mode: ${name === 'a' ? 'Permissive' : 'Strict'} }`))
      .join('');
    expect(tlsMode(setOf(text), orders, 80)).toMatchObject({ mode: 'Strict', source: { name: 'b' } });
  });

  it('says what the naive ladder says', () => {
    fc.assert(
      fc.property(tlsDocuments, facts, defaults, (raw, { workload, port }, chosen) => {
        const set = setOf(yamlOf(raw), chosen);
        expect(tlsMode(set, workload, port).mode).toBe(naiveTlsMode(raw, chosen, workload, port));
      }),
      { numRuns: 120 },
    );
  });
});
