import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { hostVerifier } from './host-verifier.ts';
import { parseReferenceHost } from './path/host-name.ts';
import { createWebRoots } from './path/web-roots.ts';
import { readSystemRoots } from './system-roots.ts';
import { encodePem, makeIssuer, makeLeaf } from './testing/index.ts';

const NOW = Date.UTC(2026, 5, 1);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-roots-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = makeIssuer({ commonName: 'public root', now: NOW });
const leaf = makeLeaf({ now: NOW, names: [{ dns: 'www.example.com' }] }, root);

describe('hostVerifier', () => {
  const name = parseReferenceHost('www.example.com');
  if (!name.ok) throw new Error(name.error);
  const roots = new Watch(createWebRoots([root.der]));
  const verifier = hostVerifier({
    roots,
    name: name.value,
    text: 'www.example.com',
    clock: new FakeClock(NOW),
  });

  it('believes the host, and no longer once its root is gone', () => {
    const presented = { role: 'server', chain: leaf.chain } as const;
    expect(verifier.verify(presented)).toMatchObject({
      ok: true,
      value: { identity: 'www.example.com', keyType: 'ec-p256' },
    });
    const other = makeIssuer({ commonName: 'public root', now: NOW });
    roots.set(createWebRoots([other.der]));
    const refused = verifier.verify(presented);
    if (refused instanceof Promise || refused.ok) throw new Error('believed');
    expect(refused.error.reason.code).toBe('unknown-authority');
    expect(refused.error.detail).toContain('expected: host www.example.com');
    expect(refused.error.detail).toContain(refused.error.reason.next);
  });
});

describe('readSystemRoots', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('takes the first bundle that is there, leaves out what it cannot read, and says so', () => {
    const odd = makeIssuer({ commonName: 'odd', now: NOW, keyType: 'ec-p521' });
    const bundle = file(
      'bundle.pem',
      `# public\n${encodePem('CERTIFICATE', root.der)}${encodePem('CERTIFICATE', odd.der)}`,
    );
    const roots = readSystemRoots([join(folder, 'absent.pem'), bundle]);
    expect(roots).toMatchObject({
      ok: true,
      value: { source: bundle, unreadable: [expect.stringContaining('root 2')] },
    });
    expect(roots.ok && roots.value.index.certificates.length).toBe(1);
  });

  it('says what is wrong', () => {
    expect(readSystemRoots([join(folder, 'absent.pem')])).toMatchObject({
      error: expect.stringContaining('install ca-certificates'),
    });
    const key = file('key.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    expect(readSystemRoots([key])).toMatchObject({
      error: `${key}: block 1 is PRIVATE KEY, not CERTIFICATE`,
    });
    const garbage = file('garbage.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(readSystemRoots([garbage])).toMatchObject({
      error: `${garbage}: none of its certificates can be read`,
    });
  });

  it("reads nearly all of this system's roots", (context) => {
    const roots = readSystemRoots();
    if (!roots.ok) return context.skip('this system has no bundle of public roots');
    const { index, unreadable } = roots.value;
    expect(unreadable.length).toBeLessThan(index.certificates.length / 10);
  });
});
