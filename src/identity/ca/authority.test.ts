import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Result, Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { IssuedCertificate } from '../issued-certificate.ts';
import { verifySvid } from '../path/verify-svid.ts';
import { parseSpiffeId, serviceAccountId } from '../spiffe-id.ts';
import { encodePem, makeKeys } from '../testing/index.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import { parseCertificate } from '../x509/certificate.ts';
import type { AuditRecord } from './audit.ts';
import { CertificateAuthority } from './authority.ts';
import type { AuthorityOptions } from './config.ts';

const NOW = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ID = serviceAccountId('mesh_1.test', 'shop', 'web');

let directory: string;
let clock: FakeClock;
const opened: CertificateAuthority[] = [];

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'sallyport-ca-')), 'state');
  clock = new FakeClock(NOW);
});
afterEach(async () => {
  for (const authority of opened.splice(0)) await authority.close();
  await rm(join(directory, '..'), { recursive: true });
});

async function open(options: Partial<AuthorityOptions> = {}): Promise<CertificateAuthority> {
  const base = { directory, trustDomain: 'mesh_1.test', clock, log: silentLog };
  const authority = await CertificateAuthority.open({ ...base, ...options });
  opened.push(authority);
  return authority;
}

function value<T>(result: Result<T, { reason: { code: string }; detail: string }>): T {
  if (!result.ok) throw new Error(`${result.error.reason.code}: ${result.error.detail}`);
  return result.value;
}

function codeOf(result: Result<unknown, { reason: { code: string } }>): string {
  return result.ok ? 'issued' : result.error.reason.code;
}

