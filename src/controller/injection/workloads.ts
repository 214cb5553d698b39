/** Where each kind keeps the template of its pods. A Pod is its own. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'v1/Pod': [],
  'v1/ReplicationController': ['spec', 'template'],
  'apps/v1/Deployment': ['spec', 'template'],
  'apps/v1/StatefulSet': ['spec', 'template'],
  'apps/v1/DaemonSet': ['spec', 'template'],
  'apps/v1/ReplicaSet': ['spec', 'template'],
  'batch/v1/Job': ['spec', 'template'],
  'batch/v1/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
};

/** The way to the pod that an object is or makes; undefined: it makes none. */
export function podTemplatePath(object: unknown): readonly string[] | undefined {
  const { apiVersion, kind } = (object ?? {}) as { apiVersion?: unknown; kind?: unknown };
  const name = `${String(apiVersion)}/${String(kind)}`;
  return Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
}
