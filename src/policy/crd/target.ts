import * as z from 'zod';
import type { Target } from '../model.ts';
import { labels, objectName } from './names.ts';

/** GEP-713's local reference: always to an object of the document's own namespace. */
export const targetRef = z
  .strictObject({
    group: z.literal('', { error: 'must be "" or left out: ServiceAccount is of the core group' }).optional(),
    kind: z.enum(['ServiceAccount']),
    name: objectName.describe('Its name.'),
  })
  .meta({
    description: "The service account, of the object's own namespace, whose workloads this is about.",
    hints: { namespace: 'is not allowed: a policy is for service accounts of its own namespace' },
  });

export const selector = z
  .strictObject({
    matchLabels: labels
      .refine((wanted) => Object.keys(wanted).length > 0, {
        error: 'must not be empty: leave the selector out to mean every workload of the namespace',
      })
      .meta({ description: 'Labels that a workload must have, all of them.', minProperties: 1 }),
  })
  .meta({
    description:
      'The workloads, by label, that this is about. Without it and targetRef: all of the namespace.',
    hints: { matchExpressions: 'is not supported; use matchLabels' },
  });

export const TARGET_HINTS = {
  targetRefs: 'is not supported; write one document for each targetRef',
  workloadSelector: 'is called selector here',
};

interface Targeted {
  readonly targetRef?: z.output<typeof targetRef> | undefined;
  readonly selector?: z.output<typeof selector> | undefined;
}

/** The one mistake that neither field shows alone. */
export function refineTarget(spec: Targeted, context: z.RefinementCtx): void {
  if (spec.targetRef === undefined || spec.selector === undefined) return;
  context.addIssue({ code: 'custom', path: ['selector'], message: BOTH_TARGETS });
}

const BOTH_TARGETS = 'stands beside targetRef; a document has one of them, or none for its whole namespace';

export const TARGET_RULE = {
  rule: '!(has(self.targetRef) && has(self.selector))',
  message: BOTH_TARGETS,
  fieldPath: '.selector',
};

export function targetOf(spec: Targeted): Target {
  if (spec.targetRef !== undefined) return { kind: 'ServiceAccount', name: spec.targetRef.name };
  if (spec.selector !== undefined) return { kind: 'Labels', labels: spec.selector.matchLabels };
  return { kind: 'Namespace' };
}
