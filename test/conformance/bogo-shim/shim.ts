/**
 * The program that BoringSSL's test runner starts for each case. It exits 0 if the case went as its flags ask, 89 if
 * the engine does not do what they ask, and 1 with the reason on stderr otherwise.
 */
import { writeFileSync } from 'node:fs';
import { newMemory } from './configuration.ts';
import { CaseFailed, Exchange } from './exchange.ts';
import { CommandLine, Unimplemented } from './flags.ts';

const UNIMPLEMENTED = 89;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('-is-handshaker-supported')) {
    console.log('No');
    return 0;
  }
  try {
    await runCase(new CommandLine(argv));
    return 0;
  } catch (error) {
    if (error instanceof Unimplemented) {
      report(argv, error.message);
      return UNIMPLEMENTED;
    }
    console.error(error instanceof CaseFailed ? error.message : error);
    return 1;
  }
}

async function runCase(commandLine: CommandLine): Promise<void> {
  const count = commandLine.options('initial').number('resume-count') ?? 0;
  const memory = newMemory();
  for (let index = 0; index <= count; index += 1) {
    const resumes = index > 0;
    const exchange = new Exchange(commandLine.options(resumes ? 'resume' : 'initial'), resumes, memory);
    try {
      await exchange.run();
    } finally {
      await Exchange.close(exchange);
    }
  }
}

/** The runner keeps no reason for code 89, but it names the case in the place for its transcript. */
function report(argv: readonly string[], reason: string): void {
  const transcript = argv[argv.indexOf('-write-settings') + 1];
  if (argv.includes('-write-settings') && transcript !== undefined) {
    writeFileSync(`${transcript}unimplemented`, reason);
  }
}
