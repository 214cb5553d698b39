import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog, systemClock } from '#runtime';
import { verifySvid } from '../path/verify-svid.ts';
import { CertificateAuthority } from './authority.ts';

/** A process takes a second to start; 100 kills are for those who changed the store: SALLYPORT_KILLS=100. */
const KILLS = Number(process.env.SALLYPORT_KILLS ?? 8);

const PROGRAM = `
import { CertificateAuthority } from ${JSON.stringify(new URL('authority.ts', import.meta.url).href)};
import { serviceAccountId } from ${JSON.stringify(new URL('../spiffe-id.ts', import.meta.url).href)};
import { createCertificateRequest } from ${JSON.stringify(new URL('../x509/certificate-request.ts', import.meta.url).href)};
import { silentLog, systemClock } from '#runtime';
import { generateKeyPairSync } from 'node:crypto';
import { writeSync } from 'node:fs';
const [directory] = process.argv.slice(1);
writeSync(1, 'starting\\n');
const authority = await CertificateAuthority.open({ directory, trustDomain: 'mesh.test', clock: systemClock, log: silentLog });
const id = serviceAccountId('mesh.test', 'shop', 'web');
const csr = createCertificateRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
for (;;) {
  for (let n = 0; n < 3; n += 1) {
    const issued = await authority.issue(csr, id);
    if (!issued.ok) throw new Error(issued.error.detail);
    writeSync(1, issued.value.chain.map((der) => Buffer.from(der).toString('base64')).join(' ') + ' ' + issued.value.serial + '\\n');
  }
  await authority.rotateIntermediate();
}`;

test(`kill -9 at ${KILLS} random moments of creating, issuing and rotating in a folder`, {
  timeout: KILLS * 15_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-killed-'));
  const directory = join(folder, 'ca');
  const serials = new Set<string>();
  let chains: Uint8Array[][] = [];
  let root: string | undefined;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const lines = await livedFor(directory, Math.random() * 400);
    for (const line of lines) {
      const [serial = '', ...chain] = line.split(' ').reverse();
      expect(serials.has(serial)).toBe(false);
      serials.add(serial);
      chains.push(chain.reverse().map((text) => Buffer.from(text, 'base64')));
    }
    const authority = await CertificateAuthority.open({
      directory,
      trustDomain: 'mesh.test',
      clock: systemClock,
      log: silentLog,
    });
    // What was handed out has a root, and it stays.
    if (root !== undefined) expect(authority.root.value.serial).toBe(root);
    root = authority.root.value.serial;
    for (const chain of chains) {
      expect(verifySvid({ role: 'server', chain }, authority.bundle.value, Date.now()).ok).toBe(true);
    }
    chains = chains.slice(-20);
    await authority.close();
  }
  await rm(folder, { recursive: true });
  expect(serials.size).toBeGreaterThan(0);
});

/** The whole lines that a process wrote until it was killed, so many milliseconds after its start. */
async function livedFor(directory: string, milliseconds: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: new URL('.', import.meta.url).pathname,
  });
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  const [code] = (await ended) as [number | null];
  // One that ended by itself has failed.
  expect(code).toBeNull();
  return text.split('\n').slice(1, -1);
}
