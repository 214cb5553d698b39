import { describe, expect, test } from 'vitest';
import { type Fields, type Log, silentLog } from '#runtime';
import type { Workload } from '#policy';
import { ClusterPolicies } from './cluster-policies.ts';
import { allow, denyAll, object, WEB } from './testing.ts';

function policies(limits = {}): { policies: ClusterPolicies; errors: Fields[] } {
  const errors: Fields[] = [];
  const log: Log = { ...silentLog, error: (_message, fields = {}) => errors.push(fields) };
  const config = {
    trustDomain: 'mesh.test',
    rootNamespace: 'sallyport-system',
    defaults: undefined,
    log,
    limits,
  };
  return { policies: new ClusterPolicies(config), errors };
}

function told(of: ClusterPolicies, workload: Workload = WEB): string[] {
  return [...of.shareOf(workload).objects.keys()].sort();
}

describe('who is told what', () => {
  test('its own namespace and the root namespace, by account, labels and namespace', () => {
    const { policies: kept } = policies();
    const put = (
      name: string,
      spec: object,
      namespace = 'shop',
      kind: 'MeshPolicy' | 'MeshTLS' = 'MeshPolicy',
    ) => kept.apply(kind, `${namespace}/${name}`, object(name, spec, { namespace }));
    put('account', { targetRef: { kind: 'ServiceAccount', name: 'web' }, ...denyAll });
    put('other-account', { targetRef: { kind: 'ServiceAccount', name: 'orders' }, ...denyAll });
    put('labels', { selector: { matchLabels: { app: 'web' } }, ...denyAll, enforcement: 'Shadow' });
    put('other-labels', { selector: { matchLabels: { app: 'orders' } }, ...denyAll });
    put('wide', allow('web'));
    put('elsewhere', denyAll, 'pay');
    put('mesh', denyAll, 'sallyport-system');
    put('mode', { mode: 'Strict' }, 'shop', 'MeshTLS');
    expect(told(kept)).toEqual([
      'MeshPolicy sallyport-system/mesh',
      'MeshPolicy shop/account',
      'MeshPolicy shop/labels',
      'MeshPolicy shop/wide',
      'MeshTLS shop/mode',
    ]);
    expect(told(kept, { ...WEB, labels: {} })).not.toContain('MeshPolicy shop/labels');
  });

  test('attack: an owner of a namespace writes for another, by namespace in spec, target or name', () => {
    const { policies: kept } = policies();
    for (const spec of [
      denyAll,
      { selector: { matchLabels: { app: 'web' } }, ...denyAll },
      { ...denyAll, namespace: 'shop' },
    ])
      kept.apply('MeshPolicy', 'evil/p', object('p', spec, { namespace: 'evil' }));
    kept.apply(
      'MeshPolicy',
      'evil/q',
      object(
        'q',
        { targetRef: { kind: 'ServiceAccount', name: 'web', namespace: 'shop' }, ...denyAll },
        { namespace: 'evil' },
      ),
    );
    expect(told(kept)).toEqual([]);
  });
});

