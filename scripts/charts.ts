/**
 * Writes what is made from the chart deploy/helm/sallyport: its README from its values, and deploy/k8s/sallyport.yaml,
 * which is what Helm makes of it without values. Needs helm for the second: on the PATH, or as `--helm=PATH`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { valuesTable } from './chart-values.ts';
import { writeFolder } from './written-folder.ts';

const chart = fileURLToPath(new URL('../deploy/helm/sallyport', import.meta.url));
const script = 'charts.ts';
const [, helm = 'helm'] = /^--helm=(.+)$/m.exec(process.argv.join('\n')) ?? [];

writeFolder({ script, folder: 'deploy/helm/sallyport', files: { 'README.md': readme() }, others: 'kept' });
if (!process.argv.includes('--readme')) {
  writeFolder({ script, folder: 'deploy/k8s', files: { 'sallyport.yaml': manifests() }, others: 'kept' });
}

function readme(): string {
  return `# sallyport

<!-- Written by scripts/charts.ts from values.yaml. Do not edit. -->

The controller of a mesh, and the webhook that gives pods their sidecars. No value is needed:

\`\`\`
helm install sallyport deploy/helm/sallyport --namespace sallyport-system --create-namespace
\`\`\`

Kubernetes 1.33 or newer; 1.32 with \`clusterNetworks\`. How pods come into the mesh is in docs/injection.md, how to
uninstall in docs/kubernetes.md.

${valuesTable(readFileSync(`${chart}/values.yaml`, 'utf8'))}
`;
}

function manifests(): string {
  const namespace = 'sallyport-system';
  const args = ['template', 'sallyport', chart, '--namespace', namespace, '--no-hooks'];
  const rendered = execFileSync(helm, args, { encoding: 'utf8' });
  return [
    '# Written by scripts/charts.ts from deploy/helm/sallyport. Do not edit.',
    '# Before it is deleted, no pod may have a sidecar: `sallyport injected --none` says whether one has.',
    'apiVersion: v1',
    'kind: Namespace',
    'metadata:',
    `  name: ${namespace}`,
    rendered,
  ].join('\n');
}
