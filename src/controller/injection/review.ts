import type { Reason, Refusal } from '#handshake';
import { err, ok, printable, type Result } from '#runtime';
import { injectPod } from './inject-pod.ts';
import { jsonPatch } from './json-patch.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { INJECT_LABEL } from './names.ts';
import type { Pod } from './pod.ts';
import type { InjectionSettings } from './settings.ts';

/** What the API server asks (admission.k8s.io/v1 AdmissionReview), as far as it is read here. */
export interface ReviewRequest {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly pod: unknown;
}

/** The error says what it is instead. */
export function parseReview(text: string): Result<ReviewRequest, string> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return err('the body is not JSON');
  }
  const { apiVersion, kind, request } = (body ?? {}) as {
    apiVersion?: unknown;
    kind?: unknown;
    request?: Partial<Record<'uid' | 'namespace' | 'name' | 'operation' | 'dryRun' | 'object', unknown>> & {
      resource?: { group?: unknown; resource?: unknown };
    };
  };
  if (apiVersion !== VERSION || kind !== KIND) return err(`it is no ${KIND} of ${VERSION}`);
  const { uid, namespace, name, operation, dryRun, object, resource } = request ?? {};
  if (typeof uid !== 'string' || typeof namespace !== 'string')
    return err('the request has no uid or namespace');
  if (!/^[a-z0-9][-a-z0-9]{0,62}$/.test(namespace)) return err('the namespace is no name of one');
  if (operation !== 'CREATE' || resource?.group !== '' || resource.resource !== 'pods')
    return err('it is not about a pod that is made');
  return ok({
    uid,
    namespace,
    name: typeof name === 'string' ? name : '',
    dryRun: dryRun === true,
    pod: object,
  });
}

/** What becomes of the pod: a patch, empty for one that wants to stay as it is, or why there is none. */
export function review(
  { pod }: ReviewRequest,
  settings: InjectionSettings,
  token: () => string,
): Result<readonly object[], readonly Refusal[]> {
  const { labels } = (pod as Partial<Pod> | null)?.metadata ?? {};
  if (labels?.[INJECT_LABEL] === 'disabled') return ok([]);
  const injected = injectPod(pod, settings, token);
  return injected.ok ? ok(jsonPatch(pod, injected.value)) : injected;
}

export function admitted(uid: string, patch: readonly object[]): object {
  const text = Buffer.from(JSON.stringify(patch)).toString('base64');
  const change = patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: text };
  return answer({ uid, allowed: true, ...change });
}

/** 403 is what whoever made the pod sees; 503 says that the next try may succeed. */
export function refused(uid: string, message: string, code: 403 | 503 = 403): object {
  return answer({ uid, allowed: false, status: { code, message } });
}

/** For events and for kubectl: every reason with what to do. */
export function wordsOf(refusals: readonly Refusal[]): string {
  const said = new Set<Reason>();
  const more = refusals.length - WEBHOOK_LIMITS.mistakes;
  const words = refusals
    .slice(0, WEBHOOK_LIMITS.mistakes)
    .map(({ reason, detail }) => {
      const next = said.has(reason) ? '' : ` ${reason.next}`;
      said.add(reason);
      return `${reason.say} (${reason.code}: ${printable(detail)})${next}`;
    })
    .join(' ');
  return more > 0 ? `${words} And ${more} more.` : words;
}

const VERSION = 'admission.k8s.io/v1';
const KIND = 'AdmissionReview';

function answer(response: object): object {
  return { apiVersion: VERSION, kind: KIND, response };
}
