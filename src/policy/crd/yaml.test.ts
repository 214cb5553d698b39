import { describe, expect, it } from 'vitest';
import { LIMITS } from '../limits.ts';
import { formatProblem } from './problem.ts';
import { readYaml } from './yaml.ts';

function mistakes(text: string): readonly string[] {
  return readYaml('a.yaml', text).problems.map(formatProblem);
}

describe('readYaml refuses', () => {
  it.each([
    ['a: 1\na: 2', ['a.yaml:2:1: error: the key "a" stands here a second time; first at 1:1']],
    [
      'a: &x { b: 1 }\nc: { <<: *x }',
      ['a.yaml:2:6: error: merge keys (<<) are not supported: kubectl would send them as they are'],
    ],
    ['__proto__: { a: 1 }', ['a.yaml:1:1: error: the key "__proto__" is not allowed']],
    [
      'a: no\nb: On',
      [
        'a.yaml:1:4: error: no without quotes is a boolean to kubectl; write "no" if text is meant',
        'a.yaml:2:4: error: On without quotes is a boolean to kubectl; write "On" if text is meant',
      ],
    ],
    [
      'a: 0777',
      [
        'a.yaml:1:4: error: the number 0777 starts with 0, which some readers take for octal; leave the 0 out',
      ],
    ],
    [
      'a: 0o17',
      [
        'a.yaml:1:4: error: the number 0o17 starts with 0, which some readers take for octal; leave the 0 out',
      ],
    ],
    ['a: *b', ['a.yaml:1:4: error: the alias *b has no anchor before it']],
    ['a: &x [*x]', ['a.yaml:1:8: error: an alias stands inside its own anchor']],
    ['%YAML 1.1\n---\na: 1', ['a.yaml:1:1: error: %YAML 1.1 is not supported; leave the directive out']],
    ['a: !!binary aGk=', ['a.yaml:1:4: error: unresolved tag: tag:yaml.org,2002:binary']],
  ])('%j', (text, expected) => {
    expect(mistakes(text)).toEqual(expected);
  });

  it('broken YAML, with the place', () => {
    expect(mistakes('a: [1, 2\nb: }')[0]).toMatch(/^a\.yaml:2:\d+: error: /);
    expect(mistakes('a:\n\tb: 1')[0]).toMatch(/^a\.yaml:2:\d+: error: tabs/);
  });

  it('a small file that would become a large one', () => {
    const layers = Array.from(
      { length: 9 },
      (_, index) => `l${index + 1}: &l${index + 1} [${`*l${index}, `.repeat(9)}]`,
    );
    expect(mistakes(['l0: &l0 [x, x, x, x, x, x, x, x, x]', ...layers].join('\n')).join('\n')).toMatch(
      /aliases in one document/,
    );
  });

  it('more values than any policy has', () => {
    expect(mistakes(`a: [${'1,'.repeat(LIMITS.nodesPerDocument)}]`)[0]).toMatch(/has more than 20000 values/);
  });

  it.each([LIMITS.depth + 1, 20_000])('%i brackets in each other', (depth) => {
    expect(mistakes(`a: ${'['.repeat(depth)}${']'.repeat(depth)}`).join('\n')).toMatch(/nested/);
  });

  it('more documents than fit', () => {
    expect(mistakes('---\na: 1\n'.repeat(LIMITS.documentsPerFile + 1))).toEqual([
      `a.yaml: error: has ${LIMITS.documentsPerFile + 1} documents; at most ${LIMITS.documentsPerFile} are read`,
    ]);
  });
});

describe('readYaml takes', () => {
  it.each([
    ['a: "no"', { a: 'no' }],
    ['a: 0', { a: 0 }],
    ['a: 0x1F', { a: 31 }],
    ['a: 0.5', { a: 0.5 }],
    ['a: "0777"', { a: '0777' }],
    ['﻿a: 1', { a: 1 }],
    ['a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
  ])('%j', (text, value) => {
    const { documents, problems } = readYaml('a.yaml', text);
    expect(problems).toEqual([]);
    expect(documents.map((located) => located.value)).toEqual([value]);
  });

  it('a mistake inside an alias is shown where the alias stands', () => {
    const { documents } = readYaml('a.yaml', 'a: &x\n  b: 1\nc: *x\n');
    expect(documents[0]?.fields.get('c')?.located.fields.get('b')?.position).toEqual({ line: 3, column: 4 });
  });
});
