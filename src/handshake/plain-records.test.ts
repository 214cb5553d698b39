import { describe, expect, it } from 'vitest';
import { concat, EMPTY, fromAscii, fromHex } from '#runtime';
import { ALERTS, type AlertName } from './alert.ts';
import {
  MAX_CHANGE_CIPHER_SPECS,
  MAX_CIPHERTEXT,
  MAX_MESSAGE,
  MAX_PLAINTEXT,
  MAX_WARNINGS,
} from './limits.ts';
import { HANDSHAKE_TYPES, type MessageName } from './messages/names.ts';
import type { ReasonCode } from './reasons.ts';
import { exchange } from './testing/pair.ts';
import { honest, type Tamper, TamperingEngine } from './testing/tampering-engine.ts';
import { expectRefusal, expectWaiting, type Victim, victimClient, victimServer } from './testing/victim.ts';
import { handshakeMessage, record, shatter, splitRecords } from './testing/wire.ts';
import { u8, u24 } from './wire/writer.ts';

const START = { client: victimClient, server: victimServer } as const;
const FIRST_STATE = { client: 'ExpectServerHello', server: 'ExpectClientHello' } as const;
const FIRST_MESSAGE = { client: 'server_hello', server: 'client_hello' } as const;
const ROLES = ['client', 'server'] as const;

function given(role: 'client' | 'server', bytes: Uint8Array): Victim {
  const victim = START[role]();
  victim.connection.takeOutput();
  victim.connection.receive(bytes);
  return victim;
}

const changeCipherSpec = record('change_cipher_spec', u8(1));
const messageHead = (name: MessageName, length: number) => concat(u8(HANDSHAKE_TYPES[name]), u24(length));

type Row = readonly [title: string, bytes: Uint8Array, code: ReasonCode, alert: AlertName];

const REFUSED: readonly Row[] = [
  ['an HTTP request', fromAscii('GET / HTTP/1.1\r\n\r\n'), 'not-tls', 'unexpected_message'],
  ['one byte of an HTTP request', fromAscii('P'), 'not-tls', 'unexpected_message'],
  ['an SSH banner', fromAscii('SSH-2.0-OpenSSH_9.9\r\n'), 'not-tls', 'unexpected_message'],
  [
    'a ClientHello of SSL 2.0 (D.5)',
    fromHex('802e0103010015000000100000010080000004010080'),
    'ssl2-offered',
    'protocol_version',
  ],
  ['zeros', new Uint8Array(64), 'not-tls', 'unexpected_message'],
  ['a content type that TLS does not have (5)', record(19, u8(0)), 'not-tls', 'unexpected_message'],
  [
    'a heartbeat record (CVE-2014-0160)',
    record(24, fromHex('014000')),
    'heartbeat-used',
    'unexpected_message',
  ],
  ['a record of another major version', record('handshake', u8(1), 0x0200), 'not-tls', 'unexpected_message'],
  [
    'the header alone of a record too long even if protected (5.2)',
    record('handshake', new Uint8Array(MAX_CIPHERTEXT + 1)).subarray(0, 5),
    'record-overflow',
    'record_overflow',
  ],
  [
    'a plain record of 2^14 + 1 bytes (5.1)',
    record('handshake', new Uint8Array(MAX_PLAINTEXT + 1)),
    'record-overflow',
    'record_overflow',
  ],
  ['an empty handshake record (5.1)', record('handshake', EMPTY), 'unexpected-record', 'unexpected_message'],
  ['an empty alert record (5.1)', record('alert', EMPTY), 'unexpected-record', 'unexpected_message'],
  ['an alert of one byte', record('alert', u8(2)), 'malformed-message', 'decode_error'],
  ['two alerts in a record', record('alert', fromHex('022802 28')), 'malformed-message', 'decode_error'],
  ['application data (5)', record('application_data', u8(0)), 'unexpected-record', 'unexpected_message'],
  ['empty application data', record('application_data', EMPTY), 'unexpected-record', 'unexpected_message'],
  [
    'a change_cipher_spec of another byte (5)',
    record('change_cipher_spec', u8(2)),
    'unexpected-record',
    'unexpected_message',
  ],
  [
    'a change_cipher_spec of two bytes (5)',
    record('change_cipher_spec', fromHex('0101')),
    'unexpected-record',
    'unexpected_message',
  ],
  [
    'an empty change_cipher_spec (5)',
    record('change_cipher_spec', EMPTY),
    'unexpected-record',
    'unexpected_message',
  ],
  [
    'an alert inside a message (5.1)',
    concat(record('handshake', u8(1)), record('alert', fromHex('0100'))),
    'unexpected-record',
    'unexpected_message',
  ],
  [
    'a change_cipher_spec inside a message (5.1)',
    concat(record('handshake', u8(1)), changeCipherSpec),
    'unexpected-record',
    'unexpected_message',
  ],
  [
    'a message of a type that TLS does not have',
    record('handshake', handshakeMessage(99, EMPTY)),
    'unexpected-message',
    'unexpected_message',
  ],
];

