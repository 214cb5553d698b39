import { describe, expect, it } from 'vitest';
import { concat, EMPTY } from '#runtime';
import type { AlertName } from './alert.ts';
import { encodeAlpn } from './extensions/alpn.ts';
import { encodeCookie } from './extensions/cookie.ts';
import { encodeClientShares, encodeServerShare } from './extensions/key-share.ts';
import { encodeServerName } from './extensions/server-name.ts';
import { encodeOfferedVersions, TLS12, TLS13 } from './extensions/supported-versions.ts';
import { GROUPS } from './groups.ts';
import { HELLO_RETRY_RANDOM } from './messages/server-hello.ts';
import type { ReasonCode } from './reasons.ts';
import { SCHEMES } from './schemes.ts';
import { SUITES } from './suites.ts';
import { type EditableClientHello, type EditableServerHello, editServerHello } from './testing/edit.ts';
import { clientGetting, RETRY, serverGetting } from './testing/hello-attacks.ts';
import { TamperingEngine, tamperWith } from './testing/tampering-engine.ts';
import { attack, expectRefusal, victimClient } from './testing/victim.ts';
import { numbers16, u8, u16, vector16 } from './wire/writer.ts';

const UNKNOWN = 0x7a7a;
const x25519 = GROUPS.x25519.id;
const secp256r1 = GROUPS.secp256r1.id;
const keyShare = (group: number, length: number) => ({ group, keyExchange: new Uint8Array(length).fill(9) });

const CHANGED: readonly (readonly [title: string, edit: (hello: EditableClientHello) => void])[] = [
  ['random', (h) => h.random.fill(7)],
  ['legacy_version', (h) => (h.legacyVersion = 0x0302)],
  ['session ID', (h) => (h.sessionId = EMPTY)],
  ['suites', (h) => h.suites.reverse()],
  ['server_name', (h) => h.extensions.set('server_name', encodeServerName('p8080.MESH.test'))],
  [
    'protocols',
    (h) => h.extensions.set('application_layer_protocol_negotiation', encodeAlpn(['sallyport/1', 'h2'])),
  ],
  ['groups', (h) => h.extensions.set('supported_groups', numbers16([secp256r1]))],
  [
    'schemes',
    (h) => h.extensions.set('signature_algorithms', numbers16([SCHEMES.ecdsa_secp256r1_sha256.id])),
  ],
  ['versions', (h) => h.extensions.set('supported_versions', encodeOfferedVersions([TLS13, TLS12]))],
  ['set of extensions (one more)', (h) => h.extensions.add(UNKNOWN, u8(1))],
  ['set of extensions (one less)', (h) => h.extensions.remove('server_name')],
  ['key shares (none)', (h) => h.extensions.set('key_share', encodeClientShares([]))],
  [
    'key shares (not replaced)',
    (h) => h.extensions.set('key_share', encodeClientShares([keyShare(x25519, 32)])),
  ],
  [
    'key shares (one more)',
    (h) => {
      const own = h.extensions.body('key_share').subarray(2);
      h.extensions.set('key_share', vector16(own, u16(UNKNOWN), vector16(new Uint8Array(32))));
    },
  ],
  ['early data (it is there)', (h) => h.extensions.add('early_data', EMPTY)],
];

describe('a server refuses a second ClientHello (RFC 8446 4.1.2) with other', () => {
  it.each(CHANGED)('%s', (_title, edit) => {
    expectRefusal(serverGetting(edit, RETRY, 1), 'illegal-hello-retry', 'illegal_parameter');
  });

  it('compression', () => {
    const victim = serverGetting((hello) => (hello.compressionMethods = Uint8Array.of(0, 1)), RETRY, 1);
    expectRefusal(victim, 'compression-offered', 'illegal_parameter');
  });
});

describe('a server accepts a second ClientHello', () => {
  it('with padding that the first did not have (RFC 8446 4.1.2)', () => {
    const { connection } = serverGetting(
      (hello) => hello.extensions.add('padding', new Uint8Array(50)),
      RETRY,
      1,
    );
    expect(connection.failure).toBeUndefined();
    expect(connection.established).toBe(true);
  });
});

type Row = readonly [
  title: string,
  edit: (hello: EditableServerHello) => void,
  code: ReasonCode,
  alert: AlertName,
];

