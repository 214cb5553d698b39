import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Scope } from '#runtime';
import type { HandshakeRecord } from '#telemetry';
import { handshake, SHOP } from '../testing/sample.ts';
import { askControl, followControl, isAlive } from './control-client.ts';
import { AlreadyRunning, type ControlSource, serveControl } from './control-server.ts';
import { findMesh } from './find-mesh.ts';
import { openStateFolder } from './state-folder.ts';
import { noteRunning, notesOfRunning, readUpRecord, type UpRecord, writeUpRecord } from './up-record.ts';

let folder: string;
let scope: Scope;
const listeners = new Set<(record: HandshakeRecord) => void>();
const source: ControlSource = {
  snapshot: () => SHOP,
  handshakes: () => [handshake()],
  subscribe: (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  scope = new Scope('test', (error) => {
    throw error;
  });
});
afterEach(async () => {
  await scope.close();
  rmSync(folder, { recursive: true, force: true });
});

const record = (change: Partial<UpRecord> = {}): UpRecord => ({
  version: 1,
  pid: process.pid,
  startedAt: 1,
  trustDomain: 'shop.example',
  meshFile: join(folder, 'mesh.yaml'),
  state: folder,
  socket: join(folder, 'control.sock'),
  services: [{ name: 'web', identity: 'spiffe://shop.example/x', port: 1, inbound: 2, admin: 3, calls: [] }],
  ...change,
});

test('answers on a socket that only its owner can use, and takes it away at the end', async () => {
  const path = join(folder, 'control.sock');
  await serveControl(scope, path, () => source);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await askControl(path, '/certs')).toEqual(JSON.parse(JSON.stringify(SHOP.services)));
  expect(await askControl(path, '/handshakes')).toHaveLength(1);
  await expect(askControl(path, '/secrets')).rejects.toThrow('404');
  await scope.close();
  expect(await isAlive(path)).toBe(false);
});

test('says that it is starting until the mesh stands', async () => {
  const path = join(folder, 'control.sock');
  await serveControl(scope, path, () => undefined);
  await expect(askControl(path, '/certs')).rejects.toThrow('the mesh is starting');
});

test('a second mesh on the same folder is refused; a socket that nobody answers on is replaced', async () => {
  const path = join(folder, 'control.sock');
  const other = createServer().listen(path);
  await new Promise((resolve) => other.once('listening', resolve));
  await expect(serveControl(scope, path, () => source)).rejects.toThrow(AlreadyRunning);
  await new Promise((resolve) => other.close(resolve));
  writeFileSync(path, '');
  await serveControl(scope, path, () => source);
  expect(await isAlive(path)).toBe(true);
});

test('live handshakes come as they happen, until the reader has enough', async () => {
  const path = join(folder, 'control.sock');
  await serveControl(scope, path, () => source);
  const enough = new AbortController();
  const got: HandshakeRecord[] = [];
  const following = followControl<HandshakeRecord>(
    path,
    '/handshakes/live',
    (one) => {
      got.push(one);
      if (got.length === 2) enough.abort();
    },
    enough.signal,
  );
  while (listeners.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const sequence of [7, 8]) for (const listener of listeners) listener(handshake({ sequence }));
  await following;
  expect(got.map(({ sequence }) => sequence)).toEqual([7, 8]);
  while (listeners.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('the record is private and read back; what is none is not believed', () => {
  const path = join(folder, 'up.json');
  writeUpRecord(path, record());
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readUpRecord(path)).toEqual(record());
  for (const text of ['', '{}', '{"version":1,"pid":-4}']) {
    writeFileSync(path, text);
    expect(readUpRecord(path)).toBeUndefined();
  }
});

test('the newest mesh that still answers is found, and notes of dead ones are taken away', async () => {
  const env = { XDG_RUNTIME_DIR: folder };
  const notes = join(folder, 'sallyport', 'running');
  await expect(findMesh({ file: undefined, state: undefined }, env)).rejects.toThrow('No mesh is running');
  noteRunning(notes, record({ pid: 999_999, startedAt: 9, socket: join(folder, 'gone.sock') }));
  const forget = noteRunning(notes, record());
  await serveControl(scope, record().socket, () => source);
  expect((await findMesh({ file: undefined, state: undefined }, env)).pid).toBe(process.pid);
  expect(notesOfRunning(notes)).toHaveLength(1);
  forget();
  expect(notesOfRunning(notes)).toHaveLength(0);
});

test('of several meshes that run, it is said which one was taken', async () => {
  const env = { XDG_RUNTIME_DIR: folder };
  const notes = join(folder, 'sallyport', 'running');
  const said: string[] = [];
  const find = (): Promise<UpRecord> =>
    findMesh({ file: undefined, state: undefined }, env, (line) => said.push(line));
  await serveControl(scope, record().socket, () => source);
  noteRunning(notes, record({ pid: 11, startedAt: 5 }));
  expect((await find()).pid).toBe(11);
  expect(said).toEqual([]);
  noteRunning(notes, record({ pid: 22, startedAt: 7, meshFile: '/srv/shop/mesh.yaml' }));
  expect((await find()).pid).toBe(22);
  expect(said).toEqual([
    'Of 2 running meshes the newest is shown: /srv/shop/mesh.yaml (process 22). Name another with -f.',
  ]);
});

test('a mesh that ends while it is asked is said to end', async () => {
  await expect(askControl(join(folder, 'gone.sock'), '/certs')).rejects.toThrow('That mesh is just ending');
  const path = join(folder, 'reset.sock');
  const resetting = createServer((connection) => connection.destroy()).listen(path);
  await new Promise((resolve) => resetting.once('listening', resolve));
  await expect(askControl(path, '/certs')).rejects.toThrow('That mesh is just ending');
  await new Promise((resolve) => resetting.close(resolve));
});

test('a mesh is found by its state folder or its file', async () => {
  writeFileSync(
    join(folder, 'mesh.yaml'),
    'trustDomain: a.example\npolicies: [p]\nstate: .\nservices: { web: { port: 8480 } }\n',
  );
  const choice = { file: join(folder, 'mesh.yaml'), state: undefined };
  await expect(findMesh(choice, {})).rejects.toThrow(`No mesh is running with its state in ${folder}`);
  writeUpRecord(join(folder, 'up.json'), record());
  await serveControl(scope, record().socket, () => source);
  expect((await findMesh(choice, {})).pid).toBe(process.pid);
  expect((await findMesh({ file: undefined, state: folder }, {})).pid).toBe(process.pid);
  await expect(findMesh({ file: join(folder, 'none.yaml'), state: undefined }, {})).rejects.toThrow(
    'it does not exist',
  );
});

test('a state folder that others can read is refused, and a long path gets a short socket', () => {
  const open = join(folder, 'open');
  mkdirSync(open, { mode: 0o755 });
  expect(() => openStateFolder(open)).toThrow(/open to other users \(mode 755\).*chmod 700/s);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'below')])
    expect(() => openStateFolder(path)).toThrow('a file stands there or on the way');
  const made = openStateFolder(join(folder, 'made'));
  expect(statSync(made.path).mode & 0o777).toBe(0o700);
  const long = openStateFolder(join(folder, 'x'.repeat(120)));
  expect(Buffer.byteLength(long.socket)).toBeLessThan(104);
  rmSync(join(long.socket, '..'), { recursive: true });
});

