import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sayProblem } from '../mesh-file/problem.ts';
import { main } from '../program.ts';
import { parseDestinations } from './destinations-file.ts';
import { parseSidecarFile } from './sidecar-file.ts';

const page = readFileSync(new URL('../../../docs/capture.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const [sidecarFile = ''] = blocks;
const destinationsFile = blocks.find((text) => text.startsWith('clusterNetworks:')) ?? '';
const controller = blocks.find((text) => text.startsWith('controller:')) ?? '';
const probes = blocks.find((text) => text.startsWith('probes:')) ?? '';
const NO_POD = { namespace: undefined, serviceAccount: undefined, name: undefined };

test('the files that docs/capture.md shows are read as it says', () => {
  const sidecar = parseSidecarFile('/etc/sallyport/sidecar.yaml', sidecarFile, NO_POD);
  expect(sidecar.ok ? [] : sidecar.error.map(sayProblem)).toEqual([]);
  const probed = sidecarFile.replace(/^probes:.*\n/m, probes);
  const withProbes = parseSidecarFile('/etc/sallyport/sidecar.yaml', probed, NO_POD);
  expect(withProbes.ok ? withProbes.value.probes : []).toHaveLength(3);
  const controlled = sidecarFile.replace(/^(certificate|key|destinations):.*\n/gm, '') + controller;
  const withController = parseSidecarFile('/etc/sallyport/sidecar.yaml', controlled, NO_POD);
  expect(withController.ok ? withController.value.source.kind : withController.error).toBe('controller');
  const destinations = parseDestinations('destinations.yaml', destinationsFile, 15_020);
  if (!destinations.ok) throw new Error(destinations.error.map(sayProblem).join('\n'));
  const kindAt = (host: string, port: number): string =>
    destinations.value.destinationOf({ host, port }, () => false).kind;
  expect(kindAt('10.96.0.7', 80)).toBe('service');
  expect(kindAt('10.244.3.3', 8080)).toBe('meshed');
  expect(kindAt('10.244.3.3', 8081)).toBe('unknown');
  expect(kindAt('10.96.0.10', 53)).toBe('unmeshed');
  expect(kindAt('192.0.2.1', 443)).toBe('egress');
});

test('docs/capture.md lists every flag of init', async () => {
  let help = '';
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text) => {
    help += String(text);
    return true;
  };
  await main(['init', '--help'], {}).finally(() => {
    process.stdout.write = write;
  });
  const flags = [...help.matchAll(/^\s+(--[a-z-]+)/gm)].map(([, flag]) => flag);
  expect(flags.length).toBeGreaterThan(12);
  for (const flag of flags) expect(page).toContain(`\`${flag}\``);
});
