import { describe, expect, test } from 'vitest';
import { parseMeshFile } from './parse.ts';
import { sayProblem } from './problem.ts';

const SHOP = `trustDomain: shop.example
policies: [./policies]
rotateEvery: 5s
services:
  web:
    command: [node, web.ts]
    port: 8480
    calls: [orders, { service: payments, listen: 9002 }]
  orders:
    port: 8481
    namespace: back
    serviceAccount: order-keeper
    labels: { tier: back }
    env: { WORKERS: 2 }
    calls:
      - payments
  payments:
    port: 8482
traffic:
  - request: http://web/checkout?items=2
    through: [web -> orders, orders -> payments]
    every: 300ms
  - request: http://payments/
    as: web
`;

test('reads the whole of a mesh, with the defaults that were left out', () => {
  const parsed = parseMeshFile('/srv/shop/mesh.yaml', SHOP);
  expect(parsed.ok).toBe(true);
  if (!parsed.ok) return;
  const mesh = parsed.value;
  expect(mesh).toMatchObject({
    directory: '/srv/shop',
    trustDomain: 'shop.example',
    policies: ['/srv/shop/policies'],
    state: '/srv/shop/.sallyport',
    rotateEveryMilliseconds: 5_000,
    leafLifetimeMilliseconds: undefined,
  });
  const [web, orders, payments] = mesh.services;
  expect(web).toMatchObject({ name: 'web', namespace: 'default', serviceAccount: 'web', port: 8480 });
  expect(web?.calls).toEqual([
    { service: 'orders', listen: undefined },
    { service: 'payments', listen: 9002 },
  ]);
  expect(orders).toMatchObject({ namespace: 'back', serviceAccount: 'order-keeper', env: { WORKERS: '2' } });
  expect(payments?.command).toBeUndefined();
  expect(mesh.traffic).toEqual([
    {
      service: 'web',
      path: '/checkout?items=2',
      as: undefined,
      through: [
        { from: 'web', to: 'orders' },
        { from: 'orders', to: 'payments' },
      ],
      everyMilliseconds: 300,
    },
    {
      service: 'payments',
      path: '/',
      as: 'web',
      through: [{ from: 'web', to: 'payments' }],
      everyMilliseconds: 1_000,
    },
  ]);
  expect(Object.isFrozen(mesh.services[0]?.calls)).toBe(true);
});

