import type { V1Container, V1Pod } from '@kubernetes/client-node';
import type { PodRecord } from '../graph/records.ts';
import { addressesOf, millisecondsOf } from './fields.ts';

/** The container that makes a pod meshed, and what its command or arguments contain: docs/adr/0006-meshed-by-pod-spec.md. */
const SIDECAR_NAME = 'sallyport';
const SIDECAR_COMMAND = 'sidecar';

export function podRecord({ metadata = {}, spec, status }: V1Pod): PodRecord {
  const { name = '', namespace = '', uid = '' } = metadata;
  const phase = status?.phase;
  return {
    uid,
    namespace,
    name,
    serviceAccount: spec?.serviceAccountName ?? 'default',
    meshed: hasSidecar(spec ?? {}),
    hostNetwork: spec?.hostNetwork === true,
    ended: phase === 'Succeeded' || phase === 'Failed',
    terminating: metadata.deletionTimestamp !== undefined,
    since: millisecondsOf(status?.startTime) ?? millisecondsOf(metadata.creationTimestamp) ?? 0,
    addresses: addressesOf(status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP]),
  };
}

/**
 * Whether a pod has a sidecar, from parts of its spec that the API server lets nobody change: the name, the command and
 * the arguments of a container that runs beside the others. Labels and annotations may be changed by whoever may edit
 * the pod, an image by an upgrade, and ephemeral containers are added later: none of them says anything here.
 */
export function hasSidecar({ containers, initContainers }: Partial<NonNullable<V1Pod['spec']>>): boolean {
  const native = (initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...native, ...(containers ?? [])].some(isSidecar);
}

function isSidecar({ name, command = [], args = [] }: V1Container): boolean {
  return name === SIDECAR_NAME && (command.includes(SIDECAR_COMMAND) || args.includes(SIDECAR_COMMAND));
}
