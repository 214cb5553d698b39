import { describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '../events.ts';
import { DEFAULT_GROUPS, GROUPS } from '../groups.ts';
import { DEFAULT_SCHEMES, schemeIds } from '../schemes.ts';
import { DEFAULT_SUITES, SUITES } from '../suites.ts';
import { editClientHello, type EditableClientHello, editServerHello } from '../testing/edit.ts';
import { tamperWith, TamperingEngine } from '../testing/tampering-engine.ts';
import { attack, expectRefusal, victimClient, victimServer } from '../testing/victim.ts';
import { numbers16, u16, vector8 } from '../wire/writer.ts';
import {
  bestWeakness,
  type Numbers,
  WEAK_GROUPS,
  WEAK_SCHEMES,
  WEAK_SUITES,
  WEAK_VERSIONS,
  weaknessesOf,
} from './weaknesses.ts';

function serverGetting(change: (hello: EditableClientHello) => void) {
  return attack(
    victimServer(),
    TamperingEngine.client(tamperWith('client_hello', editClientHello(change)), 'sent'),
  );
}

const first = (list: Numbers): number => (typeof list[0] === 'number' ? list[0] : list[0]![0]);
const entries = <Name extends string>(table: Readonly<Record<Name, Numbers>>) =>
  (Object.keys(table) as Name[]).map((name) => [name, first(table[name])] as const);

describe('what we offer', () => {
  it('is nowhere in the tables of what is weak', () => {
    expect(
      weaknessesOf(
        WEAK_SUITES,
        DEFAULT_SUITES.map((name) => SUITES[name].id),
      ),
    ).toEqual([]);
    expect(
      weaknessesOf(
        WEAK_GROUPS,
        DEFAULT_GROUPS.map((name) => GROUPS[name].id),
      ),
    ).toEqual([]);
    expect(weaknessesOf(WEAK_SCHEMES, schemeIds(DEFAULT_SCHEMES))).toEqual([]);
    expect(weaknessesOf(WEAK_VERSIONS, [0x0303, 0x0304])).toEqual([]);
  });

  it('TLS 1.2 with ECDHE and AEAD is not weak either', () => {
    const strong = [0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xc0ac, 0xc0ad];
    expect(weaknessesOf(WEAK_SUITES, strong)).toEqual([]);
  });
});

describe('a server to whom nothing better is offered', () => {
  it.each(entries(WEAK_SUITES))('than %s (suite %i) refuses by that name', (name, suite) => {
    const victim = serverGetting((hello) => (hello.suites = [suite, 0x00ff]));
    expectRefusal(victim, `${name}-offered`, 'insufficient_security');
  });

  it('names the best of it', () => {
    const rc4AndCbc = serverGetting((hello) => (hello.suites = [0x0005, 0xc013, 0x0000]));
    expectRefusal(rc4AndCbc, 'cbc-cipher-offered', 'insufficient_security');
    const withStrong = serverGetting((hello) => (hello.suites = [0x0005, 0xc02f]));
    expectRefusal(withStrong, 'no-common-suite', 'handshake_failure');
    expect(bestWeakness(WEAK_SUITES, [0x00ff])).toBeUndefined();
  });

  it.each(entries(WEAK_SCHEMES))('than %s (scheme %i) refuses by that name', (name, scheme) => {
    const victim = serverGetting(({ extensions }) =>
      extensions.set('signature_algorithms', numbers16([scheme])),
    );
    expectRefusal(victim, `${name}-offered`, 'handshake_failure');
  });

  it('than finite fields refuses by that name', () => {
    const victim = serverGetting(({ extensions }) => {
      extensions.set('supported_groups', numbers16([0x0100]));
      extensions.set('key_share', u16(0));
    });
    expectRefusal(victim, 'dhe-key-exchange-offered', 'insufficient_security');
  });

  it.each(entries(WEAK_VERSIONS))('than %s (version %i) refuses by that name', (name, version) => {
    const victim = serverGetting((hello) => {
      hello.legacyVersion = version;
      hello.extensions.remove('supported_versions');
    });
    expectRefusal(victim, `${name}-offered`, 'protocol_version');
    const listed = serverGetting(({ extensions }) =>
      extensions.set('supported_versions', vector8(u16(version))),
    );
    expectRefusal(listed, `${name}-offered`, 'protocol_version');
  });

  it('but which says that it could do better is refused for that (RFC 7507)', () => {
    const victim = serverGetting((hello) => {
      hello.suites.push(0x5600);
      hello.extensions.set('supported_versions', vector8(u16(0x0303)));
    });
    expectRefusal(victim, 'inappropriate-fallback', 'inappropriate_fallback');
  });

  it('than TLS 1.2 says that no version is common', () => {
    const victim = serverGetting(({ extensions }) =>
      extensions.set('supported_versions', vector8(u16(0x0301), u16(0x0303))),
    );
    expectRefusal(victim, 'no-common-version', 'protocol_version');
  });
});

describe('weak offers beside good ones', () => {
  it('are passed over and counted', () => {
    const victim = serverGetting((hello) => {
      hello.suites = [0x0005, 0xc013, ...hello.suites];
      hello.extensions.set('signature_algorithms', numbers16([0x0201, ...schemeIds(DEFAULT_SCHEMES)]));
      hello.extensions.set('supported_versions', vector8(u16(0x0301), u16(0x0304)));
      hello.extensions.add('heartbeat', Uint8Array.of(1));
    });
    expect(victim.connection.established).toBe(true);
    const counted = victim.events.filter(
      (event): event is ConnectionEvent & { type: 'weak-offer' } => event.type === 'weak-offer',
    );
    expect(counted.map(({ weaknesses }) => weaknesses)).toEqual([
      ['tls10', 'rc4-cipher', 'cbc-cipher', 'sha1-signature', 'heartbeat'],
    ]);
  });

  it('are no event where there are none', () => {
    const { connection, events } = serverGetting(() => undefined);
    expect(connection.established).toBe(true);
    expect(events.map(({ type }) => type)).not.toContain('weak-offer');
  });
});

describe('a client refuses at once a server that chooses', () => {
  const clientGetting = (change: Parameters<typeof editServerHello>[0]) =>
    attack(
      victimClient(),
      TamperingEngine.server(tamperWith('server_hello', editServerHello(change)), 'sent'),
    );

  it.each(entries(WEAK_SUITES))('%s (suite %i)', (name, suite) => {
    expectRefusal(
      clientGetting((hello) => (hello.suite = suite)),
      `${name}-chosen`,
      'illegal_parameter',
    );
  });

  it.each([
    [0x0300, 'ssl3-chosen'],
    [0x0301, 'tls10-chosen'],
    [0x0302, 'tls11-chosen'],
    [0x0303, 'no-common-version'],
  ] as const)('version %i', (version, code) => {
    const victim = clientGetting((hello) => {
      hello.legacyVersion = version;
      hello.extensions.remove('supported_versions');
    });
    expectRefusal(victim, code, 'protocol_version');
  });
});