const RETRIES: readonly Row[] = [
  [
    'changes nothing (4.1.4)',
    (h) => h.extensions.remove('key_share'),
    'illegal-hello-retry',
    'illegal_parameter',
  ],
  [
    'asks for a group whose share was sent (4.2.8)',
    (h) => h.extensions.set('key_share', u16(x25519)),
    'illegal-hello-retry',
    'illegal_parameter',
  ],
  [
    'asks for a group that was not offered (4.2.8)',
    (h) => h.extensions.set('key_share', u16(0x0018)),
    'unoffered-choice',
    'illegal_parameter',
  ],
  [
    'carries a whole share',
    (h) => h.extensions.set('key_share', encodeServerShare(keyShare(secp256r1, 65))),
    'malformed-message',
    'decode_error',
  ],
  [
    'has an empty cookie (4.2.2)',
    (h) => h.extensions.add('cookie', encodeCookie(EMPTY)),
    'malformed-message',
    'decode_error',
  ],
  [
    'answers an extension that was not offered',
    (h) => h.extensions.add(UNKNOWN, EMPTY),
    'unsolicited-extension',
    'unsupported_extension',
  ],
  [
    'has an extension of another message',
    (h) => h.extensions.add('server_name', EMPTY),
    'misplaced-extension',
    'illegal_parameter',
  ],
  [
    'has an extension twice',
    (h) => h.extensions.add('key_share', u16(secp256r1)),
    'duplicate-extension',
    'decode_error',
  ],
  [
    'says no version',
    (h) => h.extensions.remove('supported_versions'),
    'no-common-version',
    'protocol_version',
  ],
  [
    'says TLS 1.2',
    (h) => h.extensions.set('supported_versions', u16(TLS12)),
    'unoffered-choice',
    'illegal_parameter',
  ],
  ['echoes another session ID', (h) => h.sessionId.fill(0), 'illegal-parameter', 'illegal_parameter'],
  ['compresses', (h) => (h.compressionMethod = 1), 'compression-chosen', 'illegal_parameter'],
  [
    'chooses a suite that was not offered',
    (h) => (h.suite = 0x1304),
    'unoffered-choice',
    'illegal_parameter',
  ],
];

describe('a client refuses a HelloRetryRequest that', () => {
  it.each(RETRIES)('%s', (_title, edit, code, alert) => {
    expectRefusal(clientGetting(edit, RETRY), code, alert);
  });
});

const AFTER_RETRY: readonly Row[] = [
  [
    'is a second HelloRetryRequest (4.1.4)',
    (h) => {
      h.random = HELLO_RETRY_RANDOM;
      h.extensions.set('key_share', u16(x25519));
    },
    'unexpected-message',
    'unexpected_message',
  ],
  [
    'has another suite (4.1.4)',
    (h) => (h.suite = SUITES.TLS_CHACHA20_POLY1305_SHA256.id),
    'illegal-hello-retry',
    'illegal_parameter',
  ],
  [
    'has a share of the first group (4.2.8)',
    (h) => h.extensions.set('key_share', encodeServerShare(keyShare(x25519, 32))),
    'unoffered-choice',
    'illegal_parameter',
  ],
  [
    'has a cookie',
    (h) => h.extensions.add('cookie', encodeCookie(u8(1))),
    'misplaced-extension',
    'illegal_parameter',
  ],
];

describe('a client refuses a ServerHello after a HelloRetryRequest that', () => {
  it.each(AFTER_RETRY)('%s', (_title, edit, code, alert) => {
    expectRefusal(clientGetting(edit, RETRY, 1), code, alert);
  });
});

describe('a client that gets a cookie (RFC 8446 4.2.2)', () => {
  it('sends it back as it came, next to a new share', () => {
    const cookie = new Uint8Array(300).fill(3);
    const hellos: Uint8Array[] = [];
    const client = victimClient(RETRY.client);
    const server = TamperingEngine.server(
      tamperWith(
        'server_hello',
        editServerHello((hello) => hello.extensions.add('cookie', encodeCookie(cookie))),
      ),
      'sent',
      RETRY.server,
    );
    const receive = server.receive.bind(server);
    server.receive = (bytes) => {
      hellos.push(bytes.slice());
      receive(bytes);
    };
    attack(client, server);
    expect(client.connection.established).toBe(true);
    expect(Buffer.from(hellos[0]!).includes(cookie)).toBe(false);
    expect(Buffer.from(hellos[1]!).includes(concat(u16(44), vector16(encodeCookie(cookie))))).toBe(true);
  });
});
