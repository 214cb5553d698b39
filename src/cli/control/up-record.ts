import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

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

/** Undefined when the file is missing or is no such record. */
export function readUpRecord(path: string): UpRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Written whole or not at all, mode 0600. */
export function writeUpRecord(path: string, record: UpRecord): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** The user's folder of running meshes: a file for each, so that nobody rewrites another's. */
export function runningFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'sallyport')
    : join(homedir(), '.cache', 'sallyport');
  return join(base, 'running');
}

/** Notes that a mesh runs; the returned function takes the note away. A home that cannot be written is no obstacle. */
export function noteRunning(folder: string, record: UpRecord): () => void {
  const path = join(folder, `${record.pid}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeUpRecord(path, record);
  } catch {
    return () => undefined;
  }
  return () => rmSync(path, { force: true });
}

/** All notes, the newest mesh first. Whether they still run is for the caller to ask. */
export function notesOfRunning(folder: string): { readonly path: string; readonly record: UpRecord }[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const record = readUpRecord(path);
      return record === undefined ? [] : [{ path, record }];
    })
    .toSorted((a, b) => b.record.startedAt - a.record.startedAt);
}
