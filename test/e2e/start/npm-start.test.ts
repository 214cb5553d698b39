import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '#runtime/testing';
import { needs, startChild } from '../../support/child.ts';
import { bePatient } from '../../support/patience.ts';
import { temporaryFolder } from '../../support/temporary.ts';

bePatient();

const ROOT = join(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'src/cli/main.ts');
/** The shop's, as examples/shop/mesh.yaml has them. */
const SHOP_PORTS = [8480, 8481, 8482];

interface Summary {
  readonly requests: number;
  readonly handshakes: number;
  readonly resumed: number;
  readonly rotations: number;
  readonly denials: number;
  readonly failed: number;
  readonly passed: number;
}

/** The last line of a run. */
function summaryOf(output: string): Summary {
  const found =
    /^Sallyport ran .*: (?<requests>\d+) requests?, (?<handshakes>\d+) full mutual TLS 1\.3 handshakes?, (?<rotations>\d+) certificate rotations?, (?<denials>\d+) denials?, (?<failed>\d+) permitted requests? failed, (?<passed>\d+) forbidden requests? passed/m.exec(
      output,
    );
  if (found?.groups === undefined) throw new Error(`no summary in:\n${output}`);
  const [, resumed = '0'] = /, (\d+) resumed handshakes?$/m.exec(output) ?? [];
  return Object.fromEntries(
    Object.entries({ ...found.groups, resumed }).map(([name, digits]) => [name, Number(digits)]),
  ) as unknown as Summary;
}

test('npm start -- --for 8s: exit 0, and something of everything', async (context) => {
  const taken = (await Promise.all(SHOP_PORTS.map(isTaken))).some(Boolean);
  if (taken) context.skip(`the ports of the shop (${SHOP_PORTS.join(', ')}) are in use`);
  const npm = startChild('npm', ['start', '--', '--for', '8s'], { cwd: ROOT });
  expect(await npm.ended(100_000), npm.output).toEqual({ code: 0, signal: null });
  const summary = summaryOf(npm.output);
  for (const count of ['requests', 'handshakes', 'rotations', 'denials'] as const) {
    expect([count, summary[count] > 0]).toEqual([count, true]);
  }
  expect(summary).toMatchObject({ failed: 0, passed: 0 });
});

test("a user's own services, nginx and Python's, unchanged behind their sidecars", async (context) => {
  needs(context, 'nginx');
  needs(context, 'python3');
  const folder = temporaryFolder('user');
  const [site, files] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'index.html'), 'hello\n');
  writeFileSync(join(folder, 'nginx.conf'), nginxConfig(folder, site));
  writeMesh(folder, {
    services: `
  site:
    command: [nginx, -p, ${folder}, -e, stderr, -c, ${folder}/nginx.conf]
    port: ${site}
    calls: [files]
  files:
    command: [python3, -m, http.server, '${files}', --bind, 127.0.0.1]
    port: ${files}
    calls: [site]`,
    traffic: `
  - { request: 'http://site/', as: files, every: 50ms }
  - { request: 'http://files/index.html', as: site, every: 50ms }`,
    policies: [allow('site', 'files'), allow('files', 'site')],
  });
  const { code, output } = await up(folder, '5s');
  expect(code, output).toBe(0);
  const summary = summaryOf(output);
  expect(summary.requests).toBeGreaterThan(20);
  expect(summary.handshakes).toBeGreaterThan(0);
  expect(summary.handshakes + summary.resumed).toBeGreaterThan(20);
  expect(summary).toMatchObject({ denials: 0, failed: 0, passed: 0 });
});

/** Its /truth asks through the sidecar and says how that went, its /lie says 200 whatever happened. */
const WEB = `
import { createServer, get } from 'node:http';
const ask = () => new Promise((resolve) => {
  get(process.env.ORDERS_URL, { agent: false }, (answer) => resolve(answer.resume().statusCode)).on('error', () => resolve(502));
});
createServer(async ({ url }, response) => {
  const status = await ask();
  response.writeHead(url === '/lie' ? 200 : status).end();
}).listen(process.env.PORT, '127.0.0.1');
`;
const ORDERS = `
import { createServer } from 'node:http';
createServer((_, response) => response.writeHead(Number(process.env.STATUS)).end()).listen(process.env.PORT, '127.0.0.1');
`;

const VERDICTS = [
  { what: 'all goes as policy says', path: '/truth', allowed: true, status: 200, code: 0, says: '' },
  { what: 'a denial is as policy says', path: '/truth', allowed: false, status: 200, code: 0, says: '' },
  {
    what: 'a permitted request fails',
    path: '/truth',
    allowed: true,
    status: 500,
    code: 1,
    says: 'failed though policy permits them',
  },
  {
    what: 'a forbidden request passes',
    path: '/lie',
    allowed: false,
    status: 200,
    code: 1,
    says: 'passed though policy forbids them',
  },
] as const;

test('the exit code says whether policy was kept', async () => {
  const runs = VERDICTS.map(async (verdict) => ({ verdict, run: await runVerdict(verdict) }));
  for (const { verdict, run } of await Promise.all(runs)) {
    const { what, path, allowed, status, code, says } = verdict;
    expect(run.code, `${what}:\n${run.output}`).toBe(code);
    expect(run.output).toContain(says);
    const { requests, failed, passed, denials } = summaryOf(run.output);
    expect({
      what,
      requests: requests > 0,
      failed: failed > 0,
      passed: passed > 0,
      denials: denials > 0,
    }).toEqual({
      what,
      requests: true,
      failed: allowed && status === 500,
      passed: path === '/lie',
      denials: !allowed,
    });
  }
});

async function runVerdict({ path, allowed, status }: (typeof VERDICTS)[number]) {
  const folder = temporaryFolder('verdict');
  writeFileSync(join(folder, 'web.mjs'), WEB);
  writeFileSync(join(folder, 'orders.mjs'), ORDERS);
  writeMesh(folder, {
    services: `
  web:
    command: [node, web.mjs]
    port: ${await freePort()}
    calls: [orders]
  orders:
    command: [node, orders.mjs]
    port: ${await freePort()}
    env: { STATUS: ${status} }`,
    traffic: `
  - { request: 'http://web${path}', through: [web -> orders], every: 50ms }`,
    policies: [allow('orders', allowed ? 'web' : 'nobody')],
  });
  // The time runs from the start, and all of them start at once.
  return up(folder, '6s');
}

async function up(folder: string, duration: string): Promise<{ code: number | null; output: string }> {
  const args = [MAIN, 'up', '-f', join(folder, 'mesh.yaml'), '--for', duration];
  const child = startChild(process.execPath, args, { cwd: folder });
  const { code } = await child.ended(100_000);
  return { code, output: child.output };
}

function writeMesh(
  folder: string,
  mesh: { services: string; traffic: string; policies: readonly string[] },
): void {
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies/callers.yaml'), mesh.policies.join('---'));
  const text = `
trustDomain: user.example
policies: [./policies]
services:${mesh.services}
traffic:${mesh.traffic}
`;
  writeFileSync(join(folder, 'mesh.yaml'), text);
}

function allow(callee: string, caller: string): string {
  return `
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: ${callee}-callers, namespace: default }
spec:
  targetRef: { kind: ServiceAccount, name: ${callee} }
  action: Allow
  rules: [{ from: [{ serviceAccounts: [{ name: ${caller}, namespace: default }] }] }]
`;
}

function nginxConfig(folder: string, port: number): string {
  return `
daemon off;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/tmp;`).join('\n  ')}
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`;
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
}
