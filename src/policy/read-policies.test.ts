import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { type PolicyFile, PolicyReader, readPolicies } from './read-policies.ts';
import { contextWith } from './testing/sets.ts';

function policy(name: string, action = 'Allow'): string {
  return `---\napiVersion: mesh.sallyport.dev/v1alpha1\nkind: MeshPolicy\nmetadata: { name: ${name}, namespace: shop }\nspec: { action: ${action}, rules: [] }\n`;
}

function file(name: string, text = policy(name)): PolicyFile {
  return { file: `${name}.yaml`, text };
}

describe('all files together', () => {
  it('are bounded in documents', () => {
    const documents = Array.from({ length: LIMITS.documentsPerFile / 2 }, (_, index) => `n${index}`);
    const count = LIMITS.documents / documents.length;
    const files = Array.from({ length: count }, (_, index) =>
      file(`f${index}`, documents.map((name) => policy(`${name}-${index}`)).join('')),
    );
    expect(readPolicies(files, contextWith(), 1, []).set?.documents.length).toBe(LIMITS.documents);
    const { set, problems } = readPolicies([...files, file('more')], contextWith(), 1, []);
    expect(set).toBeUndefined();
    expect(problems.map(({ file: name, message }) => [name, message])).toEqual([
      [
        'f0.yaml',
        `and the other files have ${LIMITS.documents + 1} documents; at most ${LIMITS.documents} are taken together`,
      ],
    ]);
  });
});

describe('PolicyReader', () => {
  const read = (reader: PolicyReader, ...files: readonly PolicyFile[]) =>
    reader.read(files, contextWith(), 1, []);

  it('says what readPolicies says', async () => {
    const files = [file('a'), file('b'), file('c', policy('c', 'Alow')), file('d', policy('a'))];
    const { set, problems } = await read(new PolicyReader(), ...files);
    expect(set).toBeUndefined();
    expect(problems).toEqual(readPolicies(files, contextWith(), 1, []).problems);
    expect(problems.length).toBe(2);
  });

  it('parses again only what changed', async () => {
    const reader = new PolicyReader();
    const before = (await read(reader, file('a'), file('b'))).set?.documents;
    const after = (await read(reader, file('a'), file('b', policy('c')))).set?.documents;
    expect(before?.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(after?.map(({ metadata }) => metadata.name)).toEqual(['a', 'c']);
    expect(after?.[0]).toBe(before?.[0]);
  });

  it('forgets a file that was away, and takes no file for another of its name', async () => {
    const reader = new PolicyReader();
    const before = (await read(reader, file('a'), file('b'))).set?.documents;
    await read(reader, file('a'));
    const after = (await read(reader, file('a'), file('b'))).set?.documents;
    expect(after).toEqual(before);
    expect(after?.[1]).not.toBe(before?.[1]);
    const twice = await read(reader, { file: 'x', text: policy('one') }, { file: 'x', text: policy('two') });
    expect(twice.set?.documents.map(({ metadata }) => metadata.name)).toEqual(['one', 'two']);
  });

  it('lets the event loop have its turn after each file', async () => {
    let turns = 0;
    let over = false;
    const count = (): void => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    setImmediate(count);
    await read(new PolicyReader(), ...['a', 'b', 'c', 'd', 'e'].map((name) => file(name)));
    over = true;
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});
