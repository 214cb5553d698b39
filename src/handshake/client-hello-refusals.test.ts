import { describe, expect, it } from 'vitest';
import { fromAscii } from '#runtime';
import type { AlertName } from './alert.ts';
import { encodeAlpn } from './extensions/alpn.ts';
import { encodeClientShares } from './extensions/key-share.ts';
import { encodeOfferedPsks } from './extensions/pre-shared-key.ts';
import { encodeServerName } from './extensions/server-name.ts';
import { encodeOfferedVersions, TLS12, TLS13 } from './extensions/supported-versions.ts';
import { GROUPS } from './groups.ts';
import type { ReasonCode } from './reasons.ts';
import { SCHEMES } from './schemes.ts';
import type { EditableClientHello } from './testing/edit.ts';
import { serverAfter, serverGetting } from './testing/hello-attacks.ts';
import { expectRefusal } from './testing/victim.ts';
import { numbers16, u8, u16, vector8, vector16 } from './wire/writer.ts';

type Edit = (hello: EditableClientHello) => void;

const UNKNOWN = 0x7a7a;
const x25519 = GROUPS.x25519.id;
const secp256r1 = GROUPS.secp256r1.id;
const share = (group: number, length: number) => ({ group, keyExchange: new Uint8Array(length).fill(9) });

const offeredPsk = () =>
  encodeOfferedPsks([{ identity: fromAscii('ticket'), obfuscatedAge: 0 }], [new Uint8Array(32)]);

type Row = readonly [title: string, edit: Edit, code: ReasonCode, alert: AlertName];

