import manifest from '../../../package.json' with { type: 'json' };
import { keyOf } from '#policy';
import { sampleOf } from '../cluster/metrics.ts';
import { sidecarsOf } from '../cluster/sidecars.ts';
import type { Facts } from './facts.ts';
import { failed, fine, type Finding, some, unread, warning } from './finding.ts';
import { checkNamespaces, checkUnmeshed } from './namespaces.ts';

type Check = (facts: Facts) => readonly Finding[];

/** Each is about one thing, in the order in which one is worth mending before the next. */
const CHECKS: readonly Check[] = [
  checkApiServer,
  checkController,
  checkVersion,
  checkCrds,
  checkWebhook,
  checkOneMesh,
  checkGuard,
  checkAuthority,
  checkDiscovery,
  checkNamespaces,
  checkUnmeshed,
  checkSidecars,
  checkDefaults,
  checkPolicies,
];

/** What is wrong with an installed mesh, and what is right. */
export function checkMesh(facts: Facts): readonly Finding[] {
  const installed = facts.installation;
  if (!installed.ok || installed.value !== undefined) return CHECKS.flatMap((check) => check(facts));
  const say = 'Sallyport is not installed here.';
  return [
    ...checkApiServer(facts),
    failed(
      'controller',
      say,
      'Install it (sallyport install, or Helm), or name another cluster with --context or -n.',
    ),
  ];
}

const OLDEST_MINOR = 33;
/** From here on with the cluster's networks named by hand. */
const OLDEST_MINOR_BY_HAND = 32;

export function checkApiServer({ version }: Pick<Facts, 'version'>): Finding[] {
  const check = 'api-server';
  if (!version.ok) return [unread(check, version.error)];
  const { major, minor, gitVersion } = version.value;
  const number = Number.parseInt(minor, 10);
  if (major === '1' && number >= OLDEST_MINOR) return [fine(check, `Kubernetes ${gitVersion} answers.`)];
  if (major === '1' && number >= OLDEST_MINOR_BY_HAND) {
    const say = `Kubernetes ${gitVersion} doesn't say which networks its pods and Services have.`;
    return [warning(check, say, "Set the chart's value clusterNetworks, or upgrade to 1.33.")];
  }
  return [
    failed(
      check,
      `Kubernetes ${gitVersion} is too old.`,
      'Sallyport needs 1.33, or 1.32 with clusterNetworks.',
    ),
  ];
}

function checkController({ installation }: Facts): Finding[] {
  const check = 'controller';
  if (!installation.ok) return [unread(check, installation.error)];
  const found = installation.value;
  if (found === undefined) return [];
  const { wanted, ready } = found.replicas;
  const where = `${found.namespace}/${found.name}`;
  const look = `kubectl -n ${found.namespace} describe deployment ${found.name}; kubectl -n ${found.namespace} logs deployment/${found.name}`;
  if (ready === 0)
    return [
      failed(check, `No replica of ${where} is ready: no pod is admitted, no certificate renewed.`, look),
    ];
  if (ready < wanted) return [warning(check, `${ready} of ${wanted} replicas of ${where} are ready.`, look)];
  return [fine(check, `${where} is ready (${ready} of ${wanted}).`)];
}

function checkVersion({ installation }: Facts): Finding[] {
  const check = 'version';
  if (!installation.ok || installation.value === undefined) return [];
  const { version } = installation.value;
  if (version === manifest.version) return [fine(check, `The mesh and this program are ${version}.`)];
  const say = `The mesh is ${version || 'of an unknown version'}, this program is ${manifest.version}.`;
  return [
    warning(check, say, `Use the program of the mesh's version, or upgrade the mesh: docs/kubernetes.md.`),
  ];
}

function checkCrds({ crds }: Facts): Finding[] {
  const check = 'crds';
  if (!crds.ok) return [unread(check, crds.error)];
  const missing = crds.value.filter(({ crd }) => crd === undefined).map(({ name }) => name);
  const install =
    'helm install sallyport-crds deploy/helm/sallyport-crds, or kubectl apply -f deploy/k8s/crds.';
  if (missing.length > 0)
    return [warning(check, `There is no ${some(missing)}: the cluster takes no policies.`, install)];
  const pending = crds.value.filter(({ crd }) => !holds(crd?.status?.conditions, 'Established'));
  if (pending.length === 0) return [fine(check, 'MeshPolicy and MeshTLS are there.')];
  const names = pending.map(({ name }) => name);
  return [failed(check, `${some(names)} is not established.`, `kubectl describe crd ${names[0]} says why.`)];
}

