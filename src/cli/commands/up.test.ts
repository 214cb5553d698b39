import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '#runtime/testing';
import type { HandshakeRecord } from '#telemetry';
import { repeatedKeys } from '../testing/repeated-keys.ts';

/** The program as a user runs it: real processes, real ports, the shop on ports that are free. */
const MAIN = resolve('src/cli/main.ts');
let folder: string;
let meshFile: string;
const running: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-up-'));
  cpSync('examples/shop', folder, { recursive: true, filter: (path) => !path.includes('.sallyport') });
  meshFile = join(folder, 'mesh.yaml');
  let text = readFileSync(meshFile, 'utf8').replace('rotateEvery: 5s', 'rotateEvery: 2s');
  // A gentle pace: what is tried here is what up says, and tests share the machine.
  text = text.replace('every: 250ms', 'every: 500ms').replace('every: 400ms', 'every: 700ms');
  for (const port of ['8480', '8481', '8482']) text = text.replace(port, String(await freePort()));
  writeFileSync(meshFile, text);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

test('runs the shop, tells of it, and counts what the policies promised', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await sallyport('up', '-f', meshFile, '--for', '5s');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain('any program on this machine');
  expect(stdout).toMatch(/web -> orders did a TLS 1\.3 handshake in .* both certificates verified/);
  expect(stdout).toMatch(
    /DENIED web -> payments \(no-policy-allows\)\. To permit it, edit .*policies\/payments\.yaml:\d+:/,
  );
  const summary = stdout.trim().split('\n').at(-1) ?? '';
  const counted =
    /: (\d+) requests, (\d+) full mutual TLS 1\.3 handshakes, (\d+) certificate rotations, (\d+) denials?, 0 permitted requests failed, 0 forbidden requests passed/.exec(
      summary,
    );
  expect(counted, summary).not.toBeNull();
  for (const number of counted?.slice(1) ?? []) expect(Number(number)).toBeGreaterThan(0);
  const logs = ['sallyport.log', 'audit.log'].map((name) =>
    readFileSync(join(folder, '.sallyport/logs', name), 'utf8')
      .trim()
      .split('\n'),
  );
  for (const lines of logs) expect(lines.length).toBeGreaterThan(3);
  expect(logs.flat().flatMap(repeatedKeys)).toEqual([]);
});

test('a running mesh is shown, edited and stopped', { timeout: 60_000 }, async () => {
  const { child, output } = start('up', '-f', meshFile);
  await expect.poll(output, { timeout: 30_000 }).toContain('DENIED web -> payments');
  const state = join(folder, '.sallyport');
  expect(statSync(state).mode & 0o777).toBe(0o700);
  expect(statSync(join(state, 'up.json')).mode & 0o777).toBe(0o600);

  const second = await sallyport('up', '-f', meshFile);
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(`running already, in process ${child.pid}`);

  const certs = JSON.parse((await sallyport('certs', '--state', state, '--json')).stdout) as {
    service: string;
    serial: string;
  }[];
  expect(certs.map(({ service }) => service)).toEqual(['web', 'orders', 'payments']);
  const shown = await sallyport('handshakes', '-f', meshFile, '--json', '-n', '500');
  const records = JSON.parse(shown.stdout) as HandshakeRecord[];
  const refused = records.find(({ role, result }) => role === 'server' && result === 'refused');
  expect(records.some(({ role, traceId }) => role === 'client' && traceId === refused?.traceId)).toBe(true);
  const waterfall = await sallyport('handshakes', '-f', meshFile, '--waterfall', refused?.traceId ?? '');
  expect(waterfall.stdout).toMatch(
    /client +> client_hello[\s\S]*server +< client_hello[\s\S]*server += verify-signature/,
  );

  const status = await sallyport('status', '--state', state);
  expect(status.stdout).toMatch(/web +payments +denied +no-policy-allows/);
  const may = await sallyport('can-i', 'web', 'orders', '-f', meshFile);
  expect(may).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^yes: spiffe:.*\/web may call orders:/),
  });
  const explained = await sallyport('policy', 'explain', 'web', 'payments', '-f', meshFile);
  expect(explained.code).toBe(1);
  expect(explained.stdout).toMatch(
    /^no: .* \(no-policy-allows\)\n[\s\S]*TLS: Strict by default[\s\S]*payments\.yaml/,
  );
  expect((await sallyport('can-i', 'web', 'nobody', '-f', meshFile)).stderr).toContain(
    'nobody is no service of',
  );

  const policy = join(folder, 'policies/payments.yaml');
  writeFileSync(policy, readFileSync(policy, 'utf8').replace('# - serviceAccounts', '- serviceAccounts'));
  await expect.poll(output).toContain('web -> payments is permitted now');
  expect((await sallyport('can-i', 'web', 'payments', '-f', meshFile)).code).toBe(0);
  await expect.poll(output).toContain('web -> payments did a TLS 1.3 handshake');
  writeFileSync(policy, 'spec: [');
  await expect.poll(output).toContain('in the policies: those before the edit stay in force');

  child.kill('SIGTERM');
  const [code] = (await once(child, 'close')) as [number];
  expect(code, output()).toBe(0);
  expect(output()).toContain('0 permitted requests failed, 0 forbidden requests passed');
  expect(existsSync(join(state, 'up.json'))).toBe(false);
  expect((await sallyport('certs', '--state', state)).code).toBe(2);
});