const REFUSED: readonly Row[] = [
  [
    'offers TLS 1.2 only (4.2.1)',
    (h) => h.extensions.set('supported_versions', encodeOfferedVersions([TLS12])),
    'no-common-version',
    'protocol_version',
  ],
  [
    'has no supported_versions (4.2.1)',
    (h) => h.extensions.remove('supported_versions'),
    'no-common-version',
    'protocol_version',
  ],
  [
    'says TLS 1.3 in legacy_version alone (4.2.1)',
    (h) => {
      h.legacyVersion = TLS13;
      h.extensions.remove('supported_versions');
    },
    'no-common-version',
    'protocol_version',
  ],
  [
    'has no versions in supported_versions',
    (h) => h.extensions.set('supported_versions', vector8()),
    'malformed-message',
    'decode_error',
  ],
  [
    'has half a version',
    (h) => h.extensions.set('supported_versions', vector8(u16(TLS13), u8(3))),
    'malformed-message',
    'decode_error',
  ],
  [
    'offers compression (4.1.2)',
    (h) => (h.compressionMethods = Uint8Array.of(1, 0)),
    'compression-offered',
    'illegal_parameter',
  ],
  [
    'offers only compression (4.1.2)',
    (h) => (h.compressionMethods = Uint8Array.of(1)),
    'compression-offered',
    'illegal_parameter',
  ],
  [
    'offers no compression method at all',
    (h) => (h.compressionMethods = new Uint8Array(0)),
    'malformed-message',
    'decode_error',
  ],
  [
    'has a session ID of 33 bytes',
    (h) => (h.sessionId = new Uint8Array(33)),
    'malformed-message',
    'decode_error',
  ],
  ['offers no suites', (h) => (h.suites = []), 'malformed-message', 'decode_error'],
  [
    'offers no suite of TLS 1.3 (4.1.1)',
    (h) => (h.suites = [0xc02f, UNKNOWN]),
    'no-common-suite',
    'handshake_failure',
  ],
  [
    'offers no group of ours (4.1.1)',
    (h) => {
      h.extensions.set('supported_groups', numbers16([0x0018, UNKNOWN]));
      h.extensions.set('key_share', encodeClientShares([share(UNKNOWN, 40)]));
    },
    'no-common-group',
    'handshake_failure',
  ],
  [
    'accepts no scheme of our key (4.4.2.2)',
    (h) => h.extensions.set('signature_algorithms', numbers16([SCHEMES.ed25519.id, UNKNOWN])),
    'no-common-scheme',
    'handshake_failure',
  ],
  [
    'offers no protocol of ours (RFC 7301 3.2)',
    (h) => h.extensions.set('application_layer_protocol_negotiation', encodeAlpn(['h2'])),
    'no-common-alpn',
    'no_application_protocol',
  ],
  [
    'offers no protocol at all',
    (h) => h.extensions.remove('application_layer_protocol_negotiation'),
    'no-common-alpn',
    'no_application_protocol',
  ],
  [
    'offers an empty list of protocols (RFC 7301 3.1)',
    (h) => h.extensions.set('application_layer_protocol_negotiation', vector16()),
    'malformed-message',
    'decode_error',
  ],
  [
    'offers a protocol without a name (RFC 7301 3.1)',
    (h) => h.extensions.set('application_layer_protocol_negotiation', vector16(vector8(), vector8(u8(65)))),
    'malformed-message',
    'decode_error',
  ],
  [
    'asks for another server name (RFC 6066 3)',
    (h) => h.extensions.set('server_name', encodeServerName('p8081.mesh.test')),
    'server-name-mismatch',
    'unrecognized_name',
  ],
  [
    'asks for no server name (RFC 6066 3)',
    (h) => h.extensions.remove('server_name'),
    'server-name-mismatch',
    'unrecognized_name',
  ],
  [
    'asks for the name with a NUL in it',
    (h) => h.extensions.set('server_name', encodeServerName('p8080.mesh.test\0.evil')),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'asks for an empty name',
    (h) => h.extensions.set('server_name', encodeServerName('')),
    'malformed-message',
    'decode_error',
  ],
  [
    'has an empty list of names',
    (h) => h.extensions.set('server_name', vector16()),
    'malformed-message',
    'decode_error',
  ],
  [
    'asks for two names of one type (RFC 6066 3)',
    (h) =>
      h.extensions.set(
        'server_name',
        vector16(u8(0), vector16(fromAscii('a')), u8(0), vector16(fromAscii('b'))),
      ),
    'malformed-message',
    'decode_error',
  ],
  [
    'has no signature_algorithms (9.2)',
    (h) => h.extensions.remove('signature_algorithms'),
    'missing-extension',
    'missing_extension',
  ],
  [
    'has no supported_groups (9.2)',
    (h) => h.extensions.remove('supported_groups'),
    'missing-extension',
    'missing_extension',
  ],
  [
    'has no key_share (9.2)',
    (h) => h.extensions.remove('key_share'),
    'missing-extension',
    'missing_extension',
  ],
  [
    'has pre_shared_key without psk_key_exchange_modes (4.2.9)',
    (h) => h.extensions.add('pre_shared_key', offeredPsk()),
    'missing-extension',
    'missing_extension',
  ],
  [
    'has pre_shared_key before another (4.2.11)',
    (h) => h.extensions.list.unshift({ id: 41, body: new Uint8Array(8) }),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'has an extension twice (4.2)',
    (h) => h.extensions.add('server_name', h.extensions.body('server_name')),
    'duplicate-extension',
    'decode_error',
  ],
  [
    'has an unknown extension twice (4.2)',
    (h) => {
      h.extensions.add(UNKNOWN, u8(1));
      h.extensions.add(UNKNOWN, u8(2));
    },
    'duplicate-extension',
    'decode_error',
  ],
  [
    'has an extension of CertificateRequest (4.2)',
    (h) => h.extensions.add('oid_filters', vector16()),
    'misplaced-extension',
    'illegal_parameter',
  ],
  [
    'has more extensions than there are',
    (h) => Array.from({ length: 130 }, (_, index) => h.extensions.add(0x5000 + index, u8(0))),
    'malformed-message',
    'decode_error',
  ],
  [
    'has two shares for one group (4.2.8)',
    (h) => h.extensions.set('key_share', encodeClientShares([share(x25519, 32), share(x25519, 32)])),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'has a share for a group that it does not support (4.2.8)',
    (h) => h.extensions.set('supported_groups', numbers16([secp256r1])),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'has shares in another order than groups (4.2.8)',
    (h) => h.extensions.set('key_share', encodeClientShares([share(secp256r1, 65), share(x25519, 32)])),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'has an empty share',
    (h) => h.extensions.set('key_share', encodeClientShares([share(x25519, 0)])),
    'malformed-message',
    'decode_error',
  ],
  [
    'has an odd number of bytes of suites or groups',
    (h) => h.extensions.set('supported_groups', vector16(Uint8Array.of(0, 29, 0))),
    'malformed-message',
    'decode_error',
  ],
];

