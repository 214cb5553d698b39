import { expect, test } from 'vitest';
import { handshake, SHOP } from '../testing/sample.ts';
import { changes, status } from './changes.ts';
import type { EdgeRow, MeshSnapshot, ServiceRow } from './snapshot.ts';
import { summarise } from './summary.ts';

const edges = (change: (edge: EdgeRow) => Partial<EdgeRow>): MeshSnapshot => ({
  ...SHOP,
  edges: SHOP.edges.map((edge) => ({ ...edge, ...change(edge) })),
});
const services = (change: Partial<ServiceRow>): MeshSnapshot => ({
  ...SHOP,
  services: SHOP.services.map((row) => ({ ...row, ...change })),
});
const told = (before: MeshSnapshot | undefined, after: MeshSnapshot): string[] =>
  changes(before, after).map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''));

test('the first look tells of services, handshakes and the denial with its file and line', () => {
  expect(told(undefined, SHOP)).toMatchInlineSnapshot(`
    [
      "web is ready on 127.0.0.1:8480, as spiffe://shop.example/ns/default/sa/web",
      "web has its first certificate, serial 3f9a0c11",
      "orders is ready on 127.0.0.1:8481, as spiffe://shop.example/ns/default/sa/orders",
      "orders has its first certificate, serial 91bb02fe",
      "payments is ready on 127.0.0.1:8482, as spiffe://shop.example/ns/default/sa/payments",
      "payments has its first certificate, serial c4d3e2f1",
      "web -> orders did a TLS 1.3 handshake in 2.41 ms: TLS_AES_128_GCM_SHA256 x25519, both certificates verified",
      "orders -> payments did a TLS 1.3 handshake in 12.9 ms: TLS_AES_128_GCM_SHA256 secp256r1, both certificates verified",
      "DENIED web -> payments (no-policy-allows). To permit it, edit examples/shop/policies/payments.yaml:14: Add the caller to this "from" list. Add: - serviceAccounts: [{ name: web, namespace: default }]",
    ]
  `);
});

test('nothing new is no line', () => {
  expect(told(SHOP, { ...SHOP, now: SHOP.now + 250 })).toEqual([]);
});

test('an edit of the policy turns the edge, either way', () => {
  const green = edges(() => ({ state: 'permitted', denial: undefined }));
  expect(told(SHOP, green)).toEqual(['web -> payments is permitted now']);
  expect(told(green, SHOP)[0]).toContain('DENIED web -> payments');
});

test('the first rotation of each service is told, later ones are counted', () => {
  const with2 = SHOP.services[0]?.certificate;
  if (with2 === undefined) throw new Error('the sample has no certificate');
  const renewed = (renewals: number, serial: string): MeshSnapshot =>
    services({ certificate: { ...with2, renewals, serial } });
  expect(told(renewed(0, 'aaaa'), renewed(1, 'bbbb'))[0]).toBe(
    'web rotated its certificate without a restart: serial aaaa -> bbbb',
  );
  expect(told(renewed(1, 'bbbb'), renewed(2, 'cccc'))).toEqual([]);
});

test('a connection that policy permits and that fails says why, and that it works again', () => {
  const last = handshake({
    result: 'failed',
    reason: 'unknown-issuer',
    say: 'Nobody knows the issuer.',
    next: 'Look at the bundle.',
  });
  const failing = edges(({ to }) => (to === 'orders' ? { state: 'failing', last } : {}));
  expect(told(SHOP, failing)).toEqual(['web -> orders fails: Nobody knows the issuer. Look at the bundle.']);
  expect(told(failing, SHOP)).toEqual(['web -> orders works again']);
});

test('a warning is told once, and its end', () => {
  const warned = { ...SHOP, warnings: ['payments ended with exit code 3'] };
  expect(told(SHOP, warned)).toEqual(['warning: payments ended with exit code 3']);
  expect(told(warned, warned)).toEqual([]);
  expect(told(warned, SHOP)).toEqual(['all warnings are settled']);
});

test('how it goes, in one line', () => {
  expect(status(SHOP)).toMatch(/ after 12 s: 52 requests, 41 handshakes, 6 rotations, 12 denials, 0 failed$/);
});

test('the summary counts, and fails for what must not happen', () => {
  expect(summarise(SHOP.totals, 20_400, true, [])).toEqual({
    line: 'Sallyport ran 20 s: 52 requests, 41 full mutual TLS 1.3 handshakes, 6 certificate rotations, 12 denials, 0 permitted requests failed, 0 forbidden requests passed',
    faults: [],
  });
  const faults = (change: Partial<typeof SHOP.totals>, traffic = true): readonly string[] =>
    summarise({ ...SHOP.totals, ...change }, 1, traffic, []).faults;
  expect(faults({ failed: 1 })).toEqual(['1 request failed though policy permits them']);
  expect(faults({ passed: 2 })).toEqual(['2 requests passed though policy forbids them']);
  expect(faults({ requests: 0 })).toEqual(['no request was sent']);
  expect(faults({ handshakes: 0 })).toEqual(['no handshake took place']);
  expect(faults({ requests: 0, handshakes: 0 }, false)).toEqual([]);
  expect(summarise(SHOP.totals, 1, true, ['web never became ready']).faults).toEqual([
    'web never became ready',
  ]);
});
