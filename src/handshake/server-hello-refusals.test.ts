import { describe, it } from 'vitest';
import { EMPTY, fromAscii } from '#runtime';
import type { AlertName } from './alert.ts';
import { encodeAlpn } from './extensions/alpn.ts';
import { encodeServerShare } from './extensions/key-share.ts';
import { TLS12 } from './extensions/supported-versions.ts';
import { GROUPS } from './groups.ts';
import type { ReasonCode } from './reasons.ts';
import { SUITES } from './suites.ts';
import type { EditableExtensions, EditableServerHello } from './testing/edit.ts';
import { clientGetting, clientGettingExtensions } from './testing/hello-attacks.ts';
import { expectRefusal } from './testing/victim.ts';
import { numbers16, u16, vector16 } from './wire/writer.ts';

const UNKNOWN = 0x7a7a;
/** RFC 8446 4.1.3: the last eight bytes of the random of a server that was talked down to TLS 1.2. */
const DOWNGRADE = fromAscii('DOWNGRD\x01');

type Row<Subject> = readonly [
  title: string,
  edit: (subject: Subject) => void,
  code: ReasonCode,
  alert: AlertName,
];

const HELLOS: readonly Row<EditableServerHello>[] = [
  [
    'answers with TLS 1.2 (4.2.1)',
    (h) => {
      h.extensions.remove('supported_versions');
      h.extensions.remove('key_share');
    },
    'no-common-version',
    'protocol_version',
  ],
  [
    'answers with TLS 1.2 and the mark of a downgrade (4.1.3)',
    (h) => {
      h.random.set(DOWNGRADE, 24);
      h.extensions.remove('supported_versions');
    },
    'downgrade-detected',
    'illegal_parameter',
  ],
  [
    'selects TLS 1.2 by the extension (4.2.1)',
    (h) => h.extensions.set('supported_versions', u16(TLS12)),
    'unoffered-choice',
    'illegal_parameter',
  ],
  [
    'selects an unknown version',
    (h) => h.extensions.set('supported_versions', u16(0x0305)),
    'unoffered-choice',
    'illegal_parameter',
  ],
  [
    'has a legacy_version of TLS 1.1 (4.1.3)',
    (h) => (h.legacyVersion = 0x0302),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'has a legacy_version of TLS 1.3 (4.1.3)',
    (h) => (h.legacyVersion = 0x0304),
    'illegal-parameter',
    'illegal_parameter',
  ],
  ['echoes another session ID (4.1.3)', (h) => h.sessionId.fill(0), 'illegal-parameter', 'illegal_parameter'],
  ['echoes no session ID (4.1.3)', (h) => (h.sessionId = EMPTY), 'illegal-parameter', 'illegal_parameter'],
  [
    'echoes half of the session ID (4.1.3)',
    (h) => (h.sessionId = h.sessionId.slice(0, 16)),
    'illegal-parameter',
    'illegal_parameter',
  ],
  [
    'echoes a session ID of 33 bytes',
    (h) => (h.sessionId = new Uint8Array(33)),
    'malformed-message',
    'decode_error',
  ],
  ['compresses (4.1.3)', (h) => (h.compressionMethod = 1), 'compression-chosen', 'illegal_parameter'],
  ['chooses a suite of TLS 1.2 (4.1.3)', (h) => (h.suite = 0xc02f), 'unoffered-choice', 'illegal_parameter'],
  ['chooses a suite that nobody knows', (h) => (h.suite = UNKNOWN), 'unoffered-choice', 'illegal_parameter'],
  [
    'has no key_share (9.2)',
    (h) => h.extensions.remove('key_share'),
    'missing-extension',
    'missing_extension',
  ],
  [
    'has a share of another group (4.2.8)',
    (h) =>
      h.extensions.set(
        'key_share',
        encodeServerShare({ group: GROUPS.secp256r1.id, keyExchange: new Uint8Array(65) }),
      ),
    'unoffered-choice',
    'illegal_parameter',
  ],
  [
    'has a group without a share',
    (h) => h.extensions.set('key_share', u16(GROUPS.x25519.id)),
    'malformed-message',
    'decode_error',
  ],
  [
    'has an empty share',
    (h) => h.extensions.set('key_share', encodeServerShare({ group: GROUPS.x25519.id, keyExchange: EMPTY })),
    'malformed-message',
    'decode_error',
  ],
  [
    'has a PSK that was not offered (4.2)',
    (h) => h.extensions.add('pre_shared_key', u16(0)),
    'unsolicited-extension',
    'unsupported_extension',
  ],
  [
    'has an unknown extension (4.2)',
    (h) => h.extensions.add(UNKNOWN, EMPTY),
    'unsolicited-extension',
    'unsupported_extension',
  ],
  [
    'has an extension of EncryptedExtensions (4.2)',
    (h) => h.extensions.add('server_name', EMPTY),
    'misplaced-extension',
    'illegal_parameter',
  ],
  [
    'has an extension twice (4.2)',
    (h) => h.extensions.add('supported_versions', u16(0x0304)),
    'duplicate-extension',
    'decode_error',
  ],
];

