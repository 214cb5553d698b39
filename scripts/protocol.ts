/**
 * Writes src/rpc/generated from the .proto files of src/rpc/proto: types of messages and services, and the descriptor
 * that grpc-js runs on, as a module, so that it is part of the one-file bundle.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { filesBelow, writeFolder } from './written-folder.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const protoFolder = join(project, 'src/rpc/proto');
const BANNER = '// Written by scripts/protocol.ts. Do not edit.\n';

const protos = filesBelow(protoFolder).filter((name) => name.endsWith('.proto'));
writeFolder({
  script: 'protocol.ts',
  folder: 'src/rpc/generated',
  files: Object.fromEntries([...types(), ['descriptor.ts', descriptor()]]),
  others: 'removed',
});

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