/** Another process that takes the folder's lock and then does `more`. */
function inOtherProcess(more: string): ReturnType<typeof spawnSync> {
  const program = `
    import { lockFolder } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)};
    await lockFolder(${JSON.stringify(directory)}, 0);
    ${more}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
}

const request = (): Uint8Array => createCertificateRequest(makeKeys('ec-p256'));

function verified(authority: CertificateAuthority, { chain }: IssuedCertificate): string {
  return codeOf(verifySvid({ role: 'client', chain }, authority.bundle.value, clock.now())).replace(
    'issued',
    'ok',
  );
}

describe('issue', () => {
  it('gives a leaf that says what it must and nothing else', async () => {
    const authority = await open();
    const keys = makeKeys('ec-p256');
    const issued = value(await authority.issue(createCertificateRequest(keys), ID));
    const parsed = parseCertificate(issued.chain[0]!);
    if (!parsed.ok) throw new Error(parsed.error.what);
    const leaf = parsed.value;
    expect(leaf.publicKey.key.equals(keys.publicKey)).toBe(true);
    expect(leaf.subject.empty).toBe(true);
    expect(leaf.extensions.subjectAltName).toEqual([{ type: 'uri', text: ID.toString() }]);
    expect(leaf.notBefore).toBe(NOW - 5 * MINUTE);
    expect(leaf.notAfter).toBe(NOW + 6 * HOUR);
    expect(leaf.serial).toMatch(/^[0-9a-f]{32}$/);
    expect(issued).toMatchObject({ serial: leaf.serial, notBefore: leaf.notBefore, notAfter: leaf.notAfter });
    expect(issued.chain).toHaveLength(2);
    expect(
      issued.chain.some((der) => new X509Certificate(der).subject === new X509Certificate(der).issuer),
    ).toBe(false);
    expect(verified(authority, issued)).toBe('ok');
  });

  it('accepts P-384 keys and no others', async () => {
    const authority = await open();
    expect(codeOf(await authority.issue(createCertificateRequest(makeKeys('ec-p384')), ID))).toBe('issued');
    const ed25519 = makeKeys('ed25519');
    // A request over another kind of key, signed by a P-256 key: the kind of key is refused before the signature.
    const mixed = createCertificateRequest({
      publicKey: ed25519.publicKey,
      privateKey: makeKeys('ec-p256').privateKey,
    });
    expect(codeOf(await authority.issue(mixed, ID))).toBe('request-unsupported-key');
  });

  it('refuses requests that are malformed or prove nothing', async () => {
    const authority = await open();
    expect(codeOf(await authority.issue(new Uint8Array(0), ID))).toBe('malformed-request');
    expect(codeOf(await authority.issue(request().subarray(1), ID))).toBe('malformed-request');
    const stolen = { publicKey: makeKeys('ec-p256').publicKey, privateKey: makeKeys('ec-p256').privateKey };
    expect(codeOf(await authority.issue(createCertificateRequest(stolen), ID))).toBe('request-not-proven');
  });

  it('refuses identities of other trust domains and of none', async () => {
    const authority = await open();
    for (const text of ['spiffe://other.test/ns/shop/sa/web', 'spiffe://mesh_1.test']) {
      const id = parseSpiffeId(text);
      if (!id.ok) throw new Error(id.error);
      expect(codeOf(await authority.issue(request(), id.value))).toBe('identity-not-ours');
    }
  });

  it('refuses a request for other names, and copies nothing else of one', async ({ skip }) => {
    if (spawnSync('openssl', ['version']).status !== 0) skip('openssl is not on this machine');
    const authority = await open();
    const keyPath = join(directory, '..', 'key.pem');
    await writeFile(keyPath, makeKeys('ec-p256').privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
    });
    const asking = (names: string): Uint8Array => {
      const options = ['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:TRUE'];
      const subject = ['-subj', '/CN=admin'];
      return spawnSync('openssl', ['req', '-new', '-key', keyPath, ...subject, ...options, '-outform', 'der'])
        .stdout;
    };
    const admin = 'URI:spiffe://mesh_1.test/ns/shop/sa/admin';
    expect(codeOf(await authority.issue(asking(admin), ID))).toBe('request-names-another');
    expect(codeOf(await authority.issue(asking(`${admin},DNS:admin,URI:spiffe://other/x`), ID))).toBe(
      'request-several-uris',
    );
    const issued = value(await authority.issue(asking(`URI:${ID.toString()}`), ID));
    const theirs = new X509Certificate(issued.chain[0]!);
    expect(theirs.subjectAltName).toBe(`URI:${ID.toString()}`);
    expect(theirs.ca).toBe(false);
    expect(Buffer.from(issued.chain[0]!).includes('admin')).toBe(false);
  });

  it('is believed by OpenSSL', async ({ skip }) => {
    if (spawnSync('openssl', ['version']).status !== 0) skip('openssl is not on this machine');
    clock = new FakeClock(Date.now());
    const authority = await open();
    const issued = value(await authority.issue(request(), ID));
    const file = async (name: string, der: Uint8Array): Promise<string> => {
      const path = join(directory, '..', name);
      await writeFile(path, encodePem('CERTIFICATE', der));
      return path;
    };
    const root = await file('root.pem', authority.bundle.value.roots[0]!.der);
    const above = await file('above.pem', issued.chain[1]!);
    const leaf = await file('leaf.pem', issued.chain[0]!);
    for (const purpose of ['sslserver', 'sslclient']) {
      const options = ['-x509_strict', '-purpose', purpose, '-CAfile', root, '-untrusted', above, leaf];
      expect(spawnSync('openssl', ['verify', ...options], { encoding: 'utf8' }).stdout).toBe(`${leaf}: OK\n`);
    }
    const text = spawnSync('openssl', ['x509', '-in', above, '-noout', '-text'], { encoding: 'utf8' }).stdout;
    expect(text).toMatch(/X509v3 Name Constraints: critical\s+Permitted:\s+URI:mesh_1\.test/);
    expect(text).toMatch(/CA:TRUE, pathlen:0/);
  });

  it('never outlives its issuer, and stops when there is too little left', async () => {
    const authority = await open({
      leafLifetimeMilliseconds: 2 * HOUR,
      intermediateLifetimeMilliseconds: 6 * HOUR,
    });
    await clock.advance(5 * HOUR);
    const issued = value(await authority.issue(request(), ID));
    expect(issued.notAfter).toBe(authority.intermediate.value.notAfter);
    await clock.advance(HOUR - MINUTE);
    expect(codeOf(await authority.issue(request(), ID))).toBe('issuer-ending');
    await authority.rotateIntermediate();
    expect(codeOf(await authority.issue(request(), ID))).toBe('issued');
  });

  it('records every certificate before it is handed out, and issues none that it cannot record', async () => {
    const records: AuditRecord[] = [];
    let full = false;
    const audit = (record: AuditRecord): void => {
      if (full) throw new Error('no space left');
      records.push(record);
    };
    const authority = await open({ audit });
    const issued = value(await authority.issue(request(), ID));
    expect(records.map(({ kind }) => kind)).toEqual(['root', 'intermediate', 'leaf']);
    expect(records[2]).toMatchObject({
      subject: ID.toString(),
      serial: issued.serial,
      issuerSerial: authority.intermediate.value.serial,
      issuedAt: '2026-06-01T00:00:00.000Z',
      notAfter: '2026-06-01T06:00:00.000Z',
    });
    full = true;
    const refused = await authority.issue(request(), ID);
    expect(codeOf(refused)).toBe('audit-failed');
    expect(refused.ok ? '' : refused.error.detail).toBe('no space left');
  });

  it('hands out and records nothing that peers would refuse at this moment', async () => {
    const records: AuditRecord[] = [];
    const authority = await open({ audit: (record) => void records.push(record) });
    // The clock was set back to before the intermediate was made: by it, nothing of the chain is valid yet.
    const now = clock.now.bind(clock);
    clock.now = () => now() - HOUR;
    const refused = await authority.issue(request(), ID);
    expect(codeOf(refused)).toBe('issued-certificate-refused');
    expect(refused.ok ? '' : refused.error.detail).toContain('not valid yet');
    expect(records.map(({ kind }) => kind)).toEqual(['root', 'intermediate']);
    clock.now = now;
    expect(codeOf(await authority.issue(request(), ID))).toBe('issued');
    expect(records.map(({ kind }) => kind)).toEqual(['root', 'intermediate', 'leaf']);
  });

  it('issues nothing after closing', async () => {
    const authority = await open();
    await authority.close();
    expect(codeOf(await authority.issue(request(), ID))).toBe('authority-closed');
    await expect(authority.rotateIntermediate()).rejects.toThrow('closed');
  });

  it.each([
    [{ leafLifetimeMilliseconds: 2 * MINUTE - 1 }, 'leafLifetimeMilliseconds'],
    [{ leafLifetimeMilliseconds: 24 * HOUR + 1 }, 'leafLifetimeMilliseconds'],
    [{ leafLifetimeMilliseconds: Number.NaN }, 'leafLifetimeMilliseconds'],
    [{ intermediateLifetimeMilliseconds: 17 * HOUR }, 'intermediateLifetimeMilliseconds'],
    [{ trustDomain: 'Mesh' }, 'trustDomain'],
  ])('refuses to start with %j', async (options, field) => {
    await expect(open(options)).rejects.toThrow(field);
  });

  it('tells all mistakes of a configuration at once', async () => {
    const wrong = { trustDomain: 'a:1', directory: '', leafLifetimeMilliseconds: 1 };
    await expect(open(wrong)).rejects.toThrow(/trustDomain.*\n.*directory.*\n.*leafLifetime/);
  });
});

