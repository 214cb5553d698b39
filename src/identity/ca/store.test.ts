import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { makeKeys } from '../testing/index.ts';
import { CertificateAuthority } from './authority.ts';
import { type AuthorityState, decodeState, encodeState, sha256 } from './state.ts';

const clock = new FakeClock(Date.UTC(2026, 5, 1));
let parent: string;
let directory: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sallyport-state-'));
  directory = join(parent, 'state');
});
afterEach(async () => rm(parent, { recursive: true }));

/** Opens and closes the authority; its root and intermediate. */
async function visit(trustDomain = 'mesh.test'): Promise<{ root: string; intermediate: string }> {
  const authority = await CertificateAuthority.open({ directory, trustDomain, clock, log: silentLog });
  const seen = { root: authority.root.value.serial, intermediate: authority.intermediate.value.serial };
  await authority.close();
  return seen;
}

const stateFile = (): string => join(directory, 'state.json');

async function readState(): Promise<AuthorityState> {
  const state = decodeState(await readFile(stateFile(), 'utf8'));
  if (!state.ok) throw new Error(state.error);
  return state.value;
}

async function fileLike(pattern: RegExp): Promise<string> {
  const name = (await readdir(directory)).find((one) => pattern.test(one));
  if (name === undefined) throw new Error(`no file like ${pattern}`);
  return join(directory, name);
}

/** Refused now, and again: a refusal changes nothing in the folder. */
async function refusedWith(message: string | RegExp): Promise<void> {
  const before = (await readdir(directory)).sort();
  await expect(visit()).rejects.toThrow(message);
  await expect(visit()).rejects.toThrow(message);
  const after = (await readdir(directory)).sort();
  expect(after.filter((name) => !name.startsWith('lock'))).toEqual(
    before.filter((name) => !name.startsWith('lock')),
  );
}

describe('the folder', () => {
  it('is refused when others can look into it', async () => {
    await visit();
    await chmod(directory, 0o750);
    await refusedWith(`chmod 700 ${directory}`);
    await chmod(directory, 0o700);
    await visit();
  });

  it.each([0o640, 0o604, 0o660])('is refused when a key has mode %o', async (mode) => {
    await visit();
    const key = await fileLike(/^root-.*key/);
    await chmod(key, mode);
    await refusedWith(`chmod 600 ${key}`);
  });

  it('is refused when the state has a loose mode', async () => {
    await visit();
    await chmod(stateFile(), 0o644);
    await refusedWith(`chmod 600 ${stateFile()}`);
  });

  it('is refused when a key is a symbolic link', async () => {
    await visit();
    const key = await fileLike(/^root-.*key/);
    await rename(key, join(parent, 'key'));
    await symlink(join(parent, 'key'), key);
    await refusedWith('must be a plain file');
  });

  it('is refused when it is a file', async () => {
    await writeFile(directory, '');
    await expect(visit()).rejects.toThrow(/EEXIST|not a folder/);
  });

  it('may be there already, with files of others in it', async () => {
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, 'notes.txt'), 'kept', { mode: 0o600 });
    await visit();
    expect(await readFile(join(directory, 'notes.txt'), 'utf8')).toBe('kept');
  });
});

