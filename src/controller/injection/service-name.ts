import type { Pod } from './pod.ts';

const ANNOTATION = 'resource.opentelemetry.io/service.name';
const NAME_LABEL = 'app.kubernetes.io/name';
/** Of pods of a Deployment: what its ReplicaSet's name has after the Deployment's own. */
const HASH_LABEL = 'pod-template-hash';
/** A CronJob's Jobs are called like it and the minute, in minutes since 1970. */
const MINUTE = /-[0-9]{8,10}$/;
/** RFC 1123 label: what a sidecar takes for its service. */
const FORM = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * What people call the workload of a pod, as OpenTelemetry derives `service.name` in Kubernetes (semantic conventions,
 * "Service attributes"): its own annotation, its label, else the name of what made it. Undefined where nothing says, or
 * not in a form that can be a label.
 */
export function serviceNameOf({ metadata }: Pick<Pod, 'metadata'>): string | undefined {
  const { annotations, labels } = metadata ?? {};
  const name = annotations?.[ANNOTATION] ?? labels?.[NAME_LABEL] ?? ownerName(metadata);
  return name !== undefined && FORM.test(name) ? name : undefined;
}

function ownerName(metadata: Pod['metadata']): string | undefined {
  const owners = metadata?.ownerReferences;
  if (!Array.isArray(owners)) return undefined;
  const { kind, name } = (owners as readonly Owner[]).find((each) => each?.controller === true) ?? {};
  if (typeof name !== 'string') return undefined;
  const hash = metadata?.labels?.[HASH_LABEL];
  if (kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`))
    return name.slice(0, -hash.length - 1);
  return kind === 'Job' ? name.replace(MINUTE, '') : name;
}

/** As somebody wrote it. */
type Owner = { readonly kind?: unknown; readonly name?: unknown; readonly controller?: unknown } | null;
