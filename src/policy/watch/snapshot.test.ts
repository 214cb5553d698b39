import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatProblem } from '../crd/problem.ts';
import { LIMITS } from '../limits.ts';
import { differingFiles, readSnapshot } from './snapshot.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sallyport-policy-'));
});
afterEach(() => rm(home, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(home, name), content);
  return join(home, name);
}

async function mistakes(...paths: readonly string[]): Promise<readonly string[]> {
  const { problems } = await readSnapshot(paths);
  return problems.map((problem) => formatProblem(problem).replaceAll(home, 'HOME'));
}

it('reads a directory by name order, without hidden files, backups and other formats', async () => {
  for (const name of ['b.yaml', 'a.yml', 'c.json', '.d.yaml.swp', '.e.yaml', 'f.yaml~', 'README.md'])
    await write(name, name);
  const { files, paths, problems } = await readSnapshot([home]);
  expect(files.map(({ file, text }) => [file, text])).toEqual(
    ['a.yml', 'b.yaml', 'c.json'].map((name) => [join(home, name), name]),
  );
  expect(paths).toEqual([{ path: home, directory: true }]);
  expect(problems).toEqual([]);
});

it('reads a named file whatever its name, and once though it also lies in a named directory', async () => {
  const named = await write('policies.txt', 'x');
  const inside = await write('a.yaml', 'y');
  const { files } = await readSnapshot([named, inside, home]);
  expect(files.map(({ file }) => file)).toEqual([named, inside]);
});

it('says that a directory in a directory is not read', async () => {
  await mkdir(join(home, 'team'));
  expect(await mistakes(home)).toEqual([
    'HOME/team: warning: is a directory in a directory and is not read; name it beside the other paths',
  ]);
});

it('says what cannot be read, and why', async () => {
  await symlink('nowhere', join(home, 'dangling.yaml'));
  await symlink('/dev/null', join(home, 'device.yaml'));
  await write('latin1.yaml', Uint8Array.of(0x6e, 0xe9));
  await write('large.yaml', Buffer.alloc(LIMITS.fileBytes + 1, '#'));
  expect(await mistakes(home, join(home, 'missing'))).toEqual([
    'HOME/dangling.yaml: error: cannot be read: it does not exist',
    'HOME/device.yaml: error: is not a regular file',
    `HOME/large.yaml: error: is larger than ${LIMITS.fileBytes} bytes`,
    'HOME/latin1.yaml: error: is not UTF-8 text',
    'HOME/missing: error: cannot be read: it does not exist',
  ]);
});

it('bounds all files together', async () => {
  const largest = Buffer.alloc(LIMITS.fileBytes, '#');
  const count = LIMITS.totalBytes / LIMITS.fileBytes + 1;
  for (let index = 0; index < count; index += 1)
    await write(`${String.fromCharCode(97 + index)}.yaml`, largest);
  expect(await mistakes(home)).toEqual([
    `HOME/q.yaml: error: brings all files together over ${LIMITS.totalBytes} bytes, which is as much as is read`,
  ]);
});

it('has another digest exactly when something that was read differs', async () => {
  const path = await write('a.yaml', 'one');
  const digest = async (): Promise<string> => (await readSnapshot([home])).digest;
  const before = await digest();
  await write('README.md', 'not read');
  await rm(path);
  await write('a.yaml', 'one');
  expect(await digest()).toBe(before);
  await write('a.yaml', 'two');
  expect(await digest()).not.toBe(before);
});

it('tells which files are not what they were', async () => {
  for (const name of ['same.yaml', 'other.yaml', 'gone.yaml', 'broken.yaml']) await write(name, name);
  const before = await readSnapshot([home]);
  await write('other.yaml', 'changed');
  await rm(join(home, 'gone.yaml'));
  await write('new.yaml', '');
  await write('broken.yaml', Uint8Array.of(0x6e, 0xe9));
  const after = await readSnapshot([home]);
  const names = ['broken.yaml', 'gone.yaml', 'new.yaml', 'other.yaml'].map((name) => join(home, name));
  expect([...differingFiles(before, after)].sort()).toEqual(names);
  expect([...differingFiles(after, before)].sort()).toEqual(names);
  expect([...differingFiles(after, after)]).toEqual([]);
});
