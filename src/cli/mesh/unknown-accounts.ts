import type { PolicySet } from '#policy';
import type { ServiceEntry } from '../mesh-file/mesh-file.ts';
import { suggestion } from '../mesh-file/say-issue.ts';

type Account = Pick<ServiceEntry, 'namespace' | 'serviceAccount'>;

/**
 * One line for each service account that a policy names and no service of mesh.yaml has, with the nearest one that
 * exists; a caller stands at the line of its list. In a cluster it may belong to a pod that comes later; here mesh.yaml is all there is.
 */
export function unknownAccounts({ documents }: PolicySet, services: readonly Account[]): readonly string[] {
  const known = new Set(services.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`));
  const lines = documents.flatMap((document) => {
    const { file, metadata, place, spec } = document;
    const line = (at: number, account: string): string[] => {
      if (known.has(account)) return [];
      return [`${file}:${at}: no service of mesh.yaml is ${account}${suggestion(account, [...known])}`];
    };
    const target =
      spec.target.kind === 'ServiceAccount'
        ? line(place.target.line, `${metadata.namespace}/${spec.target.name}`)
        : [];
    const rules = document.kind === 'MeshPolicy' ? document.spec.rules : [];
    const callers = rules.flatMap(({ from, place: { from: list } }) =>
      from.flatMap(({ serviceAccounts = [] }) =>
        serviceAccounts.flatMap(({ namespace, name }) => line(list.line, `${namespace}/${name}`)),
      ),
    );
    return [...target, ...callers];
  });
  return [...new Set(lines)].slice(0, MOST_LINES);
}

const MOST_LINES = 8;
