import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { verifySvid } from '../path/verify-svid.ts';
import { createCertificateRequest, parseCertificateRequest } from '../x509/certificate-request.ts';
import { OID } from '../x509/oids.ts';
import { type AuthorityOptions, type LeafOptions, makeAuthority } from './authority.ts';
import { encodeBasicConstraints, encodePem, makeKeys } from './index.ts';

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;
const ID = 'spiffe://mesh.test/ns/shop/sa/web';
const folder = mkdtempSync(join(tmpdir(), 'sallyport-openssl-'));
afterAll(() => rmSync(folder, { recursive: true }));

const found = spawnSync('openssl', ['version'], { encoding: 'utf8' });
beforeEach((context) => {
  if (found.status !== 0) context.skip('openssl is not on this machine');
});

/** OpenSSL's answer to the same chain, role and time. */
function opensslAccepts(authority: AuthorityOptions, leaf: LeafOptions): boolean {
  const made = makeAuthority({ now: NOW, ...authority });
  const { chain } = made.makeLeaf({ spiffeId: ID, ...leaf });
  const file = (name: string, ders: readonly Uint8Array[]): string => {
    const path = join(folder, name);
    writeFileSync(path, ders.map((der) => encodePem('CERTIFICATE', der)).join(''));
    return path;
  };
  const ours = verifySvid({ role: 'server', chain }, made.bundle, NOW);
  const root = file('root.pem', [made.root.der]);
  const above = chain.length > 1 ? ['-untrusted', file('above.pem', chain.slice(1))] : [];
  const time = ['-attime', String(NOW / 1000), '-purpose', 'sslserver', '-x509_strict'];
  const arguments_ = ['verify', ...time, '-CAfile', root, ...above, file('leaf.pem', chain.slice(0, 1))];
  const theirs = spawnSync('openssl', arguments_, { encoding: 'utf8' });
  const accepted = theirs.status === 0;
  if (accepted !== ours.ok) {
    throw new Error(
      `OpenSSL: ${theirs.stdout}${theirs.stderr}; ours: ${JSON.stringify(ours.ok ? 'ok' : ours.error)}`,
    );
  }
  return accepted;
}

describe('OpenSSL judges as we do', () => {
  it.each<[string, AuthorityOptions, LeafOptions]>([
    ['the usual chain', {}, {}],
    ['P-384, and a subject', { root: { keyType: 'ec-p384' } }, { commonName: 'web' }],
    ['RSA-PSS', { root: { keyType: 'rsa' }, intermediates: [{ algorithm: 'RSA-PSS-SHA384' }] }, {}],
    ['Ed25519', { root: { keyType: 'ed25519' } }, { keyType: 'ed25519' }],
    ['two intermediates', { intermediates: [{ pathLength: 1 }, { pathLength: 0 }] }, {}],
  ])('accepts %s', (_, authority, leaf) => {
    expect(opensslAccepts(authority, leaf)).toBe(true);
  });

  it.each<[string, AuthorityOptions, LeafOptions]>([
    ['an expired leaf', {}, { notAfter: NOW - HOUR }],
    ['a leaf of the future', {}, { notBefore: NOW + HOUR }],
    ['an expired intermediate', { intermediates: [{ notAfter: NOW - HOUR }] }, {}],
    [
      'an intermediate that is no CA',
      { intermediates: [{ extensions: [encodeBasicConstraints(false)] }] },
      {},
    ],
    ['an intermediate without keyCertSign', { intermediates: [{ keyUsage: ['digitalSignature'] }] }, {}],
    ['a path that is too long', { intermediates: [{ pathLength: 0 }, {}] }, {}],
    ['a URI outside the constraint', { intermediates: [{ permitted: [{ uri: 'other.test' }] }] }, {}],
    ['a certificate for clients', {}, { extendedKeyUsage: [OID.clientAuth] }],
  ])('refuses %s', (_, authority, leaf) => {
    expect(opensslAccepts(authority, leaf)).toBe(false);
  });

  it('prints our certificates as they are meant', () => {
    const made = makeAuthority({ now: NOW });
    const text = (der: Uint8Array): string =>
      execFileSync('openssl', ['x509', '-inform', 'der', '-noout', '-text'], {
        input: der,
        encoding: 'utf8',
      });
    const leaf = text(made.makeLeaf({ spiffeId: ID }).chain[0]!);
    expect(leaf).toMatch(
      /Subject Alternative Name: critical\s+URI:spiffe:\/\/mesh\.test\/ns\/shop\/sa\/web\n/,
    );
    expect(leaf).toMatch(
      /Extended Key Usage:\s+TLS Web Server Authentication, TLS Web Client Authentication/,
    );
    expect(text(made.intermediates[0]!.der)).toMatch(/Permitted:\s+URI:mesh\.test/);
  });
});

describe('certificate requests', () => {
  it('of ours hold for OpenSSL', () => {
    const request = createCertificateRequest(makeKeys('ec-p256'));
    const checked = spawnSync('openssl', ['req', '-inform', 'der', '-verify', '-noout', '-text'], {
      input: request,
    });
    expect(checked.status).toBe(0);
    expect(checked.stderr.toString()).toContain('verify OK');
  });

  it('of OpenSSL are read, with names and extensions that nobody asked for', () => {
    const key = makeKeys('ec-p256').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const path = join(folder, 'key.pem');
    writeFileSync(path, key, { mode: 0o600 });
    const options = [
      '-subj',
      '/CN=admin',
      '-addext',
      'subjectAltName=URI:spiffe://mesh.test/ns/shop/sa/admin',
    ];
    const request = execFileSync('openssl', ['req', '-new', '-key', path, ...options, '-outform', 'der']);
    expect(parseCertificateRequest(request)).toMatchObject({
      ok: true,
      value: { signatureAlgorithm: { usable: true } },
    });
  });
});
