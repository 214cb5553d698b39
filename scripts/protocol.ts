/**
 * Writes src/rpc/generated from the .proto files of src/rpc/proto: types of messages and services, and the descriptor
 * that grpc-js runs on, as a module, so that it is part of the one-file bundle. `--check` writes nothing and fails if a
 * file is out of date; `npm test` runs it so.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const project = fileURLToPath(new URL('..', import.meta.url));
const protoFolder = join(project, 'src/rpc/proto');
const folder = join(project, 'src/rpc/generated');
const BANNER = '// Written by scripts/protocol.ts. Do not edit.\n';

const protos = filesBelow(protoFolder).filter((name) => name.endsWith('.proto'));
const wanted = new Map([...types(), ['descriptor.ts', descriptor()] as const]);
const check = process.argv.includes('--check');
const problems = [...wanted].flatMap(([name, text]) => (text === current(name) ? [] : [name]));
const strays = filesBelow(folder).filter((name) => !wanted.has(name));
if (!check) {
  for (const name of strays) rmSync(join(folder, name));
  for (const name of problems) write(name, wanted.get(name) ?? '');
}
for (const name of [...problems, ...strays]) {
  console.log(
    `src/rpc/generated/${name} ${check ? 'is out of date: run `node scripts/protocol.ts`' : 'written'}`,
  );
}
process.exitCode = check && problems.length + strays.length > 0 ? 1 : 0;

function types(): [string, string][] {
  const made = mkdtempSync(join(tmpdir(), 'sallyport-protocol-'));
  try {
    const program = join(project, 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js');
    // The options of types are those that src/rpc/protocol.ts loads the descriptor with.
    const flags = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--includeComments'];
    const layout = ['--grpcLib=@grpc/grpc-js', '--importFileExtension=.ts', `--outDir=${made}`, '-I', '.'];
    execFileSync(process.execPath, [program, ...flags, ...layout, '--', ...protos], { cwd: protoFolder });
    return filesBelow(made).map((name) => [name, `${BANNER}${readFileSync(join(made, name), 'utf8')}`]);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function descriptor(): string {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(protoFolder, target);
  root.loadSync(protos).resolveAll();
  return `${BANNER}export const DESCRIPTOR: object = ${JSON.stringify(root.toJSON(), null, 2)};\n`;
}

function current(name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

function filesBelow(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .sort();
  } catch {
    return [];
  }
}
