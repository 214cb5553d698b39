import { printable } from '#runtime';
import { consistsOf } from '../characters.ts';
import type { PolicySet } from '../compile/policy-set.ts';
import type { Edit } from '../decision.ts';
import { formatAddress, WORD_BITS } from '../match/address.ts';
import { contains } from '../match/cidr.ts';
import type { Subject } from '../match/subject.ts';
import { API_VERSION, type ListPlace } from '../model.ts';
import type { Nearest } from './nearest.ts';

/**
 * The smallest edit of the nearest Allow policy that lets this caller in. Undefined for a peer without identity: what
 * helps there is to bring it into the mesh, not to open a policy to plaintext.
 */
export function suggestEdit(set: PolicySet, nearest: Nearest, subject: Subject): Edit | undefined {
  const { port, peer } = subject.facts;
  if (peer === undefined) return undefined;
  const { rule, missed, portHolds, policy } = nearest;
  const { file, place } = policy.document;
  if (portHolds) {
    const fields = callerFields(set, nearest, subject);
    const say = 'Add the caller to this "from" list.';
    return inList(file, rule.rule.place.from, 'add-caller', say, { block: fields, flow: mapping(fields) });
  }
  if (missed.length === 0 && rule.rule.place.ports !== undefined) {
    const text = String(port);
    const say = `Add ${port} to this "ports" list.`;
    return inList(file, rule.rule.place.ports, 'add-port', say, { block: [text], flow: text });
  }
  const say = 'Add a rule for the caller to this "rules" list.';
  return inList(file, place.rules, 'add-caller', say, ruleText(callerFields(set, undefined, subject), port));
}

/** A whole policy, for a workload that no Allow selects. In the root namespace nothing could be written for it alone. */
export function suggestPolicy(set: PolicySet, subject: Subject): Edit | undefined {
  const { peer, workload, port } = subject.facts;
  const { namespace, serviceAccount } = workload;
  if (peer === undefined || namespace === set.context.rootNamespace) return undefined;
  const name = freeName(set, namespace, `${serviceAccount}-callers`);
  const document = [
    `apiVersion: ${API_VERSION}`,
    'kind: MeshPolicy',
    `metadata: { name: ${scalar(name)}, namespace: ${scalar(namespace)} }`,
    'spec:',
    `  targetRef: { kind: ServiceAccount, name: ${scalar(serviceAccount)} }`,
    '  action: Allow',
    '  rules:',
    ...item(ruleText(callerFields(set, undefined, subject), port).block).map((line) => `    ${line}`),
    '',
  ].join('\n');
  const neighbour = set.documents.find(({ metadata }) => metadata.namespace === namespace)?.file;
  const [first] = set.paths;
  if (neighbour === undefined && first?.directory === true) {
    const path = `${first.path.endsWith('/') ? first.path : `${first.path}/`}${name}.yaml`;
    return {
      file: printable(path),
      line: undefined,
      action: 'add-policy',
      say: 'Write this new file.',
      snippet: document,
    };
  }
  const say = 'Add this document at the end of the file.';
  return {
    file: neighbour ?? printable(first?.path ?? ''),
    line: undefined,
    action: 'add-policy',
    say,
    // Without the marker its lines would be read as fields of the document before.
    snippet: `---\n${document}`,
  };
}

/** The same YAML in both styles: lines of a mapping (or one scalar), and one line for between brackets. */
interface Snippet {
  readonly block: readonly string[];
  readonly flow: string;
}

function ruleText(fields: readonly string[], port: number): Snippet {
  return {
    block: ['from:', ...item(fields).map((line) => `  ${line}`), 'to:', `  - ports: [${port}]`],
    flow: `{ from: [${mapping(fields)}], to: [{ ports: [${port}] }] }`,
  };
}

/**
 * The caller as fields of a `from` entry: its service account where that says it all, else its exact identity. Networks
 * that the nearest entry asks for are kept, so that adding a caller does not also widen from where callers come.
 */
function callerFields(set: PolicySet, nearest: Nearest | undefined, subject: Subject): readonly string[] {
  const { account, address } = subject;
  const { peer } = subject.facts;
  const caller =
    account !== undefined && peer?.trustDomain === set.context.trustDomain
      ? `serviceAccounts: [{ name: ${scalar(account.serviceAccount)}, namespace: ${scalar(account.namespace)} }]`
      : `identities: [${scalar(peer?.toString() ?? '')}]`;
  const { cidrs } = nearest?.entry.match ?? {};
  if (cidrs === undefined || address === undefined) return [caller];
  const inside = cidrs.find((cidr) => contains(cidr, address))?.text;
  return [caller, `cidrs: [${scalar(inside ?? `${formatAddress(address)}/${address.length * WORD_BITS}`)}]`];
}

function inList(file: string, place: ListPlace, action: Edit['action'], say: string, text: Snippet): Edit {
  const { line, itemColumn } = place;
  if (itemColumn === undefined) {
    return {
      file,
      line,
      action,
      say: `${say} It goes between the brackets, after a comma.`,
      snippet: text.flow,
    };
  }
  const indent = ' '.repeat(itemColumn - 1);
  const snippet = item(text.block)
    .map((row) => `${indent}${row}\n`)
    .join('');
  return { file, line, action, say, snippet };
}

/** Lines of a mapping as an item of a list in block style. */
function item(lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
}

function mapping(fields: readonly string[]): string {
  return `{ ${fields.join(', ')} }`;
}

/** Quotes what YAML would not read back as this same text: a service account may be called "123" or "on". */
function scalar(text: string): string {
  const [first = ''] = text;
  const plain = first >= 'a' && first <= 'z' && consistsOf(text, PLAIN);
  return plain && !WORDS.has(text) ? text : JSON.stringify(text).replace(/\p{C}/gu, escaped);
}

/** A character that a terminal would act on, as YAML writes it in double quotes; JSON leaves most of them as they are. */
function escaped(character: string): string {
  return `\\U${character.codePointAt(0)!.toString(16).padStart(8, '0')}`;
}

const PLAIN = new Set('abcdefghijklmnopqrstuvwxyz0123456789-.');
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

function freeName(set: PolicySet, namespace: string, wanted: string): string {
  const taken = new Set(
    set.documents
      .filter(({ kind, metadata }) => kind === 'MeshPolicy' && metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name),
  );
  let name = wanted;
  for (let suffix = 2; taken.has(name); suffix += 1) name = `${wanted}-${suffix}`;
  return name;
}
