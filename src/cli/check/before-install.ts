import type { Cluster } from '../cluster/cluster.ts';
import { apiPathOf, INSTALLED_KINDS } from '../cluster/manifest-paths.ts';
import { checkApiServer, checkOneMesh } from './checks.ts';
import type { Facts } from './facts.ts';
import { failed, fine, type Finding, some, warning } from './finding.ts';

/** Whether a mesh can be installed here: `check --pre`. */
export async function checkBefore(cluster: Cluster, facts: Facts): Promise<readonly Finding[]> {
  return [
    ...checkApiServer(facts),
    await checkPermission(cluster),
    checkNone(facts),
    ...checkOneMesh(facts),
    ...checkOthers(facts),
  ];
}

/** Each kind of the manifests, asked as the user's own access (SelfSubjectAccessReview). */
async function checkPermission(cluster: Cluster): Promise<Finding> {
  const check = 'permission';
  const reviews = await Promise.all(
    INSTALLED_KINDS.map(async (kind) => {
      const { group, resource, namespaced } = apiPathOf(kind);
      const resourceAttributes = {
        ...{ group, resource, verb: 'create' },
        ...(namespaced ? { namespace: cluster.namespace } : {}),
      };
      const answer = await cluster.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      });
      const { status } = answer.body as { status?: { allowed?: boolean } };
      return status?.allowed === true ? [] : [resource];
    }),
  );
  const missing = reviews.flat();
  if (missing.length === 0) return fine(check, 'You may install it.');
  const say = `You may not create ${some(missing)} in the cluster of context ${cluster.context}.`;
  return failed(
    check,
    say,
    'Somebody with the ClusterRole cluster-admin installs it; users of the mesh need less.',
  );
}

function checkNone({ installation }: Facts): Finding {
  const check = 'not-installed';
  if (!installation.ok) return failed(check, installation.error, 'Mend this first.');
  const found = installation.value;
  if (found === undefined) return fine(check, 'There is no mesh of this name yet.');
  const say = `Sallyport ${found.version} is installed already, in namespace ${found.namespace}.`;
  const next =
    found.release === undefined
      ? 'sallyport install brings it to this version; sallyport check says how it is.'
      : `helm upgrade ${found.release} brings it to another version; sallyport check says how it is.`;
  return warning(check, say, next);
}

const OTHERS = [
  ['Istio', /istio/],
  ['Linkerd', /linkerd/],
  ['Consul', /consul-connect|connect-injector/],
  ['Kuma', /kuma/],
] as const;

/** Another mesh's webhook is no harm in namespaces that it leaves alone. */
function checkOthers({ webhooks }: Facts): Finding[] {
  const check = 'other-meshes';
  if (!webhooks.ok) return [failed(check, webhooks.error, 'Mend this first.')];
  const found = OTHERS.filter(([, sign]) => webhooks.value.some(({ metadata }) => sign.test(metadata.name)));
  if (found.length === 0) return [fine(check, 'No other mesh injects sidecars here.')];
  const names = some(found.map(([name]) => name));
  const next = "A pod can be in one mesh only: don't mesh namespaces that have the other one's label.";
  return [warning(check, `${names} injects sidecars here.`, next)];
}