describe('a server refuses a ClientHello that', () => {
  it.each(REFUSED)('%s', (_title, edit, code, alert) => {
    expectRefusal(serverGetting(edit), code, alert);
  });
});

const ACCEPTED: readonly (readonly [title: string, edit: Edit])[] = [
  [
    'has unknown values everywhere (9.3)',
    (h) => {
      h.suites.unshift(0x0a0a, UNKNOWN);
      h.extensions.set('supported_groups', numbers16([0x1a1a, x25519, secp256r1]));
      const own = h.extensions.body('key_share').subarray(6);
      h.extensions.set(
        'key_share',
        encodeClientShares([share(0x1a1a, 1), { group: x25519, keyExchange: own }]),
      );
      h.extensions.set('supported_versions', encodeOfferedVersions([0x2a2a, TLS13, TLS12]));
      h.extensions.set('application_layer_protocol_negotiation', encodeAlpn(['GREASE', 'sallyport/1']));
      h.extensions.list.unshift({ id: 0x3a3a, body: u8(0) });
    },
  ],
  [
    'asks for the name in capitals',
    (h) => h.extensions.set('server_name', encodeServerName('P8080.Mesh.Test')),
  ],
  ['has another legacy_version (4.2.1: ignored)', (h) => (h.legacyVersion = 0x0301)],
  ['has heartbeat, which nobody speaks here (CVE-2014-0160)', (h) => h.extensions.add('heartbeat', u8(1))],
];

describe('a server accepts a ClientHello that', () => {
  it.each(ACCEPTED)('%s', (_title, edit) => {
    const { connection } = serverGetting(edit);
    expect(connection.failure).toBeUndefined();
    expect(connection.established).toBe(true);
  });

  it('has no session ID, and then sends no change_cipher_spec (D.4)', () => {
    const { connection } = serverAfter((hello) => (hello.sessionId = new Uint8Array(0)));
    expect(connection.failure).toBeUndefined();
    expect(connection.stateName).toBe('ExpectCertificate');
  });

  it('has no share yet, and asks for a retry by that (4.2.8)', () => {
    const { connection } = serverAfter((hello) => hello.extensions.set('key_share', encodeClientShares([])));
    expect(connection.failure).toBeUndefined();
    expect(connection.stateName).toBe('ExpectSecondClientHello');
  });
});

describe('a ClientHello full of groups and shares', () => {
  it('costs one pass over them, not one for each share', () => {
    const most = 2500;
    const groups = Array.from({ length: most }, (_, index) => 0x2000 + index);
    const padded = [...Array.from({ length: 2 * most }, () => 1), ...groups];
    const shares = encodeClientShares(groups.map((group) => share(group, 1)));
    const timeOf = (keyShares: Uint8Array): number => {
      const times = Array.from({ length: 7 }, () => {
        const start = performance.now();
        const { connection } = serverAfter((hello) => {
          hello.extensions.set('supported_groups', numbers16(padded));
          hello.extensions.set('key_share', keyShares);
        });
        expect(connection.failure?.code).toBe('no-common-group');
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    expect(timeOf(shares)).toBeLessThan(5 * timeOf(encodeClientShares([])) + 5);
  });
});
