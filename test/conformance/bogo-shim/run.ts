/**
 * `npm run conformance:bogo -- --runner PATH [--commit ID] [--workers N] [--test PATTERN]`: runs
 * BoringSSL's test runner, which is not part of this project, against the engine, and prints what came of it. Without
 * `--test` the result goes into test/conformance/data/bogo-result.json, from which docs/reference/conformance.md is
 * written; `--commit` is that of BoringSSL.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BOGO_RESULT, type BogoResult } from '../../../scripts/bogo-result.ts';
import { Forwarder } from './forwarder.ts';

const { values } = parseArgs({
  options: {
    runner: { type: 'string' },
    commit: { type: 'string', default: 'not given' },
    workers: { type: 'string', default: '2' },
    test: { type: 'string' },
  },
});
process.exitCode = await main();

async function main(): Promise<number> {
  if (values.runner === undefined) {
    console.error(
      "--runner PATH: want BoringSSL's compiled test runner (`go test -c` in its ssl/test/runner)",
    );
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bogo-'));
  const forwarder = new Forwarder();
  try {
    const shim = join(folder, 'shim');
    await forwarder.start(shim);
    const config = readConfig();
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const started = performance.now();
    const status = await runRunner(resolve(values.runner), shim, folder);
    const seconds = Math.round((performance.now() - started) / 1000);
    const result = readResult(folder, config, seconds, forwarder.reasons);
    show(result);
    if (values.test === undefined && result.cases > 0)
      writeFileSync(BOGO_RESULT, `${JSON.stringify(result, null, 2)}\n`);
    return status;
  } finally {
    forwarder.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the runner is configured with (ssl/test/PORTING.md of BoringSSL). */
interface RunnerConfig {
  /** A glob of case names, and why they are not run. */
  readonly DisabledTests: Readonly<Record<string, string>>;
  /** BoringSSL's name of an error, and what this shim says instead. */
  readonly ErrorMap: Readonly<Record<string, readonly string[]>>;
  /** Tickets that the shim's server sends before the client's Finished. */
  readonly HalfRTTTickets: number;
}

/** The scope, and what we say about cases in it. */
function readConfig(): RunnerConfig {
  const read = (path: string): RunnerConfig =>
    JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as RunnerConfig;
  const scope = read('../data/bogo-scope.json');
  const ours = read('../bogo-config.json');
  return {
    ...scope,
    DisabledTests: { ...scope.DisabledTests, ...ours.DisabledTests },
    ErrorMap: ours.ErrorMap,
    HalfRTTTickets: ours.HalfRTTTickets,
  };
}

function runRunner(runner: string, shim: string, folder: string): Promise<number> {
  const options = [
    ...['-shim-path', shim],
    ...['-shim-config', join(folder, 'config.json')],
    ...['-json-output', join(folder, 'output.json')],
    // Only so does the shim learn the name of its case: it is the place of the transcript.
    ...['-transcript-dir', join(folder, 'transcripts')],
    ...['-num-workers', values.workers],
    ...(values.test === undefined ? [] : ['-test', values.test]),
    '-allow-unimplemented',
    '-pipe',
  ];
  const child = spawn(runner, options, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
  });
  return new Promise((done) => {
    child.on('error', (error) => {
      console.error(`the runner did not start: ${error.message}`);
      done(2);
    });
    child.on('close', (code) => {
      console.log(output.replace(/^(PASSED|UNIMPLEMENTED) \(.*\)\n/gm, '').trim());
      done(code ?? 1);
    });
  });
}

interface RunnerOutput {
  readonly tests: Readonly<Record<string, { readonly actual: 'PASS' | 'FAIL' | 'SKIP' }>>;
}

function readResult(
  folder: string,
  config: RunnerConfig,
  seconds: number,
  places: ReadonlyMap<string, string>,
): BogoResult {
  const { tests } = JSON.parse(readFileSync(join(folder, 'output.json'), 'utf8')) as RunnerOutput;
  const names = (actual: string): string[] =>
    Object.keys(tests).filter((name) => tests[name]!.actual === actual);
  const reasons = new Map([...places].map(([place, reason]) => [basename(place).slice(0, -1), reason]));
  const unimplemented: Record<string, string[]> = {};
  for (const name of names('SKIP').sort()) {
    const reason = reasons.get(name) ?? 'no reason given';
    unimplemented[reason] = [...(unimplemented[reason] ?? []), name];
  }
  return {
    commit: values.commit,
    seconds,
    workers: Number(values.workers),
    cases: Object.keys(tests).length,
    passed: names('PASS').length,
    failed: names('FAIL').sort(),
    unimplemented: Object.fromEntries(
      Object.entries(unimplemented).sort(([, a], [, b]) => b.length - a.length),
    ),
    disabled: ownDisabled(config),
  };
}

function ownDisabled(config: RunnerConfig): Readonly<Record<string, string>> {
  const scope = JSON.parse(
    readFileSync(new URL('../data/bogo-scope.json', import.meta.url), 'utf8'),
  ) as RunnerConfig;
  return Object.fromEntries(
    Object.entries(config.DisabledTests).filter(([glob]) => !(glob in scope.DisabledTests)),
  );
}

function show(result: BogoResult): void {
  for (const [reason, names] of Object.entries(result.unimplemented))
    console.log(`${names.length} unimplemented: ${reason}`);
  const unimplemented = Object.values(result.unimplemented).flat().length;
  console.log(
    `${result.cases} cases in ${result.seconds} s: ${result.passed} passed, ${result.failed.length} failed, ${unimplemented} unimplemented`,
  );
}
