import { describe, expect, it } from 'vitest';
import { concat, EMPTY } from '#runtime';
import { ALERTS } from './alert.ts';
import { MAX_EMPTY_RECORDS, MAX_PLAINTEXT } from './limits.ts';
import { CONTENT } from './record/header.ts';
import { credentialOf, FakeVerifier, identity } from './testing/credentials.ts';
import { exchange, makePair, type PairOptions, received } from './testing/pair.ts';
import { type Tamper, TamperingEngine } from './testing/tampering-engine.ts';
import {
  acquainted,
  attack,
  expectRefusal,
  type Victim,
  victimClient,
  victimServer,
} from './testing/victim.ts';
import { flip, record, splitRecords } from './testing/wire.ts';
import { u8 } from './wire/writer.ts';

const ROLES = ['client', 'server'] as const;
const data = (length: number) => concat(new Uint8Array(length).fill(7), u8(CONTENT.application_data));

/** An established victim that then gets one record with this inner plaintext. */
function given(role: 'client' | 'server', inner: Uint8Array): Victim {
  const { victim, engine } = acquainted(role);
  victim.connection.receive(engine.sealRaw(inner));
  return victim;
}

for (const role of ROLES) {
  describe(`an established ${role}`, () => {
    it.each([
      ['nothing', EMPTY],
      ['zeros only', new Uint8Array(100)],
      ['a change_cipher_spec', Uint8Array.of(1, CONTENT.change_cipher_spec)],
      ['type 255', Uint8Array.of(1, 255)],
      ['no handshake bytes', u8(CONTENT.handshake)],
      ['no alert', u8(CONTENT.alert)],
    ])('refuses a record that holds %s (RFC 8446 5.1, 5.4)', (_title, inner) => {
      expectRefusal(given(role, inner), 'unexpected-record', 'unexpected_message');
    });

    it('refuses a heartbeat (CVE-2014-0160)', () => {
      expectRefusal(given(role, Uint8Array.of(1, 24)), 'heartbeat-used', 'unexpected_message');
    });

    it('takes content with padding, up to the limit (RFC 8446 5.4)', () => {
      const { connection } = given(role, concat(data(10), new Uint8Array(MAX_PLAINTEXT - 10)));
      expect(received(connection)).toHaveLength(10);
    });

    it('takes content of 2^14 bytes', () => {
      expect(received(given(role, data(MAX_PLAINTEXT)).connection)).toHaveLength(MAX_PLAINTEXT);
    });

    it.each([
      ['content', data(MAX_PLAINTEXT + 1)],
      ['padding', concat(data(10), new Uint8Array(MAX_PLAINTEXT))],
      ['zeros', concat(data(0), new Uint8Array(MAX_PLAINTEXT + 100))],
    ])('refuses a record with too much %s (RFC 8446 5.2, 5.4)', (_title, inner) => {
      expectRefusal(given(role, inner), 'record-overflow', 'record_overflow');
    });

    it('takes some empty records, and not more', () => {
      const { victim, engine } = acquainted(role);
      for (let sent = 0; sent < MAX_EMPTY_RECORDS; sent += 1)
        victim.connection.receive(engine.sealRaw(data(0)));
      expect(victim.connection.failure).toBeUndefined();
      victim.connection.receive(engine.sealRaw(data(0)));
      expectRefusal(victim, 'too-many-empty-records', 'unexpected_message');
    });

    it('takes empty records without end if there is content between them', () => {
      const { victim, engine } = acquainted(role);
      for (let sent = 0; sent < 4 * MAX_EMPTY_RECORDS; sent += 1) {
        victim.connection.receive(engine.sealRaw(data(sent % MAX_EMPTY_RECORDS === 0 ? 1 : 0)));
      }
      expect(received(victim.connection)).toHaveLength(4);
    });

    it.each([
      ['handshake', Uint8Array.of(24, 0, 0, 1, 0)],
      ['alert', Uint8Array.of(1, ALERTS.close_notify)],
      ['change_cipher_spec', u8(1)],
    ] as const)('refuses a plain %s record', (type, content) => {
      const { victim } = acquainted(role);
      victim.connection.receive(record(type, content));
      expectRefusal(victim, 'unexpected-record', 'unexpected_message');
    });

    it.each([0, 1, 15, 16])('refuses a protected record of %i bytes', (length) => {
      const { victim } = acquainted(role);
      victim.connection.receive(record('application_data', new Uint8Array(length)));
      expectRefusal(victim, 'bad-record-mac', 'bad_record_mac');
    });

    it.each([
      ['sent again', (first: Uint8Array, second: Uint8Array) => [first, first, second]],
      ['swapped with the next', (first: Uint8Array, second: Uint8Array) => [second, first]],
      ['left out', (_first: Uint8Array, second: Uint8Array) => [second]],
    ])('refuses a record that was %s on the way', (_title, change) => {
      const { victim, engine } = acquainted(role);
      const records = change(engine.sealRaw(data(3)), engine.sealRaw(data(4)));
      for (const each of records) victim.connection.receive(each.slice());
      expectRefusal(victim, 'bad-record-mac', 'bad_record_mac');
    });

    it('refuses a record with any bit of any byte changed', () => {
      const { victim: sample, engine } = acquainted(role);
      const length = engine.sealRaw(data(8)).length;
      expect(sample.connection.failure).toBeUndefined();
      for (let offset = 0; offset < length; offset += 1) {
        const { victim, engine: peer } = acquainted(role);
        const changed = flip(peer.sealRaw(data(8)), offset, 1 << (offset % 8));
        victim.connection.receive(changed);
        expect(received(victim.connection)).toHaveLength(0);
        victim.connection.endOfInput();
        expect(victim.connection.failure).toBeDefined();
      }
    });
  });
}

