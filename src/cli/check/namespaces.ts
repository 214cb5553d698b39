import { INJECT_LABEL, injectedController } from '#controller/injection';
import type { Facts, NamespaceObject } from './facts.ts';
import { failed, fine, type Finding, some, unread, warning } from './finding.ts';

const SECURITY_LABEL = 'pod-security.kubernetes.io/enforce';
/** As the webhook's own selectors say. */
const NEVER_MESHED = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

function isMeshed({ metadata }: NamespaceObject, own: string): boolean {
  const { name, labels } = metadata;
  return labels?.[INJECT_LABEL] === 'enabled' && name !== own && !NEVER_MESHED.has(name);
}

/** Whether namespaces that are to be meshed can be. */
export function checkNamespaces({ namespaces, trusted, installation }: Facts): Finding[] {
  const check = 'namespaces';
  if (!namespaces.ok) return [unread(check, namespaces.error)];
  const own = installation.ok ? (installation.value?.namespace ?? '') : '';
  const meshed = namespaces.value.filter((namespace) => isMeshed(namespace, own));
  const findings: Finding[] = [];
  const wrong = namespaces.value.filter(({ metadata }) => {
    const value = metadata.labels?.[INJECT_LABEL];
    return value !== undefined && value !== 'enabled' && value !== 'disabled';
  });
  if (wrong.length > 0)
    findings.push(
      warning(
        check,
        `The label ${INJECT_LABEL} is neither enabled nor disabled: ${namesOf(wrong)}. Such a namespace is not meshed.`,
        `kubectl label namespace ${wrong[0]?.metadata.name} ${INJECT_LABEL}=enabled --overwrite`,
      ),
    );
  const strict = meshed.filter(({ metadata }) =>
    ['baseline', 'restricted'].includes(metadata.labels?.[SECURITY_LABEL] ?? ''),
  );
  if (strict.length > 0)
    findings.push(
      failed(
        check,
        `Pod Security refuses every pod with a sidecar, whose init container has NET_ADMIN: ${namesOf(strict)}.`,
        `kubectl label namespace ${strict[0]?.metadata.name} ${SECURITY_LABEL}=privileged --overwrite, or don't mesh it: docs/injection.md.`,
      ),
    );
  if (meshed.length === 0)
    findings.push(
      warning(check, 'No namespace is meshed yet.', `kubectl label namespace NAME ${INJECT_LABEL}=enabled`),
    );
  else if (findings.length === 0) findings.push(fine(check, `Meshed: ${namesOf(meshed)}.`));
  return [...findings, ...checkTrust({ trusted, installation }, meshed)];
}

/** The webhook brings the roots before the first pod; who has lost them since gets no new pods. */
function checkTrust(
  { trusted, installation }: Pick<Facts, 'trusted' | 'installation'>,
  meshed: readonly NamespaceObject[],
): Finding[] {
  if (!trusted.ok) return [unread('trust', trusted.error)];
  if (!installation.ok || installation.value === undefined) return [];
  const without = meshed.filter(({ metadata }) => !trusted.value.has(metadata.name));
  if (without.length === 0) return [fine('trust', 'Every meshed namespace has the roots of the mesh.')];
  const say = `ConfigMap ${installation.value.settings.names.trustBundle} is not in ${namesOf(without)} yet.`;
  return [
    warning(
      'trust',
      say,
      'The controller writes it within a minute, or with the first pod; its log says what keeps it.',
    ),
  ];
}

/** Pods that were there before their namespace's label, or opted out. */
export function checkUnmeshed({ namespaces, pods, installation }: Facts): Finding[] {
  const check = 'pods';
  if (!pods.ok) return [unread(check, pods.error)];
  if (!namespaces.ok || !installation.ok || installation.value === undefined) return [];
  const own = installation.value.namespace;
  const meshed = new Set(
    namespaces.value.filter((each) => isMeshed(each, own)).map(({ metadata }) => metadata.name),
  );
  const unmeshed = pods.value.filter(
    ({ metadata, spec }) =>
      meshed.has(metadata.namespace) &&
      metadata.labels?.[INJECT_LABEL] !== 'disabled' &&
      injectedController(spec) !== own,
  );
  if (unmeshed.length === 0) return [fine(check, 'Every pod of a meshed namespace has its sidecar.')];
  const names = unmeshed.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const say = `${unmeshed.length} pods of meshed namespaces have no sidecar of this mesh: ${some(names)}.`;
  const [first] = unmeshed;
  return [
    warning(
      check,
      say,
      `They are older than the label: kubectl -n ${first?.metadata.namespace} rollout restart deployment`,
    ),
  ];
}

function namesOf(namespaces: readonly NamespaceObject[]): string {
  return some(namespaces.map(({ metadata }) => metadata.name));
}
