import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { main } from '../program.ts';

let folder: string;
let out: string;
let said: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-inject-'));
  [out, said] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const path = join(folder, 'app.yaml');
  writeFileSync(path, text);
  return path;
}

const deployment = (spec: string, labels = '{}'): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { metadata: { labels: ${labels} }, spec: { ${spec} } } }
`;

test('a Deployment comes out with its sidecar, and again as it is', async () => {
  expect(await main(['inject', '-f', file(deployment('containers: [{ name: web, image: web }]'))], {})).toBe(
    0,
  );
  const [document] = parseAllDocuments(out);
  expect(document?.toJS()).toMatchObject({
    spec: {
      template: {
        spec: {
          initContainers: [{ name: 'sallyport-init' }, { name: 'sallyport' }],
          containers: [{ name: 'web', image: 'web' }],
        },
      },
    },
  });
  expect(said).toBe('Deployment shop/web: injected\n');
  const once = out;
  out = '';
  expect(await main(['inject', '-f', file(once)], {})).toBe(0);
  expect(out).toBe(once);
});

test('one that is refused, with the reason and what to do; nothing is written', async () => {
  const both = `${deployment('containers: [{ name: web }]')}---\n${deployment('hostNetwork: true, containers: [{ name: web }]')}`;
  expect(await main(['inject', '-f', file(both)], {})).toBe(1);
  expect(out).toBe('');
  expect(said).toContain('Deployment shop/web: A pod with hostNetwork');
  expect(said).toContain('(pod-on-host-network: spec.hostNetwork: true)');
  expect(said).toContain('mesh.sallyport.dev/inject=disabled');
});

test('one that wants none stays as it is', async () => {
  const text = deployment(
    'hostNetwork: true, containers: [{ name: web }]',
    '{ mesh.sallyport.dev/inject: disabled }',
  );
  expect(await main(['inject', '-f', file(text)], {})).toBe(0);
  expect(out).not.toContain('sallyport-init');
  expect(said).toContain('left as it is');
});

test('a missing file, or a controller without injection, is said', async () => {
  expect(await main(['inject', '-f', join(folder, 'none.yaml')], {})).toBe(2);
  expect(said).toContain('cannot be read');
  const config = join(folder, 'controller.yaml');
  writeFileSync(config, 'trustDomain: a.example\n');
  expect(await main(['inject', '-f', file(deployment('containers: []')), '-c', config], {})).toBe(2);
  expect(said).toContain('no section `injection`');
});