describe('what somebody else may have put there is not believed', () => {
  const asRoot = process.getuid?.() === 0;
  const here = (): Parameters<typeof findMesh> => [{ file: undefined, state: folder }, {}];

  test('a record that others can write', async () => {
    writeUpRecord(join(folder, 'up.json'), record());
    chmodSync(join(folder, 'up.json'), 0o666);
    await expect(findMesh(...here())).rejects.toThrow(/up\.json is open to other users \(mode 666\)/);
  });

  // Only root can give a file away. Anybody else finds files of another user ready made.
  test('a record of another user', async () => {
    const path = asRoot ? join(folder, 'up.json') : '/etc/hostname';
    if (asRoot) {
      writeUpRecord(path, record());
      chownSync(path, 65_534, 65_534);
    }
    expect(() => readUpRecord(path)).toThrow(/belongs to user \d+, and you are user \d+/);
  });

  test('a record that is a link or no file', async () => {
    writeUpRecord(join(folder, 'real.json'), record());
    symlinkSync(join(folder, 'real.json'), join(folder, 'up.json'));
    await expect(findMesh(...here())).rejects.toThrow('up.json is a link');
    expect(() => readUpRecord(folder)).toThrow('is no plain file');
  });

  test('a socket that others can open, or that is none', async () => {
    writeUpRecord(join(folder, 'up.json'), record());
    await serveControl(scope, record().socket, () => source);
    chmodSync(record().socket, 0o666);
    await expect(findMesh(...here())).rejects.toThrow(/control\.sock is open to other users \(mode 666\)/);
    writeUpRecord(join(folder, 'up.json'), record({ socket: join(folder, 'up.json') }));
    await expect(findMesh(...here())).rejects.toThrow('up.json is no socket');
  });

  test.each(['sallyport', 'sallyport/running'])('notes, where others can write in %s', async (open) => {
    const env = { XDG_RUNTIME_DIR: folder };
    const notes = join(folder, 'sallyport', 'running');
    noteRunning(notes, record());
    chmodSync(join(folder, open), 0o777);
    await expect(findMesh({ file: undefined, state: undefined }, env)).rejects.toThrow(
      /is open to other users \(mode 777\)/,
    );
  });

  test('notes are not written through a planted link, nor into a folder of others', () => {
    const notes = join(folder, 'sallyport', 'running');
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'precious');
    mkdirSync(notes, { recursive: true, mode: 0o700 });
    for (const name of [`${process.pid}.json`, `${process.pid}.json.${process.pid}`]) {
      symlinkSync(precious, join(notes, name));
    }
    const forget = noteRunning(notes, record());
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(readUpRecord(join(notes, `${process.pid}.json`))).toEqual(record());
    forget();
    chmodSync(notes, 0o777);
    noteRunning(notes, record());
    chmodSync(notes, 0o700);
    expect(notesOfRunning(notes)).toEqual([]);

    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    rmSync(notes, { recursive: true });
    symlinkSync(elsewhere, notes);
    noteRunning(notes, record());
    expect(readUpRecord(join(elsewhere, `${process.pid}.json`))).toBeUndefined();
  });
});