describe('a client refuses a ServerHello that', () => {
  it.each(HELLOS)('%s', (_title, edit, code, alert) => {
    expectRefusal(clientGetting(edit), code, alert);
  });

  it('chooses a suite that this client did not offer', () => {
    const victim = clientGetting((hello) => (hello.suite = SUITES.TLS_AES_256_GCM_SHA384.id), {
      client: { suites: ['TLS_AES_128_GCM_SHA256'] },
    });
    expectRefusal(victim, 'unoffered-choice', 'illegal_parameter');
  });
});

const ALPN = 'application_layer_protocol_negotiation';

const EXTENSIONS: readonly Row<EditableExtensions>[] = [
  [
    'choose a protocol that was not offered (RFC 7301 3.2)',
    (e) => e.set(ALPN, encodeAlpn(['h2'])),
    'unoffered-choice',
    'illegal_parameter',
  ],
  [
    'choose two protocols (RFC 7301 3.1)',
    (e) => e.set(ALPN, encodeAlpn(['sallyport/1', 'h2'])),
    'malformed-message',
    'decode_error',
  ],
  ['choose an empty list of protocols', (e) => e.set(ALPN, vector16()), 'malformed-message', 'decode_error'],
  [
    'choose no protocol where one was demanded',
    (e) => e.remove(ALPN),
    'no-common-alpn',
    'no_application_protocol',
  ],
  [
    'name the server (RFC 6066 3)',
    (e) => e.set('server_name', fromAscii('x')),
    'malformed-message',
    'decode_error',
  ],
  [
    'have an extension twice (4.2)',
    (e) => e.add('server_name', EMPTY),
    'duplicate-extension',
    'decode_error',
  ],
  ['have a share (4.2)', (e) => e.add('key_share', EMPTY), 'misplaced-extension', 'illegal_parameter'],
  [
    'have schemes (4.2)',
    (e) => e.add('signature_algorithms', numbers16([0x0403])),
    'misplaced-extension',
    'illegal_parameter',
  ],
  [
    'have a version (4.2)',
    (e) => e.add('supported_versions', u16(0x0304)),
    'misplaced-extension',
    'illegal_parameter',
  ],
  [
    'accept early data that was not sent (4.2.10)',
    (e) => e.add('early_data', EMPTY),
    'unsolicited-extension',
    'unsupported_extension',
  ],
  [
    'answer heartbeat, which was not offered',
    (e) => e.add('heartbeat', Uint8Array.of(1)),
    'heartbeat-chosen',
    'unsupported_extension',
  ],
  [
    'have an unknown extension (4.2)',
    (e) => e.add(UNKNOWN, EMPTY),
    'unsolicited-extension',
    'unsupported_extension',
  ],
];

describe('a client refuses EncryptedExtensions that', () => {
  it.each(EXTENSIONS)('%s', (_title, edit, code, alert) => {
    expectRefusal(clientGettingExtensions(edit), code, alert);
  });

  it('acknowledge a server name that was not sent', () => {
    const victim = clientGettingExtensions((extensions) => extensions.add('server_name', EMPTY), {
      client: { serverName: undefined as never },
      server: { expectedServerName: undefined as never },
    });
    expectRefusal(victim, 'unsolicited-extension', 'unsupported_extension');
  });

  it('choose a protocol where none was offered', () => {
    const victim = clientGettingExtensions((extensions) => extensions.add(ALPN, encodeAlpn(['h2'])), {
      client: { alpn: [] },
      server: { alpn: [] },
    });
    expectRefusal(victim, 'unsolicited-extension', 'unsupported_extension');
  });
});
