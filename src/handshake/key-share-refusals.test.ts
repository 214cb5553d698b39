import { createECDH } from 'node:crypto';
import { describe, it } from 'vitest';
import { concat, EMPTY, fromHex } from '#runtime';
import { type KemFault, KEMS } from './crypto/kem.ts';
import { encodeClientShares, encodeServerShare } from './extensions/key-share.ts';
import { type GroupName, GROUPS } from './groups.ts';
import { answerKeyShare, generateKeyShare } from './key-exchange.ts';
import { clientGetting, serverGetting } from './testing/hello-attacks.ts';
import { testProvider } from './testing/provider.ts';
import { editServerHello } from './testing/edit.ts';
import { exchange } from './testing/pair.ts';
import { TamperingEngine, tamperWith } from './testing/tampering-engine.ts';
import { expectRefusal, victimClient } from './testing/victim.ts';
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

/** Bytes that are no public key in the one form that TLS 1.3 has (RFC 8446 4.2.8.2). */
function badPoints(curve: string, size: number): readonly (readonly [string, KemFault, Uint8Array])[] {
  const ecdh = createECDH(curve);
  ecdh.generateKeys();
  const point = new Uint8Array(ecdh.getPublicKey());
  const last = 2 * size;
  const offCurve = point.slice();
  offCurve[last]! ^= 1;
  return [
    ['a point off the curve', 'invalid-key-share', offCurve],
    ['the compressed form', 'key-share-length', new Uint8Array(ecdh.getPublicKey(null, 'compressed'))],
    ['the hybrid form', 'invalid-key-share', concat(u8(6 + (point[last]! & 1)), point.subarray(1))],
    ['the point at infinity', 'key-share-length', u8(0)],
    ['all zeros', 'invalid-key-share', new Uint8Array(1 + last)],
    ['zeros behind the right form', 'invalid-key-share', concat(u8(4), new Uint8Array(last))],
    ['coordinates beyond the field', 'invalid-key-share', concat(u8(4), new Uint8Array(last).fill(0xff))],
    ['one byte too few', 'key-share-length', point.subarray(0, last)],
    ['one byte too many', 'key-share-length', concat(point, u8(0))],
  ];
}

/** draft-ietf-tls-ecdhe-mlkem 4: what a client sends for the hybrid, and what a server does. */
const { share: HYBRID } = generateKeyShare(testProvider, 'X25519MLKEM768');
const answered = answerKeyShare(testProvider, 'X25519MLKEM768', HYBRID);
const HYBRID_ANSWER = answered.ok ? answered.value.share : EMPTY;
const ENCAPSULATION_KEY = KEMS.mlkem768.publicKeyLength;
const CIPHERTEXT = KEMS.mlkem768.ciphertextLength;

/** The encapsulation key with one coefficient of 12 bits at or above q (FIPS 203 7.2). */
function unreduced(index: number, value: number): Uint8Array {
  const share = HYBRID.slice();
  const at = 3 * Math.floor(index / 2);
  if (index % 2 === 0) {
    share[at] = value & 0xff;
    share[at + 1] = (share[at + 1]! & 0xf0) | (value >> 8);
  } else {
    share[at + 1] = (share[at + 1]! & 0x0f) | ((value & 0x0f) << 4);
    share[at + 2] = value >> 4;
  }
  return share;
}

type Bad = readonly [GroupName, string, KemFault, Uint8Array];

const BAD_FROM_BOTH: readonly Bad[] = [
  ...LOW_ORDER_X25519.map(([title, bytes]): Bad => ['x25519', title, 'all-zero-shared-secret', bytes]),
  ...WRONG_LENGTHS.map(([title, bytes]): Bad => ['x25519', title, 'key-share-length', bytes]),
  ...badPoints('prime256v1', 32).map((row): Bad => ['secp256r1', ...row]),
  ...badPoints('secp384r1', 48).map((row): Bad => ['secp384r1', ...row]),
];