for (const role of ROLES) {
  describe(`a ${role} that waits for the first message refuses`, () => {
    it.each(REFUSED)('%s', (_title, bytes, code, alert) => {
      expectRefusal(given(role, bytes), code, alert);
    });

    it.each(Object.keys(MAX_MESSAGE) as MessageName[])(
      'a %s longer than its bound, by its header alone',
      (name) => {
        const head = record('handshake', messageHead(name, MAX_MESSAGE[name] + 1));
        expectRefusal(given(role, head), 'message-too-large', 'illegal_parameter', name);
      },
    );

    it('nothing before a message of the longest length has come whole', () => {
      const name = FIRST_MESSAGE[role];
      expectWaiting(
        given(role, record('handshake', messageHead(name, MAX_MESSAGE[name]))),
        FIRST_STATE[role],
      );
    });

    it.each(Object.entries(ALERTS))('to go on after the alert %s (6)', (name, description) => {
      const victim = given(role, record('alert', Uint8Array.of(2, description)));
      if (name === 'user_canceled') expectWaiting(victim, FIRST_STATE[role]);
      else if (name === 'close_notify') expectRefusal(victim, 'closed-in-handshake', undefined);
      else expectRefusal(victim, 'alert-received', undefined, name);
    });

    it('to go on after an alert that nobody knows, of any level (6)', () => {
      const onAlert = (level: number) => given(role, record('alert', Uint8Array.of(level, 222)));
      expectRefusal(onAlert(2), 'alert-received', undefined, '222');
      expectRefusal(onAlert(1), 'warning-alert', 'decode_error', '222');
      for (const level of [0, 3, 255]) {
        expectRefusal(onAlert(level), 'illegal-parameter', 'illegal_parameter', `level ${level}`);
      }
    });

    it('more than a few warnings', () => {
      const warning = record('alert', Uint8Array.of(1, ALERTS.user_canceled));
      const most = Array.from({ length: MAX_WARNINGS }, () => warning);
      expectWaiting(given(role, concat(...most)), FIRST_STATE[role]);
      expectRefusal(
        given(role, concat(...most, warning)),
        'too-many-empty-records',
        'unexpected_message',
        'user_canceled',
      );
    });

    it('the end of input', () => {
      const victim = START[role]();
      victim.connection.endOfInput();
      expectRefusal(victim, 'closed-in-handshake', undefined);
    });

    it('the end of input inside a record', () => {
      const victim = given(role, Uint8Array.of(22, 3));
      victim.connection.endOfInput();
      expectRefusal(victim, 'closed-in-handshake', undefined);
    });
  });
}

