import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpiffeId, serviceAccountId, serviceAccountOf } from './spiffe-id.ts';

const segment = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019.-_'), minLength: 1, maxLength: 12 })
  .filter((text) => text !== '.' && text !== '..');
const domain = fc.string({ unit: fc.constantFrom(...'abcxyz019.-_'), minLength: 1, maxLength: 40 });

describe('parseSpiffeId', () => {
  it('round-trips every valid ID', () => {
    fc.assert(
      fc.property(domain, fc.array(segment, { maxLength: 5 }), (trustDomain, segments) => {
        const path = segments.map((part) => `/${part}`).join('');
        const id = parseSpiffeId(`spiffe://${trustDomain}${path}`);
        expect(id.ok && id.value).toMatchObject({ trustDomain, path });
        expect(id.ok && id.value.toString()).toBe(`spiffe://${trustDomain}${path}`);
      }),
    );
  });

  it('never throws, and what it accepts it prints back unchanged', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `spiffe://${text}`),
        ),
        (text) => {
          const id = parseSpiffeId(text);
          if (id.ok) expect(id.value.toString()).toBe(text);
        },
      ),
    );
  });

  it.each([
    ['', 'does not start with'],
    ['https://mesh/a', 'does not start with'],
    ['SPIFFE://mesh/a', 'does not start with'],
    ['spiffe:/mesh/a', 'does not start with'],
    ['spiffe://', 'trust domain is empty'],
    ['spiffe:///ns/a', 'trust domain is empty'],
    ['spiffe://Mesh/a', 'lower-case'],
    ['spiffe://mesh:8443/a', 'no port'],
    ['spiffe://user@mesh/a', 'no user information'],
    ['spiffe://me%73h/a', 'percent-encoding'],
    [`spiffe://${'a'.repeat(256)}/a`, 'at most 255'],
    ['spiffe://mesh/', 'ends with "/"'],
    ['spiffe://mesh/a/', 'ends with "/"'],
    ['spiffe://mesh//a', 'segment 1 of the path is empty'],
    ['spiffe://mesh/a/./b', 'segment 2 of the path is "."'],
    ['spiffe://mesh/a/../b', 'segment 2 of the path is ".."'],
    ['spiffe://mesh/a%2fb', 'segment 1 of the path has "%"'],
    ['spiffe://mesh/a?x=1', 'query at character 15'],
    ['spiffe://mesh/a#x', 'fragment at character 15'],
    ['spiffe://mesh?x/a', 'query'],
    ['spiffe://mesh/a\0b', 'segment 1'],
    ['spiffe://mesh/caf\u00e9', 'segment 1'],
    [`spiffe://mesh/${'a'.repeat(2048)}`, 'at most 2048 bytes'],
  ])('refuses %j', (text, problem) => {
    const id = parseSpiffeId(text);
    expect(id.ok ? 'accepted' : id.error).toContain(problem);
  });

  it('freezes what it returns', () => {
    const id = serviceAccountId('mesh', 'shop', 'web');
    expect(() => Object.assign(id, { path: '/other' })).toThrow(TypeError);
  });
});

describe('serviceAccountId', () => {
  it('has an inverse', () => {
    fc.assert(
      fc.property(domain, segment, segment, (trustDomain, namespace, serviceAccount) => {
        const id = serviceAccountId(trustDomain, namespace, serviceAccount);
        expect(serviceAccountOf(id)).toEqual({ namespace, serviceAccount });
      }),
    );
  });

  it('refuses parts that would change the shape', () => {
    expect(() => serviceAccountId('mesh', 'shop/sa/admin', 'web')).toThrow('contains "/"');
    expect(() => serviceAccountId('mesh', '..', 'web')).toThrow('".."');
    expect(() => serviceAccountId('mesh', '', 'web')).toThrow('SPIFFE ID');
  });

  it('knows other shapes for what they are', () => {
    const id = parseSpiffeId('spiffe://mesh/ns/shop/sa/web/extra');
    expect(id.ok && serviceAccountOf(id.value)).toBeUndefined();
  });
});