describe('rotation', () => {
  it('keeps leaves of the intermediate before valid, and destroys its key', async () => {
    const authority = await open();
    const before = value(await authority.issue(request(), ID));
    const serial = authority.intermediate.value.serial;
    const seen: string[] = [];
    authority.intermediate.subscribe((now) => seen.push(now.serial));
    await authority.rotateIntermediate();
    const after = value(await authority.issue(request(), ID));
    expect(authority.intermediate.value.serial).not.toBe(serial);
    expect(seen).toEqual([authority.intermediate.value.serial]);
    expect(verified(authority, before)).toBe('ok');
    expect(verified(authority, after)).toBe('ok');
    expect((await readdir(directory)).filter((name) => name.includes(serial))).toEqual([]);
  });

  it('serves issuances and rotations at the same time', async () => {
    const authority = await open();
    const rotations = [1, 2, 3].map(() => authority.rotateIntermediate());
    const issuances = Array.from({ length: 20 }, () => authority.issue(request(), ID));
    await Promise.all(rotations);
    for (const issued of await Promise.all(issuances)) expect(verified(authority, value(issued))).toBe('ok');
    expect((await readdir(directory)).filter((name) => name.startsWith('intermediate'))).toHaveLength(2);
  });

  it('follows its schedule over months, and a leaf always gets its whole life', async () => {
    const authority = await open({ leafLifetimeMilliseconds: 24 * HOUR });
    const scope = new Scope('test', (error) => {
      throw error;
    });
    authority.run(scope);
    const serials = new Set<string>();
    for (let day = 0; day < 100; day += 5) {
      await clock.advance(5 * DAY);
      // Rotation writes files, which takes real time.
      await expect.poll(() => authority.intermediate.value.notAfter - clock.now()).toBeGreaterThan(9 * DAY);
      const issued = value(await authority.issue(request(), ID));
      expect(issued.notAfter - clock.now()).toBe(24 * HOUR);
      serials.add(authority.intermediate.value.serial);
    }
    expect(serials.size).toBeGreaterThanOrEqual(5);
    await scope.close();
    expect(clock.pendingTimers).toBe(0);
    // The scope closed the authority, so the folder is free.
    await open();
  }, 60_000);

  it('is put right before the first leaf after a long stop', async () => {
    await (await open()).close();
    await clock.advance(40 * DAY);
    const authority = await open();
    expect(authority.intermediate.value.notAfter).toBe(clock.now() + 30 * DAY);
    expect(verified(authority, value(await authority.issue(request(), ID)))).toBe('ok');
  });

  it('ends with the root, without turning in circles', async () => {
    const authority = await open();
    const end = authority.root.value.notAfter;
    await authority.close();
    clock = new FakeClock(end - 10 * MINUTE);
    const last = await open({ leafLifetimeMilliseconds: 2 * MINUTE });
    expect(last.intermediate.value.notAfter).toBe(end);
    await last.close();
    clock = new FakeClock(end + 1);
    await expect(open()).rejects.toThrow('correct the clock');
  });
});

