import { InvalidArgumentError } from 'commander';
import { DURATION_FORM, parseDuration } from './mesh-file/duration.ts';

/** Hears a command's exit code. */
export type Finish = (code: number) => void;

export function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError(`Write ${DURATION_FORM}.`);
  if (milliseconds <= 0) throw new InvalidArgumentError('Write a time above zero.');
  return milliseconds;
}

export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('Write a port from 1 to 65535.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Write a whole number above zero.');
  return value;
}