describe('an object with a mistake', () => {
  test('keeps its own last good version, and no other object waits for it', () => {
    const { policies: kept, errors } = policies();
    kept.apply('MeshPolicy', 'shop/a', object('a', allow('web')));
    const before = kept.shareOf(WEB).objects.get('MeshPolicy shop/a')?.text;
    kept.apply('MeshPolicy', 'shop/a', object('a', { action: 'Maybe', rules: [] }, { generation: 2 }));
    kept.apply('MeshPolicy', 'shop/b', object('b', denyAll));
    expect(kept.shareOf(WEB).objects.get('MeshPolicy shop/a')?.text).toBe(before);
    expect(told(kept)).toEqual(['MeshPolicy shop/a', 'MeshPolicy shop/b']);
    expect(kept.counts.refused).toBe(1);
    expect(errors).toMatchObject([
      { policy: 'MeshPolicy shop/a', problem: expect.stringContaining('"Maybe"') },
    ]);
    kept.apply('MeshPolicy', 'shop/a', object('a', allow('orders'), { generation: 3 }));
    expect(kept.counts.refused).toBe(0);
    expect(kept.shareOf(WEB).objects.get('MeshPolicy shop/a')?.text).toContain('orders');
  });

  test('that never was in force is in force no more than one that was refused', () => {
    const { policies: kept } = policies();
    kept.apply('MeshPolicy', 'shop/a', object('a', { action: 'Maybe', rules: [] }));
    expect(told(kept)).toEqual([]);
    expect(kept.counts.refused).toBe(1);
  });

  test.each([
    ['Deny', 'MeshPolicy', { action: 'Deny', rules: [{ from: [{ nobody: 1 }] }] }, '"peer":"Any"'],
    ['Allow', 'MeshPolicy', { action: 'Allow', rules: [{ from: [{ nobody: 1 }] }] }, '"rules":[]'],
    ['an action nobody knows', 'MeshPolicy', { action: 'Maybe', rules: [] }, '"Deny"'],
    ['MeshTLS', 'MeshTLS', { mode: 'Relaxed' }, '"Strict"'],
  ] as const)('attack: lost with its last good version, %s opens nothing', (_, kind, spec, text) => {
    const { policies: kept } = policies();
    kept.apply(kind, 'shop/a', object('a', spec, { generation: 2 }));
    const [inForce] = kept.shareOf(WEB).objects.values();
    expect(inForce?.text).toContain(text);
  });

  test('its stand-in holds for its target only, where that can be read; Shadow needs none', () => {
    const { policies: kept } = policies();
    const target = { targetRef: { kind: 'ServiceAccount', name: 'orders' } };
    kept.apply('MeshPolicy', 'shop/a', object('a', { ...target, action: 'Maybe' }, { generation: 2 }));
    kept.apply(
      'MeshPolicy',
      'shop/b',
      object('b', { action: 'Deny', enforcement: 'Shadow' }, { generation: 2 }),
    );
    expect(told(kept)).toEqual([]);
    expect(told(kept, { ...WEB, serviceAccount: 'orders' })).toEqual(['MeshPolicy shop/a']);
  });

  test('of another object with the same name nothing is kept', () => {
    const { policies: kept } = policies();
    kept.apply('MeshPolicy', 'shop/a', object('a', denyAll, { uid: '1' }));
    kept.apply('MeshPolicy', 'shop/a', object('a', { action: 'Maybe' }, { uid: '2' }));
    expect(told(kept)).toEqual([]);
  });
});

describe('attack: very many, or huge', () => {
  test('a namespace has so many, and the rest of it stays as it was', () => {
    const { policies: kept } = policies({ objects: 2 });
    for (const name of ['a', 'b', 'c']) kept.apply('MeshPolicy', `shop/${name}`, object(name, denyAll));
    expect(told(kept)).toEqual(['MeshPolicy shop/a', 'MeshPolicy shop/b']);
    expect([...kept.all()].at(-1)?.problem).toContain('more than 2 policies');
    kept.apply('MeshPolicy', 'shop/a', undefined);
    kept.apply('MeshPolicy', 'shop/c', object('c', denyAll));
    expect(told(kept)).toEqual(['MeshPolicy shop/b', 'MeshPolicy shop/c']);
  });

  test('one that is larger than a file may be is refused as one', () => {
    const { policies: kept } = policies();
    const from = Array.from({ length: 4_000 }, (_, index) => ({
      identities: [`spiffe://mesh.test/a${index}`],
    }));
    kept.apply('MeshPolicy', 'shop/a', object('a', { action: 'Deny', rules: [{ from }] }));
    expect(told(kept)).toEqual([]);
    expect([...kept.all()][0]?.problem).not.toBe('');
  });

  test('their bytes together are bounded', () => {
    const { policies: kept } = policies({ bytes: 400 });
    for (const name of ['a', 'b', 'c', 'd']) kept.apply('MeshPolicy', `shop/${name}`, object(name, denyAll));
    expect(told(kept).length).toBeLessThan(4);
    expect(kept.counts.refused).toBeGreaterThan(0);
  });
});
