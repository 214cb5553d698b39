import {
  compileFor,
  formatProblem,
  hashOf,
  nothingTold,
  type PolicyContext,
  type PolicyDefaults,
  type PolicySet,
  readText,
  type ToldObject,
  versionOf,
  type Workload,
} from '#policy';
import { type Log, type ReadableWatch, type Scope, Watch } from '#runtime';
import type { DiscoveryResponse__Output } from '#rpc';

export interface ToldPoliciesConfig extends PolicyContext {
  /** Whose sidecar this is; its labels are those that the controller tells. */
  readonly workload: Workload;
  readonly log: Log;
}

type Policies = NonNullable<DiscoveryResponse__Output['policies']>;

/** All that was told, by key, not read yet. */
interface Text {
  readonly version: string;
  readonly texts: ReadonlyMap<string, { readonly text: string; readonly hash: string }>;
  readonly labels: Readonly<Record<string, string>>;
  readonly defaults: PolicyDefaults | undefined;
}

/**
 * The policies of this workload as the controller tells them. What was told last stays in force while it is away, and while
 * what it tells can't be used; before its first word nobody is admitted.
 */
export class ToldPolicies {
  readonly #config: ToldPoliciesConfig;
  readonly #policies: Watch<PolicySet>;
  #told: Text = { version: '', texts: new Map(), labels: {}, defaults: undefined };
  #read: ReadonlyMap<string, ToldObject> = new Map();
  #inForce = '';
  #wake: (() => void) | undefined;

  constructor(config: ToldPoliciesConfig) {
    this.#config = config;
    this.#policies = new Watch(nothingTold(config));
  }

  get policies(): ReadableWatch<PolicySet> {
    return this.#policies;
  }

  /** Of what is in force; empty: nothing was told yet. */
  get version(): string {
    return this.#inForce;
  }

  /** A new stream: it goes on from what is in force. */
  begin(): string {
    if (this.#told.version !== this.#inForce) this.#told = { ...this.#told, version: '' };
    return this.#told.version;
  }

  /** Reads what was told, beside live connections, until the scope ends. */
  run(scope: Scope): void {
    scope.run(async (signal) => {
      while (!signal.aborted) {
        if (this.#told.version === '' || this.#told.version === this.#inForce) await this.#word(signal);
        else await this.#use(this.#told, signal);
      }
    });
  }

  /** Takes a change in. Returns why it can't be, so that all is told again; undefined: it was taken. */
  take({ version, since, changed, removed, circumstances }: Policies): string | undefined {
    if (since !== '' && since !== this.#told.version) return `a change since ${since}, which was not told`;
    const texts = new Map(since === '' ? [] : this.#told.texts);
    for (const key of removed) texts.delete(key);
    for (const { key, text } of changed) texts.set(key, { text, hash: hashOf(key, text) });
    const { labels = {}, tlsMode = '', unselected = '' } = circumstances ?? {};
    const defaults = defaultsOf(tlsMode, unselected);
    const hashes = Array.from(texts, ([key, { hash }]) => ({ key, hash }));
    if (versionOf(hashes, { labels, defaults }) !== version) {
      // Asked for again, a whole that is not what it says would come again.
      if (since !== '') return 'what was told is not the whole that it says';
      this.#config.log.error('policies refused; the last good ones stay', {
        problem: 'what the controller told is not the whole that it says: compare its version with this one',
      });
      return undefined;
    }
    this.#told = { version, texts, labels, defaults };
    this.#wake?.();
    return undefined;
  }

  #word(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake = undefined;
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake);
    });
  }

  async #use(told: Text, signal: AbortSignal): Promise<void> {
    const { log, workload, ...context } = this.#config;
    const read = new Map<string, ToldObject>();
    const problems: string[] = [];
    for (const [key, { hash, text }] of told.texts) {
      const before = this.#read.get(key);
      if (before?.hash === hash) {
        read.set(key, before);
        continue;
      }
      const { told: object, problems: found } = readText(key, text, context);
      if (object === undefined) problems.push(...found.map(formatProblem));
      else read.set(key, object);
      // Connections get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (told !== this.#told || signal.aborted) return;
    if (problems.length > 0) {
      log.error('policies refused; the last good ones stay', { problems });
      await this.#word(signal);
      return;
    }
    this.#read = read;
    const epoch = this.#policies.value.epoch + 1;
    const documents = Array.from(read.values(), ({ document }) => document);
    const { defaults = context.defaults } = told;
    const own = { ...workload, labels: told.labels };
    this.#inForce = told.version;
    this.#policies.set(compileFor(own, documents, { ...context, defaults }, epoch));
    log.info('policies loaded', { epoch, documents: documents.length, version: told.version });
  }
}

/** Words that are not known count as the strictest; none at all leave it to the sidecar's own configuration. */
function defaultsOf(tlsMode: string, unselected: string): PolicyDefaults | undefined {
  if (tlsMode === '' && unselected === '') return undefined;
  return {
    tlsMode: tlsMode === 'Permissive' || tlsMode === 'Disabled' ? tlsMode : 'Strict',
    unselected: unselected === 'AllowAuthenticated' ? unselected : 'Deny',
  };
}