function holds(
  conditions: readonly { readonly type: string; readonly status: string }[] = [],
  type: string,
): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}

function checkWebhook({ webhooks, installation }: Facts): Finding[] {
  const check = 'webhook';
  if (!webhooks.ok) return [unread(check, webhooks.error)];
  if (!installation.ok || installation.value?.settings.injection === undefined) return [];
  const { configuration } = installation.value.settings.injection;
  const found = webhooks.value.find(({ metadata }) => metadata.name === configuration);
  const again = 'Install again (helm upgrade, or sallyport install).';
  if (found === undefined)
    return [
      failed(check, `MutatingWebhookConfiguration ${configuration} is gone: no pod gets a sidecar.`, again),
    ];
  const hooks = found.webhooks ?? [];
  const lax = hooks.filter(({ failurePolicy }) => failurePolicy !== 'Fail').map(({ name }) => name);
  if (hooks.length === 0 || lax.length > 0)
    return [
      failed(
        check,
        `Pods come up without a sidecar when the controller is away: ${some(lax)} doesn't say failurePolicy: Fail.`,
        again,
      ),
    ];
  if (hooks.some(({ clientConfig }) => !clientConfig?.caBundle)) {
    const logs = `kubectl -n ${installation.value.namespace} logs deployment/${installation.value.name}`;
    return [
      failed(
        check,
        'The controller has not told the API server yet whom to believe (caBundle): meshed namespaces admit no pods.',
        `Wait a moment; then look at ${logs}`,
      ),
    ];
  }
  return [fine(check, 'The webhook is registered, and closed when the controller is away.')];
}

/** Of two, each takes the pods of every labelled namespace, and the first in the alphabet gets them. */
export function checkOneMesh({ installation, webhooks }: Facts): Finding[] {
  const check = 'one-mesh';
  if (!webhooks.ok) return [];
  const own = installation.ok
    ? (installation.value?.settings.injection?.configuration ?? 'sallyport')
    : undefined;
  const others = webhooks.value.flatMap(({ metadata: { name, labels } }) =>
    labels?.['app.kubernetes.io/name'] === 'sallyport' && name !== own ? [name] : [],
  );
  if (others.length === 0) return [];
  const say = `Another Sallyport injects sidecars here too (MutatingWebhookConfiguration ${some(others)}): pods of labelled namespaces get the sidecar of one or the other.`;
  return [failed(check, say, 'A cluster has one mesh: uninstall one of them (helm list --all-namespaces).')];
}

function checkGuard({ guard, installation }: Facts): Finding[] {
  const check = 'guard';
  if (!guard.ok) return [unread(check, guard.error)];
  if (!installation.ok || installation.value === undefined) return [];
  if (guard.value) return [fine(check, 'Pods that would be unmeshed are refused, also without the webhook.')];
  const say = 'There is no ValidatingAdmissionPolicy: if the webhook is deleted, pods come up unmeshed.';
  return [warning(check, say, "Set the chart's value guard.enabled.")];
}

const HOUR = 3_600;
const DAY = 24 * HOUR;

function checkAuthority({ metrics }: Facts): Finding[] {
  const check = 'authority';
  if (!metrics.ok) return [unread(check, metrics.error)];
  const left = (kind: string): number | undefined =>
    sampleOf(metrics.value, 'sallyport_certificate_seconds_left', { service: 'controller', kind });
  const [issuer, root] = [left('issuer'), left('root')];
  if (issuer === undefined || root === undefined)
    return [failed(check, 'The controller shows no certificates.', 'Its log says why it has no authority.')];
  if (issuer < HOUR || root < HOUR)
    return [
      failed(
        check,
        `The authority ends in ${hours(Math.min(issuer, root))}.`,
        "The controller's log says why it made no next one.",
      ),
    ];
  if (root < 30 * DAY)
    return [warning(check, `The root ends in ${days(root)}.`, 'Plan its replacement: docs/controller.md.')];
  return [fine(check, `The issuer is good for ${days(issuer)}, the root for ${days(root)}.`)];
}

/** As the controller stops to renew leases. */
const BLIND_SECONDS = 60;

