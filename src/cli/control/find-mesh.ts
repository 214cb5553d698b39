import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseMeshFile } from '../mesh-file/parse.ts';
import { sayProblem } from '../mesh-file/problem.ts';
import { shownPath } from '../mesh/policies.ts';
import { readText } from '../read-text.ts';
import { UsageError } from '../usage-error.ts';
import { printableLine } from '../view/printable.ts';
import { isAlive } from './control-client.ts';
import { isOwnSocket } from './private-file.ts';
import { statePaths } from './state-folder.ts';
import { notesOfRunning, readUpRecord, runningFolder, type UpRecord } from './up-record.ts';

/** None was named, and none runs. */
export class NoMeshRunning extends UsageError {}

/** How the user said which mesh is meant. */
export interface MeshChoice {
  readonly file: string | undefined;
  readonly state: string | undefined;
}

/**
 * The running mesh that is meant: of `--state`, else of `--file`, else of ./mesh.yaml, else the newest of this user.
 * Rejects with a UsageError that says what to do when there is none. Of several newest ones, `say` hears which it is.
 */
export async function findMesh(
  choice: MeshChoice,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void = toStandardError,
): Promise<UpRecord> {
  if (choice.state !== undefined) return running(resolve(choice.state));
  if (choice.file !== undefined) return running(stateOf(choice.file));
  if (existsSync('mesh.yaml')) {
    const here = await ask(statePaths(stateOf('mesh.yaml')).record);
    if (here !== undefined) return here;
  }
  const alive: UpRecord[] = [];
  for (const { path, record } of notesOfRunning(runningFolder(env))) {
    if (await answers(record)) alive.push(record);
    else rmSync(path, { force: true });
  }
  const [newest, ...others] = alive;
  if (newest !== undefined) {
    if (others.length > 0) say(taken(newest, others.length));
    return newest;
  }
  throw new NoMeshRunning(
    'No mesh is running. Start one in another terminal: npm start, or sallyport up -f mesh.yaml',
  );
}

function taken({ meshFile, pid }: UpRecord, others: number): string {
  return `Of ${others + 1} running meshes the newest is shown: ${shownPath(meshFile)} (process ${pid}). Name another with -f.`;
}

function toStandardError(line: string): void {
  process.stderr.write(`${printableLine(line)}\n`);
}

/** Reads the file and its state folder; a mistake in it is a UsageError with every problem. */
function stateOf(file: string): string {
  const path = resolve(file);
  const parsed = parseMeshFile(path, readMeshFile(file), file);
  if (parsed.ok) return parsed.value.state;
  throw new UsageError(parsed.error.map(sayProblem).join('\n'));
}

export function readMeshFile(path: string): string {
  return readText(path, 'Name a mesh file with -f.');
}

async function running(state: string): Promise<UpRecord> {
  const record = await ask(statePaths(state).record);
  if (record !== undefined) return record;
  throw new UsageError(
    `No mesh is running with its state in ${state}. Start it with: sallyport up -f mesh.yaml`,
  );
}

async function ask(path: string): Promise<UpRecord | undefined> {
  const record = readUpRecord(path);
  return record !== undefined && (await answers(record)) ? record : undefined;
}

/** Rejects with a UsageError when somebody else's program would answer. */
async function answers({ socket }: UpRecord): Promise<boolean> {
  return isOwnSocket(socket) && (await isAlive(socket));
}