const BAD_FROM_CLIENT: readonly Bad[] = [
  ...LOW_ORDER_X25519.map(
    ([title, bytes]): Bad => [
      'X25519MLKEM768',
      `X25519 part ${title}`,
      'all-zero-shared-secret',
      concat(HYBRID.subarray(0, ENCAPSULATION_KEY), bytes),
    ],
  ),
  ...[0, 1, 2, 383, 766, 767].flatMap((index) =>
    [3329, 4095].map(
      (value): Bad => [
        'X25519MLKEM768',
        `coefficient ${index} is ${value}`,
        'invalid-encapsulation-key',
        unreduced(index, value),
      ],
    ),
  ),
  ['X25519MLKEM768', 'the ML-KEM part alone', 'key-share-length', HYBRID.subarray(0, ENCAPSULATION_KEY)],
  ['X25519MLKEM768', 'the X25519 part alone', 'key-share-length', HYBRID.subarray(ENCAPSULATION_KEY)],
  ['X25519MLKEM768', 'one byte too few', 'key-share-length', HYBRID.subarray(1)],
  ['X25519MLKEM768', 'one byte too many', 'key-share-length', concat(HYBRID, u8(0))],
  ['X25519MLKEM768', "a server's share", 'key-share-length', HYBRID_ANSWER],
];

const BAD_FROM_SERVER: readonly Bad[] = [
  ...LOW_ORDER_X25519.map(
    ([title, bytes]): Bad => [
      'X25519MLKEM768',
      `X25519 part ${title}`,
      'all-zero-shared-secret',
      concat(HYBRID_ANSWER.subarray(0, CIPHERTEXT), bytes),
    ],
  ),
  ['X25519MLKEM768', 'the ciphertext alone', 'key-share-length', HYBRID_ANSWER.subarray(0, CIPHERTEXT)],
  ['X25519MLKEM768', 'one byte too few', 'key-share-length', HYBRID_ANSWER.subarray(1)],
  ['X25519MLKEM768', 'one byte too many', 'key-share-length', concat(HYBRID_ANSWER, u8(0))],
  ['X25519MLKEM768', "a client's share", 'key-share-length', HYBRID],
];

describe('a key share that is no public key is refused (RFC 8446 4.2.8.2, 7.4.2)', () => {
  it.each([...BAD_FROM_BOTH, ...BAD_FROM_CLIENT])('by a server: %s, %s: %s', (group, _title, code, bytes) => {
    const shares = encodeClientShares([{ group: GROUPS[group].id, keyExchange: bytes }]);
    const victim = serverGetting((hello) => hello.extensions.set('key_share', shares), {
      client: { groups: [group] },
      server: { groups: [group] },
    });
    expectRefusal(victim, code, 'illegal_parameter');
  });

  it.each([...BAD_FROM_BOTH, ...BAD_FROM_SERVER])('by a client: %s, %s: %s', (group, _title, code, bytes) => {
    const share = encodeServerShare({ group: GROUPS[group].id, keyExchange: bytes });
    const victim = clientGetting((hello) => hello.extensions.set('key_share', share), {
      client: { groups: [group] },
      server: { groups: [group] },
    });
    expectRefusal(victim, code, 'illegal_parameter');
  });

  it('a ciphertext that was changed gives another secret, and no oracle (FIPS 203 6.3)', () => {
    const groups = ['X25519MLKEM768'] as const;
    const changeCiphertext = editServerHello(({ extensions }) => {
      const body = extensions.body('key_share');
      body[4]! ^= 1;
    });
    const engine = TamperingEngine.server(tamperWith('server_hello', changeCiphertext), 'sent', { groups });
    const victim = victimClient({ groups });
    engine.receive(victim.connection.takeOutput());
    exchange(victim.connection, engine, () => []);
    expectRefusal(victim, 'bad-record-mac', 'bad_record_mac');
  });
});
