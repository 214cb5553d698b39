import { createHash } from 'node:crypto';
import { compilePolicySet, type PolicySet, type Selection } from '../compile/policy-set.ts';
import type { Workload } from '../decision.ts';
import type { PolicyContext, PolicyDefaults, PolicyDocument } from '../model.ts';
import type { ToldObject } from './object.ts';

/** What policies mean for one workload besides what they say. */
export interface Circumstances {
  /** Of its pod, as the cluster has them. */
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: as the sidecar's own configuration says. */
  readonly defaults: PolicyDefaults | undefined;
}

/**
 * Names the policies of one workload: two that are the same have the same version, whoever works it out, so a sidecar
 * can tell whether it has what the controller means.
 */
export function versionOf(
  objects: Iterable<Pick<ToldObject, 'key' | 'hash'>>,
  circumstances: Circumstances,
): string {
  const { labels, defaults } = circumstances;
  const lines = Array.from(objects, ({ key, hash }) => `${key} ${hash}`).sort();
  const around = [Object.entries(labels).sort(byKey), defaults?.tlsMode ?? '', defaults?.unselected ?? ''];
  return createHash('sha256')
    .update(JSON.stringify([lines, around]))
    .digest('base64url');
}

/** The documents of a set that concern a workload: the only ones that its sidecar is told. */
export function documentsFor(set: PolicySet, workload: Workload): readonly PolicyDocument[] {
  const { allows, denies, shadows, tls }: Selection = set.select(workload);
  return [...[...denies, ...allows, ...shadows].map(({ document }) => document), ...tls.flat()];
}

/**
 * The set of one workload, whose labels are those that the cluster told. Whatever workload is asked about, it answers
 * for that one: a sidecar has no other.
 */
export function compileFor(
  workload: Workload,
  documents: readonly PolicyDocument[],
  context: PolicyContext,
  epoch: number,
): PolicySet {
  const set = compilePolicySet(documents, context, epoch, []);
  return Object.freeze({ ...set, select: () => set.select(workload) });
}

/** Admits nobody: what holds before the first word from a controller. Its epoch is 0, which no other set has. */
export function nothingTold(context: Omit<PolicyContext, 'defaults'>): PolicySet {
  return compilePolicySet([], { ...context, defaults: { tlsMode: 'Strict', unselected: 'Deny' } }, 0, []);
}

function byKey([a]: [string, string], [b]: [string, string]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
