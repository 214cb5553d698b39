import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type InstalledKind, INSTALLED_KINDS, isInstalledKind } from '../cluster/manifest-paths.ts';

/** An object of deploy/k8s. */
export interface InstalledObject {
  readonly apiVersion: string;
  readonly kind: InstalledKind;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** What differs from the chart without values; undefined: nothing. Whoever wants more takes the chart. */
export interface InstallChoices {
  readonly image: string | undefined;
  readonly trustDomain: string | undefined;
  readonly policyDefault: 'Allow' | 'Deny' | undefined;
  readonly tlsMode: 'Strict' | 'Permissive' | 'Disabled' | undefined;
}

/** The namespace that the manifests are written for. */
export const INSTALLED_NAMESPACE = 'sallyport-system';

/** Beside the bundle, or in the tree. */
const FOLDERS = ['k8s', '../../../deploy/k8s'];

/** All objects of an installation, in the order in which they are to be made. */
export function installedObjects(choices: InstallChoices): readonly InstalledObject[] {
  const folder = FOLDERS.map((path) => join(import.meta.dirname, path)).find((path) =>
    existsSync(join(path, 'sallyport.yaml')),
  );
  if (folder === undefined) throw new Error('deploy/k8s is not beside this program');
  const files = [...globSync(join(folder, 'crds/*.yaml')).toSorted(), join(folder, 'sallyport.yaml')];
  const objects = files.flatMap((file) => objectsOf(readFileSync(file, 'utf8')));
  return objects
    .map((object) => chosen(object, choices))
    .toSorted((one, other) => INSTALLED_KINDS.indexOf(one.kind) - INSTALLED_KINDS.indexOf(other.kind));
}

function objectsOf(text: string): InstalledObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as InstalledObject | null;
    if (object === null) return [];
    if (!isInstalledKind(object.kind))
      throw new Error(`deploy/k8s has a ${String(object.kind)}, which is not known`);
    return [object];
  });
}

function chosen(object: InstalledObject, choices: InstallChoices): InstalledObject {
  if (object.kind === 'ConfigMap') return changedFile(object, choices);
  return object.kind === 'Deployment' ? changedDeployment(object, choices) : object;
}

interface ControllerFile {
  trustDomain?: string;
  injection: { image?: string; defaults: { tlsMode?: string; unselected?: string } };
}

function changedFile(object: InstalledObject, choices: InstallChoices): InstalledObject {
  const data = object.data as Readonly<Record<string, string>>;
  const file = parse(data['controller.yaml'] ?? '') as ControllerFile;
  const { image, trustDomain, policyDefault, tlsMode } = choices;
  if (trustDomain !== undefined) file.trustDomain = trustDomain;
  if (image !== undefined) file.injection.image = image;
  if (tlsMode !== undefined) file.injection.defaults.tlsMode = tlsMode;
  if (policyDefault !== undefined)
    file.injection.defaults.unselected = policyDefault === 'Deny' ? 'Deny' : 'AllowAuthenticated';
  return { ...object, data: { ...data, 'controller.yaml': stringify(file) } };
}

const SETTINGS = 'mesh.sallyport.dev/settings';

/** The controller reads its file once: other choices are another pod. */
function changedDeployment(object: InstalledObject, choices: InstallChoices): InstalledObject {
  const spec = object.spec as {
    template: {
      metadata: { annotations: Readonly<Record<string, string>> };
      spec: { containers: readonly { image: string }[] };
    };
  };
  const { metadata, spec: pod } = spec.template;
  const { [SETTINGS]: before = '', ...others } = metadata.annotations;
  const hash = createHash('sha256').update(before).update(JSON.stringify(choices)).digest('hex').slice(0, 16);
  const annotations = { ...others, [SETTINGS]: hash };
  const containers = pod.containers.map((container) => ({
    ...container,
    image: choices.image ?? container.image,
  }));
  const template = { metadata: { ...metadata, annotations }, spec: { ...pod, containers } };
  return { ...object, spec: { ...spec, template } };
}
