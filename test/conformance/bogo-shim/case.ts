import { Exchange } from './exchange.ts';
import { CaseFailed, CommandLine, Unimplemented } from './flags.ts';
import { type Memory, newMemory } from './memory.ts';

/** How a case ended, as its process would: the exit code, and what goes to stderr. */
export interface Outcome {
  readonly code: number;
  readonly text: string;
}

const PASSED = 0;
const FAILED = 1;
export const UNIMPLEMENTED = 89;

/** Plays the connections of one case. Never rejects. */
export async function playCase(argv: readonly string[]): Promise<Outcome> {
  let memory: Memory | undefined;
  try {
    const commandLine = new CommandLine(argv);
    memory = newMemory(commandLine.refused);
    await play(commandLine, memory);
    if (memory.unimplemented !== undefined) throw new Unimplemented(memory.unimplemented);
    return { code: PASSED, text: '' };
  } catch (error) {
    const unimplemented = error instanceof Unimplemented ? error.message : memory?.unimplemented;
    if (unimplemented !== undefined) return { code: UNIMPLEMENTED, text: unimplemented };
    if (error instanceof CaseFailed) return { code: FAILED, text: error.message };
    return { code: FAILED, text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function play(commandLine: CommandLine, memory: Memory): Promise<void> {
  const count = commandLine.options('initial').number('resume-count') ?? 0;
  for (let index = 0; index <= count; index += 1) {
    const resumes = index > 0;
    const options = commandLine.options(resumes ? 'resume' : 'initial');
    if (resumes) memory.clock.skip((options.number('resumption-delay') ?? 0) * 1000);
    const exchange = new Exchange(options, commandLine.options('retry'), resumes, memory);
    try {
      await exchange.run();
    } finally {
      await Exchange.close(exchange);
    }
  }
}
