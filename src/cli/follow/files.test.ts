import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { err, type Fields, type Log, ok, type Result, Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { FollowedFiles, type FollowedFilesConfig } from './files.ts';

let folder: string;
let clock: FakeClock;
let scope: Scope;
let errors: Fields[];
const failures: unknown[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-follow-'));
  clock = new FakeClock();
  scope = new Scope('test', (error) => failures.push(error));
  errors = [];
});
afterEach(async () => {
  await scope.close();
  rmSync(folder, { recursive: true, force: true });
  expect(failures.splice(0)).toEqual([]);
});

/** Texts with `bad` in them are refused. */
function config(...names: readonly string[]): FollowedFilesConfig<string> {
  const log: Log = { ...silentLog, error: (_message, fields = {}) => errors.push(fields) };
  return {
    what: 'letters',
    paths: names.map((name) => join(folder, name)),
    parse: (texts): Result<string, readonly string[]> =>
      texts.some((text) => text.includes('bad')) ? err(['bad']) : ok(texts.join('+')),
    clock,
    log,
  };
}

async function open(...names: readonly string[]): Promise<FollowedFiles<string>> {
  const opened = await FollowedFiles.open(config(...names));
  if (!opened.ok) throw new Error(opened.error.join());
  opened.value.run(scope);
  return opened.value;
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

/** A second and a half, in which the files are read. Reading here too, however slow it is, lets the follower read. */
async function awhile(): Promise<void> {
  for (let turn = 0; turn < 15; turn += 1) {
    await clock.advance(100);
    for (let read = 0; read < READS; read += 1) await readdir(folder);
  }
}

/** More than the follower does one after the other between two looks at the clock. */
const READS = 20;

test('takes what is written in place, renamed and swapped in by a link', async () => {
  mkdirSync(join(folder, 'v1'));
  writeFileSync(join(folder, 'v1/a'), 'one');
  symlinkSync('v1', join(folder, '..data'));
  symlinkSync('..data/a', join(folder, 'a'));
  write('b', 'B');
  const followed = await open('a', 'b');
  expect(followed.value.value).toBe('one+B');

  // As a kubelet updates a ConfigMap: a new folder, and the link to it renamed over the old one.
  mkdirSync(join(folder, 'v2'));
  writeFileSync(join(folder, 'v2/a'), 'two');
  symlinkSync('v2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await awhile();
  expect(followed.value.value).toBe('two+B');

  write('b', 'BB');
  await awhile();
  write('c', 'C');
  renameSync(join(folder, 'c'), join(folder, 'b'));
  await awhile();
  expect(followed.value.value).toBe('two+C');
  expect(followed.value.version).toBe(3);
  expect(errors).toEqual([]);
});

test('keeps the last good value, says a mistake once, and recovers', async () => {
  write('a', 'good');
  const followed = await open('a');
  write('a', 'bad');
  await awhile();
  await awhile();
  expect(followed.value.value).toBe('good');
  expect(errors).toHaveLength(1);
  rmSync(join(folder, 'a'));
  await awhile();
  expect(errors).toHaveLength(2);
  expect(JSON.stringify(errors[1])).toContain('it does not exist');
  write('a', 'better');
  await awhile();
  expect(followed.value.value).toBe('better');
  // The same as is in force is nothing new.
  write('a', 'better');
  await awhile();
  expect(followed.value.version).toBe(1);
});

test('a file that is still being written is not taken', async () => {
  write('a', 'good');
  const followed = await open('a');
  const seen: string[] = [];
  followed.value.subscribe((value) => seen.push(value));
  for (let length = 1; length <= 40; length += 1) {
    write('a', 'x'.repeat(length));
    await clock.advance(90);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await awhile();
  expect(seen).toEqual(['x'.repeat(40)]);
});

test('the first reading must be good, unless something else can stand in', async () => {
  write('a', 'bad');
  expect(await FollowedFiles.open(config('a'))).toEqual({ ok: false, error: ['bad'] });
  const missing = await FollowedFiles.open(config('a', 'none'));
  expect(missing.ok ? '' : missing.error[0]).toContain('none cannot be read');
  const followed = await FollowedFiles.openOr<string | undefined>(config('a'), undefined);
  followed.run(scope);
  expect(followed.value.value).toBeUndefined();
  expect(errors).toHaveLength(1);
  write('a', 'good');
  await awhile();
  expect(followed.value.value).toBe('good');
});

test('judges the same files again when asked to, and while they have mistakes', async () => {
  write('a', 'good');
  let accepts = true;
  const base = config('a');
  const parse: typeof base.parse = (texts) => (accepts ? base.parse(texts) : err(['not now']));
  const opened = await FollowedFiles.open({ ...base, parse });
  if (!opened.ok) throw new Error('it is refused');
  opened.value.run(scope);
  accepts = false;
  opened.value.again();
  await awhile();
  expect(errors).toMatchObject([{ mistakes: ['not now'] }]);
  accepts = true;
  await awhile();
  expect(opened.value.value.version).toBe(1);
});

test('what is no file, or too large, is not read', async () => {
  mkdirSync(join(folder, 'folder'));
  write('large', 'x'.repeat(1024 * 1024 + 1));
  const refused = await FollowedFiles.open(config('folder', 'large'));
  expect(refused.ok ? [] : refused.error).toHaveLength(2);
});
