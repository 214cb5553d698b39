import { describe, expect, it } from 'vitest';
import { concat, EMPTY } from '#runtime';
import { ALERTS, type AlertName, FATAL, WARNING } from './alert.ts';
import type { ConnectionEvent } from './events.ts';
import { MAX_KEY_UPDATES, MAX_PLAINTEXT, MAX_TICKETS, MAX_WARNINGS } from './limits.ts';
import { HANDSHAKE_TYPES, type MessageName } from './messages/names.ts';
import type { ReasonCode } from './reasons.ts';
import { REASONS } from './reasons.ts';
import { TRANSITIONS } from './states.ts';
import { ticketBody, WELL_FORMED } from './testing/bodies.ts';
import { establishedPair, exchange, type PairOptions, received } from './testing/pair.ts';
import { acquainted, expectRefusal, type Victim, victimClient, victimServer } from './testing/victim.ts';
import { handshakeMessage, splitRecords } from './testing/wire.ts';
import { u8 } from './wire/writer.ts';

const ROLES = ['client', 'server'] as const;
const UPDATE = WELL_FORMED.key_update;
const keyUpdates = (events: readonly ConnectionEvent[]) =>
  events.flatMap((event) => (event.type === 'key-update' ? [event.direction] : []));

for (const role of ROLES) {
  describe(`an established ${role} refuses`, () => {
    const unexpected = (Object.keys(HANDSHAKE_TYPES) as MessageName[]).filter(
      (name) => !(TRANSITIONS[role].Traffic.on as readonly string[]).includes(name),
    );

    it.each(unexpected)('%s, renegotiation included (4.1.2, 4.6)', (name) => {
      const { victim, engine, deliver } = acquainted(role);
      engine.sendMessage(name, WELL_FORMED[name]);
      deliver();
      const renegotiates = role === 'server' && name === 'client_hello';
      if (renegotiates) expectRefusal(victim, 'renegotiation-attempted', 'unexpected_message');
      else expectRefusal(victim, 'unexpected-message', 'unexpected_message', `${name} in Traffic`);
    });

    it('a hello_request of TLS 1.2, and other types that TLS 1.3 does not have', () => {
      for (const type of [0, 3, 6, 12, 14, 16, 254]) {
        const { victim, engine, deliver } = acquainted(role);
        engine.port.fragmenter.addHandshake(handshakeMessage(type, EMPTY));
        deliver();
        const code = type === 0 ? 'renegotiation-attempted' : 'unexpected-message';
        expectRefusal(victim, code, 'unexpected_message');
      }
    });

    it.each<[string, Uint8Array, ReasonCode, AlertName]>([
      ['another request_update (4.6.3)', u8(2), 'illegal-parameter', 'illegal_parameter'],
      ['nothing', EMPTY, 'malformed-message', 'decode_error'],
      ['two bytes', Uint8Array.of(0, 0), 'malformed-message', 'decode_error'],
    ])('a KeyUpdate with %s', (_title, body, code, alert) => {
      const { victim, engine, deliver } = acquainted(role);
      engine.sendMessage('key_update', body);
      deliver();
      expectRefusal(victim, code, alert);
    });

    it('handshake bytes behind a KeyUpdate in its record (5.1)', () => {
      const { victim, engine, deliver } = acquainted(role);
      engine.sendMessage('key_update', UPDATE);
      engine.sendMessage('key_update', UPDATE);
      deliver();
      expectRefusal(victim, 'unaligned-key-change', 'unexpected_message');
    });

    it('a record under the old key after a KeyUpdate', () => {
      const { victim, engine, deliver } = acquainted(role);
      engine.sendMessage('key_update', UPDATE);
      deliver();
      expect(victim.connection.failure).toBeUndefined();
      engine.port.fragmenter.add('application_data', u8(1));
      deliver();
      expectRefusal(victim, 'bad-record-mac', 'bad_record_mac');
    });

    it('data or an alert inside a message (5.1)', () => {
      for (const type of ['application_data', 'alert'] as const) {
        const { victim, engine, deliver } = acquainted(role);
        engine.port.fragmenter.addHandshake(
          handshakeMessage(HANDSHAKE_TYPES.key_update, UPDATE).subarray(0, 3),
        );
        engine.port.fragmenter.add(type, Uint8Array.of(1, 0));
        deliver();
        expectRefusal(victim, 'unexpected-record', 'unexpected_message', 'inside a handshake message');
      }
    });

    it.each(Object.entries(ALERTS).filter(([name]) => name !== 'close_notify' && name !== 'user_canceled'))(
      'to go on after the alert %s, whatever its level (6.2)',
      (name, description) => {
        const onAlert = (level: number): Victim => {
          const { victim, engine, deliver } = acquainted(role);
          engine.port.fragmenter.add('alert', Uint8Array.of(level, description));
          deliver();
          return victim;
        };
        expectRefusal(onAlert(FATAL), 'alert-received', undefined, name);
        expectRefusal(onAlert(WARNING), 'warning-alert', 'decode_error', name);
      },
    );

    it('more than a few warnings', () => {
      const { victim, engine, deliver } = acquainted(role);
      for (let sent = 0; sent <= MAX_WARNINGS; sent += 1) {
        expect(victim.connection.failure).toBeUndefined();
        engine.port.fragmenter.add('alert', Uint8Array.of(1, ALERTS.user_canceled));
        deliver();
      }
      expectRefusal(victim, 'too-many-empty-records', 'unexpected_message');
    });

    it('the end of input without close_notify (6.1)', () => {
      const { victim } = acquainted(role);
      victim.connection.endOfInput();
      expectRefusal(victim, 'truncated', undefined);
    });

    it('key updates without end and without data', () => {
      const { other, own, events } = pairOf(role);
      for (let sent = 0; sent < MAX_KEY_UPDATES; sent += 1) other.updateKeys(false);
      own.receive(other.takeOutput());
      expect(own.failure).toBeUndefined();
      other.updateKeys(false);
      own.receive(other.takeOutput());
      expectRefusal({ connection: own, events }, 'too-many-key-updates', 'unexpected_message');
    });
  });

  describe(`an established ${role}`, () => {
    it('takes key updates without end that have data between them', () => {
      const { other, own } = pairOf(role);
      for (let sent = 0; sent < 3 * MAX_KEY_UPDATES; sent += 1) {
        other.updateKeys(false);
        other.write(u8(1));
        own.receive(other.takeOutput());
      }
      expect(received(own)).toHaveLength(3 * MAX_KEY_UPDATES);
    });

    it('answers many requests for a key update by one, before its next data (4.6.3)', () => {
      const { other, own, events } = pairOf(role);
      for (let sent = 0; sent < 5; sent += 1) other.updateKeys(true);
      own.receive(other.takeOutput());
      expect(own.takeOutput()).toHaveLength(0);
      own.write(u8(1));
      own.write(u8(2));
      other.receive(own.takeOutput());
      expect(received(other)).toEqual(Buffer.from([1, 2]));
      expect(keyUpdates(events)).toEqual([...Array.from({ length: 5 }, () => 'received'), 'sent']);
    });

    it('goes on in both directions after updates of both at once', () => {
      const { other, own } = pairOf(role);
      own.updateKeys(true);
      other.updateKeys(true);
      exchange(own, other);
      own.write(u8(1));
      other.write(u8(2));
      exchange(own, other);
      expect([...received(own), ...received(other)]).toEqual([2, 1]);
    });

    it.each([1, 3, 10])(
      'seals no more than %i records under a key that may seal so many (5.5)',
      (recordsPerKey) => {
        const { own, other, otherEvents } = pairOf(role, { [role]: { recordsPerKey } });
        const large = new Uint8Array(10 * MAX_PLAINTEXT + 1).fill(7);
        own.write(large);
        for (let small = 0; small < 10; small += 1) own.write(u8(7));
        let underThisKey = 0;
        let arrived = 0;
        for (const each of splitRecords(own.takeOutput())) {
          const before = keyUpdates(otherEvents).length;
          other.receive(each);
          const length = received(other).length;
          arrived += length;
          underThisKey = keyUpdates(otherEvents).length > before ? 0 : underThisKey + 1;
          expect(underThisKey).toBeLessThanOrEqual(recordsPerKey);
        }
        expect(other.failure).toBeUndefined();
        expect(arrived).toBe(large.length + 10);
      },
    );

    it('CVE-2024-32650: ignores everything after close_notify (6.1)', () => {
      const { victim, engine, deliver } = acquainted(role);
      engine.port.fragmenter.add('application_data', u8(1));
      engine.port.fragmenter.add('alert', Uint8Array.of(1, ALERTS.close_notify));
      engine.port.fragmenter.add('application_data', u8(2));
      engine.port.fragmenter.add('alert', Uint8Array.of(2, ALERTS.internal_error));
      deliver();
      const { connection } = victim;
      for (let sent = 0; sent < 32; sent += 1) connection.receive(new Uint8Array(16_384).fill(71));
      connection.endOfInput();
      expect(connection.failure).toBeUndefined();
      expect(connection.readClosed).toBe(true);
      expect([...received(connection)]).toEqual([1]);
    });

    it('may still send after the other side closed, and ends when both did', () => {
      const { other, own, events } = pairOf(role);
      other.close();
      own.receive(other.takeOutput());
      own.write(u8(3));
      own.close();
      expect(events.at(-1)).toEqual({ type: 'closed' });
      other.receive(own.takeOutput());
      expect([...received(other)]).toEqual([3]);
      expect(other.readClosed && other.writeClosed).toBe(true);
    });

    it('is not failed any more by its owner once both sides have closed', () => {
      const { other, own, events } = pairOf(role);
      own.close();
      other.close();
      exchange(own, other);
      own.abort(REASONS['destroyed-locally']);
      own.endOfInput();
      expect(own.failure).toBeUndefined();
      expect(events.at(-1)).toEqual({ type: 'closed' });
      expect(events.filter((event) => event.type === 'closed')).toHaveLength(1);
    });

    it('sends nothing after close_notify', () => {
      const { own } = pairOf(role);
      own.close();
      own.takeOutput();
      own.close();
      own.updateKeys(true);
      expect(() => own.write(u8(1))).toThrow('closed');
      own.abort(REASONS['handshake-timeout']);
      expect(own.takeOutput()).toHaveLength(0);
    });

    it('never sends close_notify when it fails', () => {
      const { other, own } = pairOf(role);
      own.abort(REASONS['destroyed-locally']);
      other.receive(own.takeOutput());
      expect(other.readClosed).toBe(false);
      other.endOfInput();
      expect(other.failure?.code).toBe('truncated');
    });

    it('cuts large writes into full records and small ones into one', () => {
      const { own } = pairOf(role);
      own.write(new Uint8Array(2 * MAX_PLAINTEXT + 1));
      own.write(EMPTY);
      const lengths = splitRecords(own.takeOutput()).map((each) => each.length - 5 - 17);
      expect(lengths).toEqual([MAX_PLAINTEXT, MAX_PLAINTEXT, 1]);
    });
  });
}