test('a permitted request that fails makes the run fail', { timeout: 60_000 }, async () => {
  const text = readFileSync(meshFile, 'utf8').replace(
    'http://web/checkout',
    'http://web/no/../checkout?broken',
  );
  writeFileSync(meshFile, text);
  const page = join(folder, 'web.ts');
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(
      "'/checkout': checkout",
      "'/checkout?broken': async () => ({ status: 500, body: {} })",
    ),
  );
  const { code, stdout, stderr } = await sallyport('up', '-f', meshFile, '--for', '3s');
  expect(code, stdout).toBe(1);
  expect(stderr).toMatch(/Failed: \d+ requests? failed though policy permits them\./);
  expect(stderr).toMatch(/http:\/\/web\/checkout\?broken failed: status 500 \(\d+ times?\)/);
});

test('a mesh in which nothing could happen fails, and says why', { timeout: 60_000 }, async () => {
  writeFileSync(join(folder, 'web.ts'), "console.error('cannot find my database'); process.exit(3);\n");
  const { code, stdout, stderr } = await sallyport('up', '-f', meshFile, '--for', '3s');
  expect(code, stdout).toBe(1);
  expect(stderr).toContain('Failed: no request was sent.');
  expect(stderr).toContain('Failed: web never became ready.');
  expect(stderr).toContain('Failed: http://web/checkout was never asked: web was not ready.');
  expect(stderr).toContain('web ended with exit code 3');
  expect(stderr).toContain('It last wrote: cannot find my database');
});

test('wrong use is answered in one paragraph, with exit code 2', { timeout: 60_000 }, async () => {
  writeFileSync(meshFile, `${readFileSync(meshFile, 'utf8')}\nrotatevery: 5s\n`);
  for (const [args, said] of [
    [['up', '-f', meshFile], 'unknown field rotatevery (did you mean rotateEvery?)'],
    [['up', '-f', join(folder, 'none.yaml')], 'it does not exist'],
    [['up', '--for', '5'], 'Write a number and a unit'],
    [['up', '--for', '0s'], 'Write a time above zero'],
    [['handshaks'], 'Did you mean handshakes?'],
  ] as const) {
    const { code, stderr } = await sallyport(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/^ +at /m);
  }
});

test('tells its version', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await sallyport('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('policy files are checked without a mesh', { timeout: 60_000 }, async () => {
  const good = await sallyport('policy', 'validate', join(folder, 'policies'));
  expect(good).toMatchObject({ code: 0, stderr: '' });
  expect(good.stdout).toMatch(/: [1-9]\d* documents, 0 errors, 0 warnings\n$/);
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const none = await sallyport('policy', 'validate', empty);
  expect(none.code).toBe(1);
  expect(none.stdout).toContain('There is no policy document here.');
  const policy = join(folder, 'policies/orders.yaml');
  writeFileSync(policy, readFileSync(policy, 'utf8').replace('action: Allow', 'action: Alow'));
  const bad = await sallyport('policy', 'validate', policy);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(/orders\.yaml:6:\d+: error: /);
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function sallyport(...args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

function start(...args: readonly string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      text += part.toString();
    });
  }
  return { child, output: () => text };
}
