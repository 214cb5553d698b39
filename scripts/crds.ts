/** Writes the CustomResourceDefinitions into deploy/k8s/crds from the schemas that read policy files. */
import { customResourceDefinitions } from '#policy';
import { writeFolder } from './written-folder.ts';

const banner = '# Written by scripts/crds.ts. Do not edit.\n';
const texts = Object.entries(customResourceDefinitions()).map(([name, text]) => [name, banner + text]);
writeFolder({
  script: 'crds.ts',
  folder: 'deploy/k8s/crds',
  files: Object.fromEntries(texts) as Record<string, string>,
  others: 'removed',
});