function checkDiscovery({ metrics }: Facts): Finding[] {
  const check = 'discovery';
  if (!metrics.ok) return [];
  const age = sampleOf(metrics.value, 'sallyport_discovery_age_seconds', { service: 'controller' });
  if (age === undefined || age > BLIND_SECONDS) {
    const say = `The controller has not heard of the API server ${age === undefined ? 'yet' : `for ${Math.round(age)} s`}.`;
    return [
      failed(
        check,
        say,
        'Its log says which watch stands still; docs/operations.md, SallyportControllerBlind.',
      ),
    ];
  }
  const streams = sampleOf(metrics.value, 'sallyport_discovery_streams', { service: 'controller' }) ?? 0;
  return [
    fine(
      check,
      `The controller knows the cluster as of ${Math.round(age)} s ago, and tells ${streams} sidecars.`,
    ),
  ];
}

function checkSidecars({ pods, installation }: Facts): Finding[] {
  const check = 'sidecars';
  if (!pods.ok) return [unread(check, pods.error)];
  if (!installation.ok || installation.value === undefined) return [];
  const { namespace, settings } = installation.value;
  const sidecars = sidecarsOf(pods.value, namespace);
  const waiting = sidecars.filter(({ ready }) => !ready);
  const [first] = waiting;
  const findings: Finding[] = [];
  if (first !== undefined) {
    const names = waiting.map(
      ({ namespace, name, waits }) => `${namespace}/${name}${waits === '' ? '' : ` (${waits})`}`,
    );
    const next = `kubectl -n ${first.namespace} logs ${first.name} -c sallyport; docs/kubernetes.md says what to look at.`;
    findings.push(
      failed(check, `${waiting.length} of ${sidecars.length} sidecars are not ready: ${some(names)}.`, next),
    );
  } else findings.push(fine(check, `All ${sidecars.length} sidecars are ready.`));
  const current = settings.injection?.settings.version ?? manifest.version;
  const old = sidecars.filter(({ version }) => version !== current);
  if (old.length > 0) {
    const names = old.map(({ namespace, name, version }) => `${namespace}/${name} (${version || 'unknown'})`);
    const say = `${old.length} sidecars are of another version than the mesh: ${some(names)}.`;
    findings.push(warning('sidecar-versions', say, 'kubectl rollout restart makes their pods anew.'));
  }
  return findings;
}

function checkDefaults({ installation }: Facts): Finding[] {
  if (!installation.ok) return [];
  const defaults = installation.value?.settings.injection?.settings.defaults;
  if (defaults === undefined) return [];
  return [
    defaults.unselected === 'Deny'
      ? fine('policy-default', 'A workload that no policy selects may be called by nobody.')
      : warning(
          'policy-default',
          'A workload that no policy selects may be called by any identity of the mesh.',
          'Write an Allow for each workload that matters, or set policy.default=Deny: docs/policy.md.',
        ),
    defaults.tlsMode === 'Strict'
      ? fine('tls-default', 'Callers without a sidecar are refused, unless a MeshTLS says otherwise.')
      : warning(
          'tls-default',
          `Callers without a sidecar pass in plaintext, unless a MeshTLS says otherwise (${defaults.tlsMode}).`,
          'When `sallyport status` names none any more, set policy.tlsMode=Strict.',
        ),
  ];
}

function checkPolicies({ objects }: Facts): Finding[] {
  const check = 'policies';
  if (!objects.ok) return [unread(check, objects.error)];
  const refused = objects.value.flatMap((object) =>
    (object.status?.conditions ?? [])
      .filter(({ type, status }) => type === 'Accepted' && status === 'False')
      .map(({ message }) => `${keyOf(object)} (${message ?? 'no message'})`),
  );
  if (refused.length > 0) {
    const next = 'What held before stays in force. `sallyport policy validate --cluster` says every mistake.';
    return [failed(check, `Not in force as they are written: ${some(refused)}.`, next)];
  }
  return [fine(check, `${objects.value.length} policies.`)];
}

function hours(seconds: number): string {
  return seconds <= 0 ? 'less than nothing: it is over' : `${(seconds / HOUR).toFixed(1)} hours`;
}

function days(seconds: number): string {
  return seconds < 2 * DAY ? hours(seconds) : `${Math.floor(seconds / DAY)} days`;
}
