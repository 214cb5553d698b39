import { appendFile, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Scope, silentLog, systemClock } from '#runtime';
import { contextWith } from '../testing/sets.ts';
import { PolicyLoadError } from './policy-watcher.ts';
import { type WatchedPolicies, watchPolicies } from './watch-policies.ts';

/** Generous: the machine may be busy. That a reload takes less than a second is shown on a fake clock. */
const PATIENCE = { timeout: 30_000, interval: 10 };

let home: string;
let scope: Scope;
let failures: unknown[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sallyport-policy-'));
  failures = [];
  scope = new Scope('test', (error) => failures.push(error));
});

afterEach(async () => {
  await scope.close();
  expect(failures).toEqual([]);
  await rm(home, { recursive: true });
});

function policy(name: string): string {
  return `---\napiVersion: mesh.sallyport.dev/v1alpha1\nkind: MeshPolicy\nmetadata: { name: ${name}, namespace: shop }\nspec: { action: Allow, rules: [] }\n`;
}

async function start(...paths: readonly string[]): Promise<WatchedPolicies> {
  const watched = await watchPolicies({ ...contextWith(), paths, clock: systemClock, log: silentLog });
  watched.run(scope);
  return watched;
}

function namesOf({ policies }: WatchedPolicies): string[] {
  return policies.value.documents.map(({ metadata }) => metadata.name);
}

async function expectNames(watched: WatchedPolicies, ...names: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(namesOf(watched)).toEqual(names), PATIENCE);
}

async function expectProblem(watched: WatchedPolicies, pattern: RegExp): Promise<void> {
  await vi.waitFor(
    () => expect(watched.problems.value.map(({ message }) => message).join()).toMatch(pattern),
    PATIENCE,
  );
}

describe('a directory', () => {
  it('is followed through every way of saving', async () => {
    const file = join(home, 'a.yaml');
    await writeFile(file, policy('one'));
    const watched = await start(home);
    expect(namesOf(watched)).toEqual(['one']);

    await writeFile(file, policy('in-place'));
    await expectNames(watched, 'in-place');

    await appendFile(file, policy('later'));
    await expectNames(watched, 'in-place', 'later');

    await writeFile(join(home, '.a.yaml.tmp'), policy('renamed-over'));
    await rename(join(home, '.a.yaml.tmp'), file);
    await expectNames(watched, 'renamed-over');

    await rename(file, join(home, 'a.yaml~'));
    await writeFile(file, policy('vim'));
    await expectNames(watched, 'vim');

    await writeFile(join(home, 'b.yaml'), policy('second'));
    await expectNames(watched, 'second', 'vim');

    await unlink(file);
    await expectNames(watched, 'second');
    expect(watched.policies.value.epoch).toBe(7);
  });

  it('is followed when a ConfigMap is swapped in', async () => {
    for (const [version, name] of [
      ['..v1', 'one'],
      ['..v2', 'two'],
    ] as const) {
      await mkdir(join(home, version));
      await writeFile(join(home, version, 'a.yaml'), policy(name));
    }
    await symlink('..v1', join(home, '..data'));
    await symlink('..data/a.yaml', join(home, 'a.yaml'));
    const watched = await start(home);
    expect(namesOf(watched)).toEqual(['one']);
    await symlink('..v2', join(home, '..data_tmp'));
    await rename(join(home, '..data_tmp'), join(home, '..data'));
    await expectNames(watched, 'two');
  });

  it('keeps its last good set when it vanishes, and is followed again when it is back', async () => {
    const directory = join(home, 'policies');
    await mkdir(directory);
    await writeFile(join(directory, 'a.yaml'), policy('one'));
    const watched = await start(directory);
    await rename(directory, join(home, 'away'));
    await expectProblem(watched, /cannot be read: it does not exist/);
    expect(namesOf(watched)).toEqual(['one']);
    await mkdir(directory);
    await writeFile(join(directory, 'a.yaml'), policy('two'));
    await expectNames(watched, 'two');
    await writeFile(join(directory, 'a.yaml'), policy('three'));
    await expectNames(watched, 'three');
    expect(watched.problems.value).toEqual([]);
  });
});

describe('a named file', () => {
  it('keeps its last good set when it is deleted or emptied', async () => {
    const file = join(home, 'a.yaml');
    await writeFile(file, policy('one'));
    const watched = await start(file);
    await unlink(file);
    await expectProblem(watched, /cannot be read: it does not exist/);
    await writeFile(file, '');
    await expectProblem(watched, /holds no document/);
    expect(namesOf(watched)).toEqual(['one']);
    await writeFile(file, policy('two'));
    await expectNames(watched, 'two');
  });

  it('may be a link to elsewhere, where no event is seen', async () => {
    const elsewhere = join(home, 'elsewhere');
    await mkdir(elsewhere);
    await mkdir(join(home, 'here'));
    await writeFile(join(elsewhere, 'a.yaml'), policy('one'));
    await symlink('../elsewhere/a.yaml', join(home, 'here', 'a.yaml'));
    const watched = await start(join(home, 'here', 'a.yaml'));
    await writeFile(join(elsewhere, 'a.yaml'), policy('two'));
    await expectNames(watched, 'two');
  });
});

it('a bad file holds back the good ones beside it, and opens nothing', async () => {
  await writeFile(join(home, 'a.yaml'), policy('one'));
  const watched = await start(home);
  await writeFile(join(home, 'b.yaml'), policy('two').replace('Allow', 'Alow'));
  await writeFile(join(home, 'c.yaml'), policy('three'));
  await expectProblem(watched, /is "Alow", which is not known; did you mean "Allow"/);
  expect(watched.problems.value).toMatchObject([{ file: join(home, 'b.yaml'), line: 5, column: 9 }]);
  expect(namesOf(watched)).toEqual(['one']);
  await unlink(join(home, 'b.yaml'));
  await expectNames(watched, 'one', 'three');
});

it('a path that is missing at the start is an error', async () => {
  const failed = start(join(home, 'missing'), join(home, 'too'));
  await expect(failed).rejects.toThrow(PolicyLoadError);
  await expect(failed).rejects.toThrow(/missing: error: cannot be read: it does not exist.*too: error/s);
});
