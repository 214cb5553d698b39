import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { isInjected, isOurs, refusalsOf, refuse } from './checks.ts';
import { parseChoices } from './choices.ts';
import { initContainer, sidecarContainer, volume } from './containers.ts';
import { INJECTED, SIDECAR, VOLUME } from './names.ts';
import { type Pod, parsePod } from './pod.ts';
import { entriesOf, type ProbeEntry, ProbeRewriter } from './probes.ts';
import { serviceNameOf } from './service-name.ts';
import type { InjectionSettings } from './settings.ts';

/**
 * A pod, or the template of one, with its sidecar: rules and sidecar before all other init containers, the kubelet's
 * probes at the sidecar's port. The error is every reason against it. Of a pod that was injected before, what is ours is
 * made anew and what was rewritten stays, so that a second time changes nothing.
 *
 * @param token for the path of a probe: 32 characters or more that nobody can guess, each time others
 */
export function injectPod(
  value: unknown,
  settings: InjectionSettings,
  token: () => string,
): Result<Pod, readonly Refusal[]> {
  const parsed = parsePod(value);
  if (!parsed.ok) return err([refuse('pod-malformed', parsed.error)]);
  const pod = parsed.value;
  const choices = parseChoices(pod);
  const refusals = [
    ...refusalsOf(pod),
    ...(choices.ok ? [] : choices.error.map((say) => refuse('choice-wrong', say))),
  ];
  const before = probesBefore(pod);
  if (!choices.ok || before === undefined || refusals.length > 0) {
    if (refusals.length === 0) refusals.push(refuse('sidecar-not-ours', 'its probes cannot be read'));
    return err(refusals);
  }
  const probes = new ProbeRewriter(before, token);
  const { spec, metadata } = pod;
  const others = (spec.initContainers ?? []).filter(({ name }) => !isOurs(name));
  const initContainers = others.map((container) => probes.rewrite(container));
  const containers = spec.containers.map((container) => probes.rewrite(container));
  if (!probes.entries.ok) return probes.entries;
  const volumes = [...(spec.volumes ?? [])];
  const place = volumes.findIndex(({ name }) => name === VOLUME);
  volumes[place < 0 ? volumes.length : place] = volume(settings);
  return ok({
    ...pod,
    metadata: {
      ...metadata,
      annotations: { ...metadata?.annotations, [INJECTED]: settings.version },
    },
    spec: {
      ...spec,
      initContainers: [
        initContainer(settings, choices.value),
        sidecarContainer(settings, choices.value, probes.entries.value, serviceNameOf(pod)),
        ...initContainers,
      ],
      containers,
      volumes,
    },
  });
}

/** Nothing, for a pod that is injected the first time; undefined: what there was can't be read. */
function probesBefore(pod: Pod): readonly ProbeEntry[] | undefined {
  if (!isInjected(pod)) return [];
  const sidecar = pod.spec.initContainers?.find(({ name }) => name === SIDECAR);
  return sidecar === undefined ? undefined : entriesOf(sidecar);
}
