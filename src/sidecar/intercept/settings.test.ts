import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_LIST_CHARACTERS, MOST_LIST_ENTRIES } from './list.ts';
import { hasPort, parsePorts } from './ports.ts';
import { CAPTURE_DEFAULTS, parseCaptureSettings } from './settings.ts';
import { badText, given, portList, settingsOf } from './testing/settings.ts';

function mistakes(texts: Parameters<typeof given>[0]): readonly string[] {
  const parsed = parseCaptureSettings(given(texts));
  return parsed.ok ? [] : parsed.error;
}

test('nothing given is the defaults', () => {
  expect(settingsOf()).toEqual(CAPTURE_DEFAULTS);
  expect(settingsOf({ excludeInboundPorts: '', excludeOutboundNetworks: '  ' })).toEqual(CAPTURE_DEFAULTS);
});

test('ranges are merged and networks that others hold are dropped', () => {
  const settings = settingsOf({
    excludeInboundPorts: '90-100, 80,443,81-89,444',
    excludeOutboundNetworks: '10.2.0.0/16,2001:db8:1::/48,10.0.0.0/8,2001:DB8::/32,192.0.2.7/32',
  });
  expect(settings.excludeInboundPorts).toEqual([
    { first: 80, last: 100 },
    { first: 443, last: 444 },
  ]);
  expect(settings.excludeOutboundNetworks.ipv4.map(({ text }) => text)).toEqual([
    '10.0.0.0/8',
    '192.0.2.7/32',
  ]);
  expect(settings.excludeOutboundNetworks.ipv6.map(({ text }) => text)).toEqual(['2001:db8::/32']);
});

describe('refuses, saying where and what', () => {
  const CASES: readonly (readonly [keyof typeof CAPTURE_DEFAULTS, string, string])[] = [
    ['excludeInboundPorts', '80; flush ruleset', 'entry 1 "80; flush ruleset" is no port'],
    ['excludeInboundPorts', '80\nflush ruleset', 'entry 1 "80\\nflush ruleset" is no port'],
    ['excludeInboundPorts', '80,\n443', 'entry 2 "\\n443" is no port'],
    ['excludeInboundPorts', '80,,443', 'entry 2 is empty'],
    ['excludeInboundPorts', '80,', 'entry 2 is empty'],
    ['excludeInboundPorts', '-1', 'entry 1 "-1" is no port'],
    ['excludeInboundPorts', '-5-10', 'entry 1 "-5-10" is no port'],
    ['excludeInboundPorts', '0', 'entry 1 "0" is no port'],
    ['excludeInboundPorts', '65536', 'entry 1 "65536" is no port'],
    ['excludeInboundPorts', '1-99999999999', 'entry 1 "1-99999999999" is no port'],
    ['excludeInboundPorts', '080', 'entry 1 "080" is no port'],
    ['excludeInboundPorts', '0x50', 'entry 1 "0x50" is no port'],
    ['excludeInboundPorts', '8e1', 'entry 1 "8e1" is no port'],
    ['excludeInboundPorts', '٨٠', 'entry 1 "٨٠" is no port'],
    ['excludeInboundPorts', '100-80', 'entry 1 "100-80" begins after its end: write 80-100'],
    ['excludeInboundPorts', '80-90-100', 'entry 1 "80-90-100" is no port'],
    ['excludeInboundPorts', '1-65535', 'together they are all ports'],
    ['excludeOutboundPorts', '1-30000,30001-65535', 'together they are all ports'],
    ['excludeOutboundNetworks', '10.0.0.0/8 accept', 'entry 1 is no network'],
    ['excludeOutboundNetworks', '10.0.0.1/8', 'the network is "10.0.0.0/8"'],
    ['excludeOutboundNetworks', '0.0.0.0/0', 'is every address of its family'],
    ['excludeOutboundNetworks', '::/0', 'is every address of its family'],
    ['excludeOutboundNetworks', '10.0.0.0/33', 'is not a number from 0 to 32'],
    ['excludeOutboundNetworks', 'fe80::%eth0/64', 'entry 1 is no network'],
    ['excludeOutboundNetworks', 'localhost', 'entry 1 is no network'],
    ['excludeOutboundNetworks', `${'f'.repeat(60)}::/8`, 'is no network like'],
    ['uid', '0', 'is no user id'],
    ['uid', '-1', 'is no user id'],
    ['uid', '4294967295', 'is no user id'],
    ['uid', 'root', 'is no user id'],
    ['inboundPort', '0', 'is no port'],
    ['outboundPort', '15006', 'both 15006'],
    ['excludeInboundPorts', '15000-15010', "hold the sidecar's own inbound port 15006"],
    ['excludeInboundPorts', '15001', "hold the sidecar's own outbound port 15001"],
    ['excludeInboundPorts', '15021', "hold the sidecar's own verification port 15021"],
    [
      'includeInboundPorts',
      '15000-15020',
      "hold the sidecar's own status port 15020, which is never captured",
    ],
    ['includeInboundPorts', '1-65535', 'every port is captured where this is left out'],
    ['verificationPort', '15020', 'the verification port and the status port are both 15020'],
    ['statusPort', '15001', 'the status port and the outbound port are both 15001'],
  ];
  test.each(CASES)('%s: %j', (name, text, say) => {
    const [first = ''] = mistakes({ [name]: text });
    expect(first).toContain(say);
    if (!/both|own/.test(say)) expect(first.startsWith(`${name}: `)).toBe(true);
  });

  test('every mistake of every value at once', () => {
    const found = mistakes({ uid: 'x', excludeInboundPorts: 'a,80,b', excludeOutboundNetworks: 'c' });
    expect(found.map((mistake) => mistake.slice(0, mistake.indexOf(' is no')))).toEqual([
      'uid: "x"',
      'excludeInboundPorts: entry 1 "a"',
      'excludeInboundPorts: entry 3 "b"',
      'excludeOutboundNetworks: entry 1',
    ]);
  });

  test('what is too long to be meant, without repeating it', () => {
    const long = mistakes({ excludeInboundPorts: '8'.repeat(LONGEST_LIST_CHARACTERS + 1) });
    expect(long).toEqual([
      `excludeInboundPorts: it has ${LONGEST_LIST_CHARACTERS + 1} characters, at most ${LONGEST_LIST_CHARACTERS} are read`,
    ]);
    const many = mistakes({ excludeInboundPorts: new Array(MOST_LIST_ENTRIES + 1).fill('80').join(',') });
    expect(many[0]).toContain(`at most ${MOST_LIST_ENTRIES} are read`);
    const [one = ''] = mistakes({ excludeInboundPorts: 'x'.repeat(LONGEST_LIST_CHARACTERS) });
    expect(one.length).toBeLessThan(200);
  });
});