describe('an established client', () => {
  it('takes a bounded number of tickets (4.6.1)', () => {
    const { victim, engine, deliver } = acquainted('client');
    for (let sent = 0; sent < MAX_TICKETS; sent += 1) engine.sendMessage('new_session_ticket', ticketBody());
    deliver();
    expect(victim.connection.failure).toBeUndefined();
    engine.sendMessage('new_session_ticket', ticketBody());
    deliver();
    expectRefusal(victim, 'too-many-tickets', 'unexpected_message');
  });

  it.each<[string, Uint8Array, ReasonCode, AlertName]>([
    ['that lives longer than a week', ticketBody(604_801), 'illegal-parameter', 'illegal_parameter'],
    ['with a byte too many', concat(ticketBody(), u8(0)), 'malformed-message', 'decode_error'],
    [
      'without a ticket',
      Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0),
      'malformed-message',
      'decode_error',
    ],
  ])('refuses a ticket %s (4.6.1)', (_title, body, code, alert) => {
    const { victim, engine, deliver } = acquainted('client');
    engine.sendMessage('new_session_ticket', body);
    deliver();
    expectRefusal(victim, code, alert);
  });

  it('CVE-2026-55962: refuses authentication after the handshake (4.6.2)', () => {
    const { victim, engine, deliver } = acquainted('client');
    engine.sendMessage('certificate_request', WELL_FORMED.certificate_request);
    deliver();
    expectRefusal(victim, 'post-handshake-authentication', 'unexpected_message');
  });
});

describe('before the handshake is complete', () => {
  it('writing is a mistake of the program, and closing gives up', () => {
    for (const role of ROLES) {
      const { connection } = fresh(role);
      expect(() => connection.write(u8(1))).toThrow('not complete');
      connection.updateKeys(true);
      expect(connection.failure).toBeUndefined();
      connection.close();
      expect(connection.failure?.code).toBe('destroyed-locally');
    }
  });
});

function fresh(role: 'client' | 'server') {
  return role === 'client' ? victimClient() : victimServer();
}

function pairOf(role: 'client' | 'server', options: PairOptions = {}) {
  const { client, server, clientEvents, serverEvents } = establishedPair(options);
  return role === 'client'
    ? { own: client, other: server, events: clientEvents, otherEvents: serverEvents }
    : { own: server, other: client, events: serverEvents, otherEvents: clientEvents };
}
