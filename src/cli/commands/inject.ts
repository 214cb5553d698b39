import { randomBytes } from 'node:crypto';
import { INJECT_LABEL, type InjectionSettings, injectPod, type Pod } from '#controller/injection';
import { err, ok, type Result } from '#runtime';
import { readControllerFile } from '../controller-file/read.ts';
import { changeManifests } from '../inject/manifests.ts';
import { readText } from '../read-text.ts';
import { UsageError } from '../usage-error.ts';
import { printableLines } from '../view/printable.ts';

export interface InjectOptions {
  /** `-`: standard input. */
  readonly file: string;
  /** The controller's file; undefined: its defaults. */
  readonly config: string | undefined;
  /** Where the controller runs. */
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * `sallyport inject`: writes manifests with sidecars in them, as the webhook would make the pods. 0 when every workload
 * has one or wants none, 1 when one is refused: then nothing is written.
 */
export function inject({ file, config, namespace, serviceAccount }: InjectOptions): number {
  const { injection } = readControllerFile(config, { namespace, serviceAccount, pod: 'offline' });
  if (injection === undefined)
    throw new UsageError(`${config ?? ''} has no section \`injection\`: it says which image sidecars have.`);
  const notes: string[] = [];
  const changed = changeManifests(
    readText(file === '-' ? 0 : file, 'Name the manifests with -f.'),
    ({ name, template }) => {
      if (optedOut(template)) {
        notes.push(`${name}: left as it is, by its label ${INJECT_LABEL}=disabled`);
        return undefined;
      }
      notes.push(`${name}: injected`);
      return injectTemplate(name, template, injection.settings);
    },
  );
  if (!changed.ok) {
    process.stderr.write(`${printableLines(changed.error.join('\n'))}\nNothing was written.\n`);
    return 1;
  }
  process.stdout.write(changed.value);
  if (notes.length === 0) notes.push('There is no workload in it that makes pods: nothing was changed.');
  process.stderr.write(`${printableLines(notes.join('\n'))}\n`);
  return 0;
}

const TOKEN_BYTES = 16;

function injectTemplate(
  name: string,
  template: unknown,
  settings: InjectionSettings,
): Result<unknown, readonly string[]> {
  const injected = injectPod(template, settings, () => randomBytes(TOKEN_BYTES).toString('hex'));
  if (injected.ok) return ok(injected.value);
  return err(
    injected.error.map(
      ({ reason, detail }) => `${name}: ${reason.say} (${reason.code}: ${detail})\n  ${reason.next}`,
    ),
  );
}

function optedOut(template: unknown): boolean {
  return (template as Partial<Pod> | null | undefined)?.metadata?.labels?.[INJECT_LABEL] === 'disabled';
}
