import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { readPrivate, requirePrivateFolder, writePrivate } from './private-file.ts';

const port = z.int().min(1).max(65_535);

/** up.json: where a running mesh can be asked. Read back by other commands, so it is parsed like any outside input. */
const schema = z.object({
  version: z.literal(1),
  pid: z.int().positive(),
  startedAt: z.number(),
  trustDomain: z.string(),
  meshFile: z.string(),
  state: z.string(),
  socket: z.string(),
  services: z.array(
    z.object({
      name: z.string(),
      identity: z.string(),
      port,
      /** The sidecar's own ports on 127.0.0.1. */
      inbound: port,
      admin: port,
      calls: z.array(z.object({ service: z.string(), listen: port })),
    }),
  ),
});

export type UpRecord = z.output<typeof schema>;

/** Undefined when the file is missing or is no such record. Throws a UsageError when others could have written it. */
export function readUpRecord(path: string): UpRecord | undefined {
  const text = readPrivate(path);
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Written whole or not at all, mode 0600. */
export function writeUpRecord(path: string, record: UpRecord): void {
  writePrivate(path, `${JSON.stringify(record, null, 2)}\n`);
}

/** The user's folder of running meshes: a file for each, so that nobody rewrites another's. */
export function runningFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'sallyport')
    : join(homedir(), '.cache', 'sallyport');
  return join(base, 'running');
}

/**
 * Notes that a mesh runs; the returned function takes the note away. A home that cannot be written, or a folder in which
 * others could put notes, is no obstacle: the mesh is then found by its file or its state folder alone.
 */
export function noteRunning(folder: string, record: UpRecord): () => void {
  const path = join(folder, `${record.pid}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    requireOurs(folder);
    writeUpRecord(path, record);
  } catch {
    return () => undefined;
  }
  return () => rmSync(path, { force: true });
}

/**
 * All notes, the newest mesh first. Whether they still run is for the caller to ask. Throws a UsageError when others
 * could have put notes there.
 */
export function notesOfRunning(folder: string): { readonly path: string; readonly record: UpRecord }[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  requireOurs(folder);
  return names
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const record = readUpRecord(path);
      return record === undefined ? [] : [{ path, record }];
    })
    .toSorted((a, b) => b.record.startedAt - a.record.startedAt);
}

/** The folder and the one that it stands in: whoever may write there could put another in its place. */
function requireOurs(folder: string): void {
  requirePrivateFolder(dirname(folder));
  requirePrivateFolder(folder);
}