describe('a handshake with one changed byte on the wire', () => {
  const flights = { toServer: [] as Uint8Array[], toClient: [] as Uint8Array[] };
  // Ed25519 signatures are all of one length, so every handshake has the same offsets.
  const keys = { client: identity('client', 'ed25519'), server: identity('server', 'ed25519') };
  const options: PairOptions = {
    client: { credential: credentialOf(keys.client), verifier: new FakeVerifier([keys.server]) },
    server: {
      credential: credentialOf(keys.server),
      clientAuthentication: {
        mode: 'request',
        required: true,
        verifier: new FakeVerifier([keys.client]),
      },
    },
  };
  const whole = makePair(options);
  exchange(
    whole.client,
    whole.server,
    (bytes) => [keep(flights.toServer, bytes)],
    (bytes) => [keep(flights.toClient, bytes)],
  );

  it.each(['toServer', 'toClient'] as const)('%s never completes on both sides', (direction) => {
    for (const [flight, bytes] of flights[direction].entries()) {
      for (const [index, offset] of offsets(bytes).entries()) {
        const pair = makePair(options);
        let passed = 0;
        const tap = (each: Uint8Array): Uint8Array[] => {
          passed += 1;
          return [
            passed - 1 === flight && offset < each.length ? flip(each, offset, 1 << (index % 8)) : each,
          ];
        };
        if (direction === 'toServer') exchange(pair.client, pair.server, tap);
        else exchange(pair.client, pair.server, undefined, tap);
        const { client, server } = pair;
        expect(client.established && server.established && !client.failure && !server.failure).toBe(false);
        const [victim, other] = direction === 'toServer' ? [server, client] : [client, server];
        const failedOrWaits =
          victim.failure !== undefined || other.failure !== undefined || !victim.established;
        expect(failedOrWaits).toBe(true);
        expect([client.pending, server.pending]).toEqual([undefined, undefined]);
      }
    }
  });
});

/** Every byte but those that TLS ignores (RFC 8446 5.1): the version of records that are not protected. */
function offsets(flight: Uint8Array): number[] {
  const wanted: number[] = [];
  let offset = 0;
  for (const each of splitRecords(flight)) {
    for (let at = 0; at < each.length; at += 1) {
      if (at === 2 && each[0] !== CONTENT.application_data) continue;
      wanted.push(offset + at);
    }
    offset += each.length;
  }
  return wanted;
}

function keep(list: Uint8Array[], bytes: Uint8Array): Uint8Array {
  list.push(bytes.slice());
  return bytes;
}

describe('application data before the handshake is complete (RFC 8446 5)', () => {
  it.each(['encrypted_extensions', 'certificate', 'certificate_verify', 'finished'] as const)(
    'is refused by a client before %s',
    (message) => {
      const tamper: Tamper = (name, bytes) => {
        if (name === message) server.port.fragmenter.add('application_data', Uint8Array.of(1));
        return [bytes];
      };
      const server = TamperingEngine.server(tamper);
      expectRefusal(attack(victimClient(), server), 'unexpected-record', 'unexpected_message');
    },
  );

  it.each(['certificate', 'certificate_verify', 'finished'] as const)(
    'is refused by a server before %s',
    (message) => {
      const tamper: Tamper = (name, bytes) => {
        if (name === message) client.port.fragmenter.add('application_data', Uint8Array.of(1));
        return [bytes];
      };
      const client = TamperingEngine.client(tamper);
      expectRefusal(attack(victimServer(), client), 'unexpected-record', 'unexpected_message');
    },
  );
});
