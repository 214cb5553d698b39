import { createECDH } from 'node:crypto';
import { describe, it } from 'vitest';
import { concat, fromHex } from '#runtime';
import { encodeClientShares, encodeServerShare } from './extensions/key-share.ts';
import { type GroupName, GROUPS } from './groups.ts';
import { clientGetting, serverGetting } from './testing/hello-attacks.ts';
import { expectRefusal } from './testing/victim.ts';
import { u8 } from './wire/writer.ts';

/** RFC 7748 6.1: points of small order, whose shared secret is all zero whatever our key is. */
const LOW_ORDER_X25519 = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => [hex, fromHex(hex)] as const);

const WRONG_LENGTHS = [1, 31, 33, 65].map(
  (length) => [`${length} bytes`, new Uint8Array(length).fill(9)] as const,
);

/** Bytes that are no public key of P-256 in the one form that TLS 1.3 has (RFC 8446 4.2.8.2). */
function badP256Points(): readonly (readonly [string, Uint8Array])[] {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  const point = new Uint8Array(ecdh.getPublicKey());
  const offCurve = point.slice();
  offCurve[64]! ^= 1;
  return [
    ['a point off the curve', offCurve],
    ['the compressed form', new Uint8Array(ecdh.getPublicKey(null, 'compressed'))],
    ['the hybrid form', concat(u8(6 + (point[64]! & 1)), point.subarray(1))],
    ['the point at infinity', u8(0)],
    ['all zeros', new Uint8Array(65)],
    ['zeros behind the right form', concat(u8(4), new Uint8Array(64))],
    ['coordinates beyond the field', concat(u8(4), new Uint8Array(64).fill(0xff))],
    ['one byte too few', point.subarray(0, 64)],
    ['one byte too many', concat(point, u8(0))],
  ];
}

const BAD: readonly (readonly [GroupName, string, Uint8Array])[] = [
  ...[...LOW_ORDER_X25519, ...WRONG_LENGTHS].map(([title, bytes]) => ['x25519', title, bytes] as const),
  ...badP256Points().map(([title, bytes]) => ['secp256r1', title, bytes] as const),
];

describe('a key share that is no public key is refused (RFC 8446 4.2.8.2, 7.4.2)', () => {
  it.each(BAD)('by a server: %s, %s', (group, _title, keyExchange) => {
    const shares = encodeClientShares([{ group: GROUPS[group].id, keyExchange }]);
    const victim = serverGetting((hello) => hello.extensions.set('key_share', shares), {
      client: { groups: [group] },
    });
    expectRefusal(victim, 'invalid-key-share', 'illegal_parameter');
  });

  it.each(BAD)('by a client: %s, %s', (group, _title, keyExchange) => {
    const share = encodeServerShare({ group: GROUPS[group].id, keyExchange });
    const victim = clientGetting((hello) => hello.extensions.set('key_share', share), {
      client: { groups: [group] },
    });
    expectRefusal(victim, 'invalid-key-share', 'illegal_parameter');
  });
});
