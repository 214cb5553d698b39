import { resolve } from 'node:path';
import type { ControllerSettings } from '#controller';
import { sayProblem } from '../mesh-file/problem.ts';
import { readText } from '../read-text.ts';
import { UsageError } from '../usage-error.ts';
import { type ControllerPod, parseControllerFile } from './controller-file.ts';

/** Throws UsageError with every mistake. `file` undefined: what holds without one, for what needs no cluster. */
export function readControllerFile(file: string | undefined, pod: ControllerPod): ControllerSettings {
  const [path, text] =
    file === undefined
      ? ['(defaults)', DEFAULTS]
      : [resolve(file), readText(resolve(file), "Name the controller's file with -c.")];
  const parsed = parseControllerFile(path, text, pod);
  if (parsed.ok) return parsed.value;
  throw new UsageError(parsed.error.map(sayProblem).join('\n'));
}

const DEFAULTS = 'injection: {}\n';
