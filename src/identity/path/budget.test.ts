import { describe, expect, it } from 'vitest';
import { OID } from '../x509/oids.ts';
import {
  type IssuerOptions,
  type LeafOptions,
  makeIssuer,
  makeKeys,
  makeLeaf,
  type TestIssuer,
} from '../testing/index.ts';
import { PATH_LIMITS } from './limits.ts';
import { verifyWebChain } from './verify-host.ts';
import { createWebRoots } from './web-roots.ts';

const NOW = Date.UTC(2026, 5, 1);
/** Milliseconds. On a quiet machine each of these is below 50 (test/bench/path.ts); this bound is for a busy one. */
const PATIENCE = 1000;
const root = makeIssuer({ commonName: 'root', now: NOW });
const roots = createWebRoots([root.der]);

function ca(options: Partial<IssuerOptions> & { commonName: string }, parent?: TestIssuer): TestIssuer {
  return makeIssuer({ now: NOW, ...options }, parent);
}

function leafOf(issuer: TestIssuer, options: LeafOptions = {}): Uint8Array {
  const names = [{ dns: 'www.example.com' }];
  return makeLeaf({ now: NOW, extendedKeyUsage: [OID.serverAuth], names, ...options }, issuer).chain[0]!;
}

function judge(chain: readonly Uint8Array[], trusted = roots): string {
  const start = performance.now();
  const result = verifyWebChain({ role: 'server', chain }, { roots: trusted, time: NOW });
  expect(performance.now() - start).toBeLessThan(PATIENCE);
  return result.ok ? 'ok' : result.error.reason.code;
}

/** `count` authorities, each certified by each other one. */
function mesh(
  count: number,
  keyType: 'ec-p256' | 'ec-p384',
  parent?: TestIssuer,
): { all: TestIssuer[]; crossed: Uint8Array[] } {
  const all = Array.from({ length: count }, (_, index) =>
    ca({ commonName: `ca ${index}`, keys: makeKeys(keyType) }, index === 0 ? parent : undefined),
  );
  const crossed = all.flatMap((subject, to) =>
    all.flatMap((issuer, from) =>
      to === from ? [] : [ca({ commonName: `ca ${to}`, keys: subject.keys }, issuer).der],
    ),
  );
  return { all, crossed };
}

describe('a hostile bag of certificates ends within its budget', () => {
  it('10,000 certificates are not even read', () => {
    const one = leafOf(root);
    expect(judge(Array.from({ length: 10_000 }, () => one))).toBe('too-many-certificates');
  });

  it.each(['ec-p256', 'ec-p384'] as const)(
    'authorities that all certified each other, of %s, and lead nowhere',
    (keyType) => {
      const { all, crossed } = mesh(11, keyType);
      expect(judge([leafOf(all[0]!), ...crossed])).toBe('chain-too-complex');
    },
  );

  it('the same, where every path reaches a root and fails at the leaf', () => {
    const { all, crossed } = mesh(11, 'ec-p256', root);
    const expired = leafOf(all[5]!, { notAfter: NOW - 1000 });
    expect(judge([expired, all[0]!.der, ...crossed])).toBe('chain-too-complex');
  });

  it('the same, with a good leaf: the path is found', () => {
    const { all, crossed } = mesh(8, 'ec-p256', root);
    expect(judge([leafOf(all[3]!), all[0]!.der, ...crossed])).toBe('ok');
  });

  it('impostors of one name whose signatures do not hold', () => {
    const real = ca({ commonName: 'ca' }, root);
    const impostors = Array.from(
      { length: 120 },
      () => ca({ commonName: 'ca', keyIdentifiers: false }, root).der,
    );
    expect(judge([leafOf(real), ...impostors, real.der])).toBe('ok');
  });

  it('impostors with costly keys', () => {
    const real = ca({ commonName: 'ca', keyIdentifiers: false }, root);
    const impostors = Array.from(
      { length: 100 },
      () => ca({ commonName: 'ca', keyIdentifiers: false, keyType: 'ec-p384' }, root).der,
    );
    expect(judge([leafOf({ ...real, keys: makeKeys('ec-p384') }), ...impostors])).toBe('chain-too-complex');
  });

  it('a chain that is too deep, and one that is just not', () => {
    const chain = (depth: number): Uint8Array[] => {
      let issuer = root;
      const above: Uint8Array[] = [];
      for (let index = 0; index < depth; index += 1) {
        issuer = ca({ commonName: `ca ${index}` }, issuer);
        above.push(issuer.der);
      }
      return [leafOf(issuer), ...above.reverse()];
    };
    expect(judge(chain(PATH_LIMITS.intermediates))).toBe('ok');
    expect(judge(chain(PATH_LIMITS.intermediates + 1))).toBe('chain-too-complex');
    expect(judge(chain(100))).toBe('chain-too-complex');
  });

  it('1,000 constraints against 1,000 names', () => {
    const permitted = Array.from({ length: 1000 }, (_, index) => ({ dns: `n${index}.example.com` }));
    const own = ca({ commonName: 'root', permitted });
    const trusted = createWebRoots([own.der]);
    expect(trusted.unreadable).toEqual([]);
    const many = Array.from({ length: 1000 }, () => ({ dns: 'n999.example.com' }));
    expect(judge([leafOf(own, { names: many })], trusted)).toBe('chain-too-complex');
    expect(judge([leafOf(own, { names: many.slice(0, 60) })], trusted)).toBe('ok');
    expect(judge([leafOf(own, { names: [{ dns: 'n1000.example.com' }] })], trusted)).toBe(
      'name-constraint-violated',
    );
  });
});