describe('refuses what would leave nothing captured', () => {
  const HALVES = { ipv4: '0.0.0.0/1,128.0.0.0/1', ipv6: '2000::/3,fc00::/7' };
  const CASES: readonly (readonly [Parameters<typeof given>[0], string])[] = [
    [{ excludeOutboundNetworks: HALVES.ipv4 }, 'are every address of IPv4'],
    [{ excludeOutboundNetworks: `10.0.0.0/8,${HALVES.ipv6}` }, 'are every address of IPv6'],
    [{ excludeOutboundNetworks: '::/1,8000::/1' }, 'are every address of IPv6'],
    // Nobody has what is left of it: this network, loopback, multicast, broadcast.
    [
      {
        excludeOutboundNetworks:
          '1.0.0.0/8,2.0.0.0/7,4.0.0.0/6,8.0.0.0/5,16.0.0.0/4,32.0.0.0/3,64.0.0.0/3,96.0.0.0/4,112.0.0.0/5,120.0.0.0/6,124.0.0.0/7,126.0.0.0/8,128.0.0.0/2,192.0.0.0/3,240.0.0.0/4',
      },
      'are every address of IPv4',
    ],
    [
      { includeOutboundNetworks: '10.0.0.0/8,fd00::/8', excludeOutboundNetworks: '10.0.0.0/9,10.128.0.0/9' },
      'nothing of the included IPv4 networks is left',
    ],
    [
      { includeOutboundNetworks: 'fd00:1::/32', excludeOutboundNetworks: 'fd00::/8' },
      'nothing of the included IPv6 networks is left',
    ],
    [
      { includeOutboundPorts: '80,443,1000-2000', excludeOutboundPorts: '443' },
      'includeOutboundPorts: 443 is excluded as well, by excludeOutboundPorts',
    ],
    [
      { includeOutboundPorts: '80-90,443', excludeOutboundPorts: '85-90,70-84' },
      'includeOutboundPorts: 80-90 is excluded as well',
    ],
    [
      { includeInboundPorts: '80,81', excludeInboundPorts: '81' },
      'includeInboundPorts: 81 is excluded as well, by excludeInboundPorts',
    ],
    [
      { includeOutboundPorts: '80-90', excludeOutboundPorts: '1-85,86-100' },
      'outbound ports leave none captured',
    ],
    [
      { excludeInboundPorts: '1-15000,15002-15005,15007-15019,15022-65535' },
      'leave none of the application captured',
    ],
    [{ includeInboundPorts: '15021' }, 'leave none of the application captured'],
  ];
  test.each(CASES)('%j', (texts, say) => {
    expect(mistakes(texts).join('\n')).toContain(say);
  });

  test('but what leaves something', () => {
    for (const texts of [
      { excludeOutboundNetworks: '0.0.0.0/1,128.0.0.0/2,192.0.0.0/3' },
      { includeOutboundNetworks: '0.0.0.0/1,128.0.0.0/1' },
      { includeOutboundPorts: '1-1023', excludeOutboundPorts: '22' },
      { includeOutboundNetworks: '10.0.0.0/8', excludeOutboundNetworks: '10.0.0.0/9' },
      { excludeInboundPorts: '1-15000,15002-15005,15007-15019,15022-65534' },
    ])
      expect(mistakes(texts), JSON.stringify(texts)).toEqual([]);
  });
});

test('no mistake can add a line to a log', () => {
  fc.assert(
    fc.property(badText, badText, badText, (ports, networks, uid) => {
      for (const mistake of mistakes({
        excludeInboundPorts: ports,
        includeOutboundNetworks: networks,
        uid,
      })) {
        expect([...mistake].filter((character) => character < ' ' || character === '\u007f')).toEqual([]);
      }
    }),
  );
});

test('a parsed list holds exactly the ports that its entries name', () => {
  fc.assert(
    fc.property(portList, fc.integer({ min: 1, max: 65_535 }), (text, port) => {
      const parsed = parsePorts(text);
      fc.pre(parsed.ok);
      const named = text.split(',').some((entry) => {
        const [first = '', last = first] = entry.split('-');
        return entry !== '' && Number(first) <= port && port <= Number(last);
      });
      expect(hasPort(parsed.value, port)).toBe(named);
    }),
  );
});
