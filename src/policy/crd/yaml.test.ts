import { describe, expect, it } from 'vitest';
import { LIMITS } from '../limits.ts';
import { readPolicies } from '../read-policies.ts';
import { contextWith } from '../testing/sets.ts';
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

  it('more values than any policies have, and says nothing of what it left out', () => {
    const document = `---\na: &a [${'x,'.repeat(150)}]\nb: [${'*a,'.repeat(LIMITS.aliasesPerDocument)}]\n`;
    expect(readYaml('a.yaml', document).problems).toEqual([]);
    const { documents, problems } = readYaml('a.yaml', document.repeat(2));
    expect(documents).toEqual([]);
    expect(problems.map(({ line, message }) => [line, message])).toEqual([
      [6, `brings the file over ${LIMITS.valuesPerFile} values, each alias counted as what it stands for`],
    ]);
  });

  it.each([LIMITS.depth + 1, 20_000])('%i brackets in each other, at the first that is too deep', (depth) => {
    const said = mistakes(`a: ${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(said).toEqual([expect.stringMatching(/^a\.yaml:1:\d+: error: is nested more than 32 deep$/)]);
  });

  it('more documents than fit', () => {
    expect(mistakes('---\na: 1\n'.repeat(LIMITS.documentsPerFile))).toEqual([]);
    expect(mistakes('---\na: 1\n'.repeat(LIMITS.documentsPerFile + 1))).toEqual([
      `a.yaml: error: has more than ${LIMITS.documentsPerFile} documents; write several files`,
    ]);
  });

  it('more tokens than fit', () => {
    // Opening bracket, 1 and comma each, closing bracket; the lexer also marks the document and each scalar.
    const most = Math.floor((LIMITS.tokensPerFile - 10) / 3);
    expect(mistakes(`[${'1,'.repeat(most)}]`)).toEqual([]);
    expect(mistakes(`[${'1,'.repeat(most + 10)}]`)).toEqual([
      `a.yaml: error: has more than ${LIMITS.tokensPerFile} YAML tokens (words, signs, line ends); write several files`,
    ]);
  });

  it('and shows no more mistakes than anybody reads', () => {
    expect(mistakes('""'.repeat(1000)).length).toBe(LIMITS.problemsPerFile + 1);
    expect(mistakes(`[${'no,'.repeat(1000)}]`).length).toBe(LIMITS.problemsPerFile + 1);
  });
});

describe('the largest file that is read, of whatever shape, is done with before anybody waits for it', () => {
  const HEAD =
    'apiVersion: mesh.sallyport.dev/v1alpha1\nkind: MeshPolicy\nmetadata: { name: p, namespace: s }\n';
  const aliased = `${HEAD}spec: { action: Allow, rules: [{ from: &f [{ namespaces: [${Array.from({ length: 100 }, (_, index) => `n${index}`).join()}] }] }${', { from: *f }'.repeat(60)}] }\n---\n`;

  it.each([
    ['quotation marks', '"'],
    ['apostrophes on lines', "'\n"],
    ['opening brackets', '['],
    ['closing brackets', ']'],
    ['pairs of brackets', '[]'],
    ['pairs of braces', '{}'],
    ['nested mappings', '{a: '],
    ['nested lists', '- '],
    ['questions', '? '],
    ['questions on lines', '?\n'],
    ['colons on lines', ':\n'],
    ['commas', ','],
    ['aliases without an anchor', '- *a\n'],
    ['stars', '* '],
    ['tags', '! '],
    ['anchors', '&a '],
    ['one key again and again', 'a: 1\n'],
    ['documents', '---\na: 1\n'],
    ['ends of documents', '...\n'],
    ['directives', '%a\n'],
    ['comments', '#\n'],
    ['line ends', '\n'],
    ['a text of bad escapes', '\\q', '"'],
    ['a list of nothing', ',', '['],
    ['a key in another', 'a: '],
    ['policies', `${HEAD}spec:\n  action: Allow\n  rules:\n    - from:\n        - namespaces: [shop]\n---\n`],
    ['policies made of aliases', aliased],
  ])('%s', (_, part, before = '') => {
    const whole = before + part.repeat(LIMITS.fileBytes / part.length);
    // The whole file, and as much of it as is not given up for its tokens.
    for (const text of [whole, whole.slice(0, LIMITS.fileBytes / 4)]) {
      const start = process.threadCpuUsage();
      readPolicies([{ file: 'a.yaml', text }], contextWith(), 1, []);
      const { user, system } = process.threadCpuUsage(start);
      // 100 ms are meant; the rest is for a machine that is busy, and for code that runs for the first time.
      expect((user + system) / 1000).toBeLessThan(600);
    }
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

  it('the newest anchor before an alias, also of a key, and not one that an alias brought in again', () => {
    const { documents, problems } = readYaml('a.yaml', 'a: &x [&y 1]\nb: &y 2\nc: *x\nd: *y\n&k e: *k\n');
    expect(problems).toEqual([]);
    expect(documents[0]?.value).toEqual({ a: [1], b: 2, c: [1], d: 2, e: 'e' });
  });

  it('a mistake inside an alias is shown where the alias stands', () => {
    const { documents } = readYaml('a.yaml', 'a: &x\n  b: 1\nc: *x\n');
    expect(documents[0]?.fields.get('c')?.located.fields.get('b')?.position).toEqual({ line: 3, column: 4 });
  });
});