describe('state', () => {
  it('is kept: the same root and intermediate after a restart', async () => {
    const first = await open();
    const issued = value(await first.issue(request(), ID));
    await first.close();
    const second = await open();
    expect(second.bundle.value.hash).toBe(first.bundle.value.hash);
    expect(second.root.value).toEqual(first.root.value);
    expect(second.intermediate.value).toEqual(first.intermediate.value);
    expect(verified(second, issued)).toBe('ok');
  });

  it('is for its owner only: folder 0700, files 0600', async () => {
    await open();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(directory)) {
      expect([name, (await stat(join(directory, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it('belongs to one authority at a time, and the message names the holder', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(
      `in use by another authority: process ${process.pid}, since 2026-06-01`,
    );
    // The refused attempt has not loosened the lock of this process for other processes.
    expect(inOtherProcess('').stderr).toContain(`in use by another authority: process ${process.pid}`);
    await first.close();
    await open();
  });

  it('is freed when its process is killed', async () => {
    await (await open()).close();
    const killed = inOtherProcess("process.kill(process.pid, 'SIGKILL');");
    expect(killed.signal).toBe('SIGKILL');
    expect(await readFile(join(directory, 'lock-holder.json'), 'utf8')).toContain(`"pid":${killed.pid}`);
    await open();
  });
});