describe('damaged state is refused, never made anew:', () => {
  it('state.json cut off anywhere', async () => {
    await visit();
    const text = await readFile(stateFile(), 'utf8');
    for (let length = 0; length < text.trimEnd().length; length += 1) {
      expect(decodeState(text.slice(0, length)).ok).toBe(false);
    }
    await writeFile(stateFile(), text.slice(0, 200));
    await refusedWith(/state\.json: it is not JSON.*Restore the folder from a backup/);
    await writeFile(stateFile(), '');
    await refusedWith('it is not JSON');
  });

  it('any change of a character in state.json that changes what it says', async () => {
    await visit();
    const text = await readFile(stateFile(), 'utf8');
    const meaning = (source: string): unknown => {
      const state = decodeState(source);
      return state.ok ? state.value : 'refused';
    };
    const original = meaning(text);
    for (let at = 0; at < text.length; at += 1) {
      const changed = `${text.slice(0, at)}${text[at] === '7' ? '8' : '7'}${text.slice(at + 1)}`;
      expect([original, 'refused']).toContainEqual(meaning(changed));
    }
  });

  it('state.json without its checksum fitting', async () => {
    await visit();
    const text = await readFile(stateFile(), 'utf8');
    await writeFile(stateFile(), text.replace('"generation": 1', '"generation": 2'));
    await refusedWith('its checksum does not fit');
  });

  it('state.json of another format', async () => {
    await visit();
    const text = await readFile(stateFile(), 'utf8');
    await writeFile(stateFile(), text.replace('"format": 1', '"format": 2'));
    await refusedWith('this version reads format 1');
  });

  it('state.json gone while keys are there', async () => {
    await visit();
    await rm(stateFile());
    await refusedWith(/state\.json is missing, but .*\.pem is there/);
  });

  it.each([/^root-.*key/, /^root-.*certificate/, /^intermediate-.*key/, /^intermediate-.*certificate/])(
    'a file like %s that is gone, torn, or another one',
    async (pattern) => {
      await visit();
      const path = await fileLike(pattern);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.slice(0, -30));
      await refusedWith(`${path}: its checksum is not the one in state.json`);
      await rm(path);
      await refusedWith(`${path}: it is missing`);
      await writeFile(path, text, { mode: 0o600 });
      await visit();
    },
  );

  it('a key of another certificate, even with a checksum that fits', async () => {
    await visit();
    const path = await fileLike(/^intermediate-.*key/);
    const other = makeKeys('ec-p256').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(path, other);
    const state = await readState();
    const name = path.slice(directory.length + 1);
    await writeFile(stateFile(), encodeState({ ...state, files: { ...state.files, [name]: sha256(other) } }));
    await refusedWith('it is not the key of intermediate-');
  });

  it('another trust domain than the configured one', async () => {
    await visit();
    await expect(visit('other.test')).rejects.toThrow('belongs to trust domain "mesh.test"');
  });

  it('an intermediate of another root', async () => {
    await visit();
    const mine = directory;
    directory = join(parent, 'other');
    await visit();
    const theirs = await readState();
    for (const name of Object.keys(theirs.files)) await copyFile(join(directory, name), join(mine, name));
    directory = mine;
    const state = await readState();
    const mixed = { ...state, current: theirs.current, files: { ...state.files, ...theirs.files } };
    await writeFile(stateFile(), encodeState(mixed));
    await expect(visit()).rejects.toThrow('is not one of this authority');
  });
});

describe('an interrupted transition', () => {
  it('in the first creation is begun again, as nothing was issued', async () => {
    const first = await visit();
    const none = { root: null, current: null, next: null, files: {} };
    await writeFile(
      stateFile(),
      encodeState({ trustDomain: 'mesh.test', generation: 0, phase: 'creating', ...none }),
    );
    const second = await visit();
    expect(second.root).not.toBe(first.root);
    expect((await readdir(directory)).filter((name) => name.includes(first.root))).toEqual([]);
  });

  it('before the state names the next intermediate leaves the current one, and no stray key', async () => {
    const first = await visit();
    const stray = join(directory, 'intermediate-0123456789abcdef.key.pem');
    await writeFile(stray, 'cut o', { mode: 0o600 });
    await writeFile(join(directory, 'state.json.tmp'), '{"format"', { mode: 0o600 });
    expect(await visit()).toEqual(first);
    expect((await readdir(directory)).filter((name) => /0123456789abcdef|tmp/.test(name))).toEqual([]);
  });

  it('after the state names the new intermediate has happened, and the old key is destroyed', async () => {
    const first = await visit();
    const old = await Promise.all(
      Object.keys((await readState()).files).map(
        async (name) => [name, await readFile(join(directory, name), 'utf8')] as const,
      ),
    );
    const authority = await CertificateAuthority.open({
      directory,
      trustDomain: 'mesh.test',
      clock,
      log: silentLog,
    });
    await authority.rotateIntermediate();
    const current = authority.intermediate.value.serial;
    await authority.close();
    for (const [name, text] of old) await writeFile(join(directory, name), text, { mode: 0o600 });
    expect((await visit()).intermediate).toBe(current);
    expect((await readdir(directory)).filter((name) => name.includes(first.intermediate))).toEqual([]);
  });

  it('is not made over a state that somebody else changed', async () => {
    await visit();
    const authority = await CertificateAuthority.open({
      directory,
      trustDomain: 'mesh.test',
      clock,
      log: silentLog,
    });
    const before = authority.intermediate.value;
    await writeFile(stateFile(), encodeState({ ...(await readState()), generation: 7 }));
    await expect(authority.rotateIntermediate()).rejects.toThrow('was changed while the authority ran');
    expect(authority.intermediate.value).toBe(before);
    await authority.close();
  });
});