describe('mistakes', () => {
  /** The problems of SHOP with `from` replaced, as `line:column sentence`. */
  const mistakes = (from: string | RegExp, to: string): string[] => {
    const text = SHOP.replace(from, to);
    expect(text).not.toBe(SHOP);
    return problemsOf(text);
  };

  test.each([
    [
      'an unknown field',
      'rotateEvery:',
      'rotatevery:',
      ['3:1 unknown field rotatevery (did you mean rotateEvery?)'],
    ],
    [
      'an unknown field of a service',
      'namespace: back',
      'namespce: back',
      ['11:5 unknown field namespce (did you mean namespace?)'],
    ],
    ['a missing field', 'trustDomain: shop.example\n', '', ['1:1 trustDomain is missing']],
    ['a missing port', '    port: 8481\n', '', ['9:3 port is missing']],
    ['an empty field', 'port: 8481', 'port:', ['10:5 port: a port is a whole number, not empty']],
    ['a port of text', '8481', '"8481"', ['10:11 port: a port is a whole number, not text']],
    ['a port out of range', '8481', '84810', ['10:11 port: a port is at most 65535']],
    ['a port that is taken', '8482', '8481', ['18:11 port 8481 is taken by orders']],
    ['a listening port that is taken', 'listen: 9002', 'listen: 8480', ['8:50 port 8480 is taken by web']],
    ['a listening port out of range', 'listen: 9002', 'listen: 0', ['8:50 listen: a port is at least 1']],
    [
      'a duration without a unit',
      '5s',
      '5',
      [
        '3:14 rotateEvery: a duration is a number and a unit (ms, s, m or h), such as 500ms, 5s or 10m, not a number',
      ],
    ],
    ['a duration that is too short', '5s', '5ms', ['3:14 rotateEvery: at least 1s']],
    ['a command line', '[node, web.ts]', 'node web.ts', [/^6:14 command: a command is a list of words/]],
    [
      'a number in a command',
      '[node, web.ts]',
      '[node, 8000]',
      [/^6:21 item 2: each word of a command is text/],
    ],
    [
      'a call of nobody',
      '      - payments',
      '      - payment',
      [
        '16:9 no service is called payment (did you mean payments?)',
        '21:30 orders -> payments is not among the calls of orders',
      ],
    ],
    [
      'a call of itself',
      '      - payments',
      '      - payments\n      - orders',
      ['17:9 orders calls itself: it needs no sidecar for that'],
    ],
    [
      'a call listed twice',
      '      - payments',
      '      - payments\n      - payments',
      ['17:9 payments is listed twice'],
    ],
    ['a service name', /orders/g, 'Orders', [/^9:3 a service's name is made of lower-case/]],
    ['a trust domain', 'shop.example', 'spiffe://shop', [/^1:14 trustDomain: a trust domain is a name/]],
    ['an environment variable', 'WORKERS', 'my-workers', [/^14:12 not a name of an environment/]],
    [
      'a request elsewhere',
      'http://web/checkout?items=2',
      'https://web:1/',
      [/^20:14 request: write http:\/\/SERVICE\/PATH/],
    ],
    [
      'a request of nobody',
      'http://web/',
      'http://wab/',
      ['20:14 no service is called wab (did you mean web?)'],
    ],
    [
      'a hop that is none',
      'web -> orders',
      'web to orders',
      ['21:15 item 1: a hop is written as CALLER -> SERVICE'],
    ],
    [
      'a hop that nobody makes',
      'web -> orders',
      'payments -> orders',
      ['21:15 payments -> orders is not among the calls of payments'],
    ],
    ['traffic as nobody', 'as: web', 'as: wep', ['24:9 no service is called wep (did you mean web?)']],
    [
      'a key given twice',
      'rotateEvery: 5s',
      'trustDomain: b',
      [/^3:1 not valid YAML: this field is there twice/],
    ],
    ['broken YAML', 'policies: [./policies]', 'policies: [./policies', [/^3:\d+ not valid YAML/]],
    [
      'a line too far to the right',
      'rotateEvery: 5s',
      '  rotateEvery: 5s',
      [/not valid YAML: wrong indentation: .*line it up/],
    ],
    ['two documents', 'rotateEvery: 5s', '---', [/not valid YAML/]],
  ] as [string, string | RegExp, string, (string | RegExp)[]][])('%s', (_, from, to, expected) => {
    const found = mistakes(from, to);
    for (const [index, want] of expected.entries()) {
      if (typeof want === 'string') expect(found).toContain(want);
      else expect(found[index]).toMatch(want);
    }
  });

  test('all of them show at once, in the order of lines', () => {
    const text = SHOP.replace('shop.example', '""').replace('8481', '0').replace('as: web', 'at: web');
    const found = problemsOf(text);
    expect(found.map((line) => line.split(' ')[0])).toEqual(['1:14', '10:11', '24:5']);
  });

  test.each(['a..b', '.a', 'a.', 'Shop.example', `${'x'.repeat(64)}.example`, 'ä.example', '""'])(
    'a trust domain that is no part of a server name: %s',
    (domain) => {
      expect(mistakes('shop.example', domain)).toEqual([
        expect.stringMatching(
          /^1:14 trustDomain: a trust domain is a name such as shop\.example: words of 1 to 63/,
        ),
      ]);
    },
  );

  test('a trust domain is as long as server names allow, and no longer', () => {
    const domain = `${'x'.repeat(61)}.`.repeat(4).slice(0, 246);
    expect(problemsOf(SHOP.replace('shop.example', domain))).toEqual([]);
    expect(`p65535.${domain}`).toHaveLength(253);
    expect(mistakes('shop.example', `${domain}x`)).toEqual([
      '1:14 trustDomain: a trust domain has at most 246 characters, since server names begin with p65535.',
    ]);
  });

  test('a name that JavaScript would swallow is refused wherever it stands', () => {
    const swallowed = SHOP.replace('tier: back', '__proto__: back')
      .replace('  payments:\n', '  "__proto__":\n')
      .replace('rotateEvery: 5s', 'rotateEvery: 5s\n__proto__: { rotateEvery: 1s }');
    expect(problemsOf(swallowed)).toEqual(
      ['4:1', '14:15', '18:3'].map((place) => `${place} __proto__ is no name`),
    );
    const inherited = 'trustDomain: a\npolicies: [p]\nservices: { constructor: { port: 1 } }\n';
    expect(problemsOf(inherited)).toEqual([]);
  });

  test('what was written shows on one line, and nothing in it commands the terminal', () => {
    const found = parseMeshFile('/srv/\u001b[2J/mesh.yaml', `"\\e]0;pwned\\a\\n::error::": 1\n`);
    const lines = found.ok ? [] : found.error.map(sayProblem);
    expect(lines.join('')).toContain('unknown field \\u{1b}]0;pwned\\u{7}\\u{a}::error::');
    for (const line of lines) expect(line).not.toMatch(/\p{C}/u);
  });

  test('a name of a megabyte takes no time', () => {
    const long = 'x'.repeat(1024 * 1024);
    const started = performance.now();
    const found = problemsOf(`${long}: 1\nservices: { ${long}: { port: 1, calls: [${long}y] } }\n`);
    expect(found.length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test.each([
    ['an empty file', ''],
    ['a list', '- a\n- b\n'],
    ['a word', 'hello'],
    ['empty services', 'trustDomain: a\npolicies: [p]\nservices: {}\n'],
    [
      'an alias bomb',
      `a: &a [x,x,x]\n${'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]},`.repeat(9)}]`)
        .join('\n')}\n`,
    ],
  ])('%s is refused', (_, text) => expect(problemsOf(text).length).toBeGreaterThan(0));
});

function problemsOf(text: string): string[] {
  const parsed = parseMeshFile('/srv/shop/mesh.yaml', text);
  return parsed.ok ? [] : parsed.error.map(({ line, column, say }) => `${line}:${column} ${say}`);
}
