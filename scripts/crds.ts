/** Writes the CustomResourceDefinitions into deploy, as manifests and as a chart, from the schemas that read policy files. */
import { customResourceDefinitions } from '#policy';
import { writeFolder } from './written-folder.ts';

const banner = '# Written by scripts/crds.ts. Do not edit.\n';
const texts = Object.entries(customResourceDefinitions()).map(([name, text]) => [name, banner + text]);
const files = Object.fromEntries(texts) as Record<string, string>;
// To Helm they are templates, in which such a text would be an order.
for (const [name, text] of Object.entries(files)) {
  if (text.includes('{{')) throw new Error(`${name} has {{, which Helm would read`);
}
for (const folder of ['deploy/k8s/crds', 'deploy/helm/sallyport-crds/templates']) {
  writeFolder({ script: 'crds.ts', folder, files, others: 'removed' });
}
