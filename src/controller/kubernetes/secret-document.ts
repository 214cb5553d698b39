import type { StateDocument, VersionedText } from '#identity/ca';
import { type ApiAnswer, type KubernetesApi, statusText } from './api.ts';
import type { OwnerReference } from './owner.ts';

/** A Secret is at most 1 MiB, with its other fields. */
const LONGEST_TEXT = 900 * 1024;
const KEY = 'state.json';
const OK = 200;
const CREATED = 201;
const NOT_FOUND = 404;
const CONFLICT = 409;

/** A StateDocument in a Secret: resourceVersion is what the API server compares before it swaps. */
export class SecretDocument implements StateDocument {
  readonly #api: KubernetesApi;
  readonly #namespace: string;
  readonly #name: string;
  /** As given, or as the Secret has them: who replaces it without knowing its owner doesn't take it away. */
  #owners: readonly OwnerReference[] | undefined;

  constructor(api: KubernetesApi, namespace: string, name: string, owner?: OwnerReference) {
    this.#api = api;
    this.#namespace = namespace;
    this.#name = name;
    this.#owners = owner === undefined ? undefined : [owner];
  }

  get place(): string {
    return `Secret ${this.#namespace}/${this.#name}`;
  }

  async read(): Promise<VersionedText | undefined> {
    const answer = await this.#api.send('GET', `${this.#path}/${this.#name}`);
    if (answer.status === NOT_FOUND) return undefined;
    return this.#read(answer, OK);
  }

  async create(text: string): Promise<VersionedText | undefined> {
    const answer = await this.#api.send('POST', this.#path, this.#secret(text, undefined));
    if (answer.status === CONFLICT) return undefined;
    return this.#read(answer, CREATED);
  }

  async replace(text: string, version: string): Promise<VersionedText | undefined> {
    const answer = await this.#api.send('PUT', `${this.#path}/${this.#name}`, this.#secret(text, version));
    if (answer.status === CONFLICT) return undefined;
    return this.#read(answer, OK);
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.#namespace}/secrets`;
  }

  #secret(text: string, resourceVersion: string | undefined): object {
    if (text.length > LONGEST_TEXT) throw new Error(`${this.place} would have ${text.length} bytes`);
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'mesh.sallyport.dev/state',
      metadata: {
        name: this.#name,
        namespace: this.#namespace,
        labels: { 'app.kubernetes.io/managed-by': 'sallyport' },
        ...(this.#owners === undefined ? {} : { ownerReferences: this.#owners }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      data: { [KEY]: Buffer.from(text).toString('base64') },
    };
  }

  #read(answer: ApiAnswer, wanted: number): VersionedText {
    if (answer.status !== wanted) throw new Error(`${this.place}: ${statusText(answer)}`);
    const { metadata, data } = answer.body as {
      metadata?: { resourceVersion?: string; ownerReferences?: readonly OwnerReference[] };
      data?: Record<string, string>;
    };
    const version = metadata?.resourceVersion;
    if (version === undefined) throw new Error(`${this.place} came without a resourceVersion`);
    this.#owners ??= metadata?.ownerReferences;
    return { text: Buffer.from(data?.[KEY] ?? '', 'base64').toString(), version };
  }
}
