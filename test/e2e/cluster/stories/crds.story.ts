import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { applyShared } from '../apply-shared.ts';
import { POLICY_CORPUS } from '../../../support/policy-corpus.ts';
import { eventually } from '../command.ts';
import { story } from '../story.ts';

const FILES = ['meshpolicies', 'meshtlses'];

story(
  'the API server takes and refuses the policies that files do, with words that help',
  async ({ cluster, namespace }) => {
    for (const name of FILES) {
      const input = readFileSync(
        new URL(`../../../../deploy/k8s/crds/${name}.yaml`, import.meta.url),
        'utf8',
      );
      await applyShared(cluster, input);
      const crd = `crd/${name}.mesh.sallyport.dev`;
      await cluster.kubectl(['wait', crd, '--for=condition=Established', '--timeout=120s']);
      // An expression that is too costly, or a schema that isn't structural, is told here and nowhere else.
      expect(
        await cluster.kubectl([
          'get',
          crd,
          '-o',
          'jsonpath={.status.conditions[?(@.type=="NonStructuralSchema")]}',
        ]),
      ).toBe('');
    }
    await eventually(() => namespace.kubectl(['get', 'meshpolicies,meshtlses']));
    const wrong: string[] = [];
    for (const [index, { name, kind, spec, refusal }] of POLICY_CORPUS.entries()) {
      const said = await namespace
        .kubectl(['create', '--validate=strict', '-f', '-'], {
          input: JSON.stringify({
            apiVersion: 'mesh.sallyport.dev/v1alpha1',
            kind,
            metadata: { name: `case-${index}` },
            spec,
          }),
        })
        .then(() => undefined, String);
      const asExpected =
        refusal === undefined ? said === undefined : said !== undefined && refusal.test(said);
      if (!asExpected) wrong.push(`${name}: ${said ?? 'accepted'}`);
    }
    expect(wrong).toEqual([]);
    const columns = await namespace.kubectl(['get', 'sallyport', '-o', 'wide']);
    expect(columns).toMatch(/NAME\s+ACTION\s+ENFORCEMENT\s+ACCOUNT\s+ACCEPTED\s+AGE/);
    expect(await namespace.kubectl(['explain', 'meshpolicy.spec.rules.from.cidrs'])).toContain('Networks');
  },
);