describe('change_cipher_spec (RFC 8446 5, D.4)', () => {
  it('is refused by a server before the ClientHello', () => {
    expectRefusal(given('server', changeCipherSpec), 'unexpected-record', 'unexpected_message');
  });

  it('is dropped by a client after its ClientHello, a few times', () => {
    const most = Array.from({ length: MAX_CHANGE_CIPHER_SPECS }, () => changeCipherSpec);
    expectWaiting(given('client', concat(...most)), 'ExpectServerHello');
    expectRefusal(
      given('client', concat(...most, changeCipherSpec)),
      'too-many-empty-records',
      'unexpected_message',
      'change_cipher_spec',
    );
  });

  it('is dropped by a server between the flights, a few times', () => {
    const victim = victimServer();
    const client = TamperingEngine.client(honest);
    exchange(client, victim.connection, undefined, () => []);
    expect(victim.connection.stateName).toBe('ExpectCertificate');
    for (let sent = 0; sent < MAX_CHANGE_CIPHER_SPECS; sent += 1)
      victim.connection.receive(changeCipherSpec.slice());
    expectWaiting(victim, 'ExpectCertificate');
    victim.connection.receive(changeCipherSpec.slice());
    expectRefusal(victim, 'too-many-empty-records', 'unexpected_message');
  });
});

describe('a plain alert', () => {
  it('from a client without keys ends the server that already has some', () => {
    const victim = victimServer();
    exchange(TamperingEngine.client(honest), victim.connection, undefined, () => []);
    victim.connection.receive(record('alert', Uint8Array.of(2, ALERTS.illegal_parameter)));
    expectRefusal(victim, 'alert-received', undefined, 'illegal_parameter');
  });

  it('is refused by a server that has opened an authentic record, whoever forged it', () => {
    const victim = victimServer();
    const certificateOnly: Tamper = (name, message) =>
      name === 'client_hello' || name === 'certificate' ? [message] : [];
    exchange(TamperingEngine.client(certificateOnly), victim.connection);
    expectWaiting(victim, 'ExpectCertificateVerify');
    victim.connection.receive(record('alert', Uint8Array.of(2, ALERTS.illegal_parameter)));
    expectRefusal(victim, 'unexpected-record', 'unexpected_message', 'an unprotected alert record');
  });

  it('is refused by a client that has keys', () => {
    const victim = victimClient();
    const server = TamperingEngine.server(honest);
    exchange(victim.connection, server, undefined, (bytes) => [splitRecords(bytes)[0]!]);
    expect(victim.connection.stateName).toBe('ExpectEncryptedExtensions');
    victim.connection.receive(record('alert', Uint8Array.of(2, ALERTS.illegal_parameter)));
    expectRefusal(victim, 'unexpected-record', 'unexpected_message');
  });
});

describe('RUSTSEC-2024-0399: a hello in records of one byte', () => {
  it.each(ROLES)('is read by a %s like any other', (role) => {
    const victim = START[role]();
    const engine = role === 'server' ? TamperingEngine.client(honest) : TamperingEngine.server(honest);
    const cut = (bytes: Uint8Array): Uint8Array[] =>
      splitRecords(bytes).flatMap((each) => (each[0] === 22 ? shatter(each) : [each]));
    if (role === 'server') exchange(engine, victim.connection, cut);
    else exchange(victim.connection, engine, undefined, cut);
    expect(victim.connection.established).toBe(true);
  });
});

describe('CVE-2024-32650: close_notify right after a ClientHello', () => {
  it('ends the server at once', () => {
    const victim = victimServer();
    const hello = TamperingEngine.client(honest).takeOutput();
    victim.connection.receive(concat(hello, record('alert', Uint8Array.of(1, ALERTS.close_notify))));
    const resumption = victim.connection.pending!.run();
    if (resumption instanceof Promise) throw new Error('the test signer answers at once');
    victim.connection.resume(resumption);
    expectRefusal(victim, 'closed-in-handshake', undefined, 'close_notify');
  });
});
