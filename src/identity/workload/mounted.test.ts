import { describe, expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { parseTrustBundle } from '../bundle.ts';
import { serviceAccountId } from '../spiffe-id.ts';
import { makeAuthority, makeKeys } from '../testing/index.ts';
import { decodeCertificates } from '../x509/pem.ts';
import { type MountedFiles, readMounted } from './mounted.ts';

const ID = serviceAccountId('mesh.test', 'shop', 'orders');
const authority = makeAuthority({ trustDomain: 'mesh.test' });
const keys = makeKeys('ec-p256');
const leaf = authority.makeLeaf({ spiffeId: ID.toString(), keys });
const { chain: certificate, key } = leaf.pem;

function read(files: Partial<MountedFiles>, identity = ID) {
  const context = { crypto: nodeProvider, identity, bundle: authority.bundle, now: Date.now(), renewals: 3 };
  return readMounted({ certificate, key, ...files }, context);
}

function whyNot(files: Partial<MountedFiles>, identity = ID): string {
  const result = read(files, identity);
  if (result.ok) return 'it is accepted';
  expect(result.error.reason.code).toBe('credential-unusable');
  return result.error.detail;
}

describe('a mounted certificate and key', () => {
  test('become a credential', () => {
    expect(read({})).toMatchObject({ ok: true, value: { renewals: 3, credential: { chain: leaf.chain } } });
  });

  test('in other forms that tools write', () => {
    const sec1 = keys.privateKey.export({ type: 'sec1', format: 'pem' });
    const explained = `Bag Attributes\n  friendlyName: x\nsubject=/CN=x\n${certificate}`.replaceAll(
      '\n',
      '\r\n',
    );
    expect(read({ certificate: explained, key: sec1 })).toMatchObject({ ok: true });
    const withRoot = read({ certificate: certificate + authority.rootPem });
    expect(withRoot).toMatchObject({ ok: true, value: { credential: { chain: leaf.chain } } });
  });

  test('are refused for what is wrong with them, and nothing of the key is told', () => {
    const other = makeKeys('ec-p256').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const locked = keys.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    expect(whyNot({ key: other })).toContain('over another key than that of the key file');
    expect(whyNot({}, serviceAccountId('mesh.test', 'shop', 'web'))).toContain('names another workload');
    expect(whyNot({ certificate: '' })).toContain('BEGIN CERTIFICATE');
    expect(whyNot({ certificate: key + certificate })).toContain('block 1 is PRIVATE KEY');
    for (const wrong of [locked, '', 'x', certificate, key.replace('M', '!')]) {
      const said = whyNot({ key: wrong });
      expect(said).toContain('no private key');
      expect(said).not.toContain(key.split('\n')[1]);
    }
  });
});

describe('certificates as PEM', () => {
  test.each([
    ['no end', certificate.slice(0, -30), 'has no end'],
    ['another label at the end', certificate.replace('END CERTIFICATE', 'END X509 CRL'), 'has no end'],
    ['a hole', certificate.replace(/\n([A-Za-z0-9+/]{20})/, '\n!$1'), 'is not base64'],
    ['half of a group', '-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n', 'is not base64'],
  ])('with %s are refused', (_, text, say) => {
    const decoded = decodeCertificates(text);
    expect(decoded.ok ? '' : decoded.error).toContain(say);
  });

  test('of roots are a bundle', () => {
    const parsed = parseTrustBundle('mesh.test', `# the mesh's roots\n${authority.rootPem}`);
    expect(parsed).toMatchObject({ ok: true, value: { hash: authority.bundle.hash } });
    expect(parseTrustBundle('mesh.test', 'nothing')).toMatchObject({ ok: false });
  });
});
