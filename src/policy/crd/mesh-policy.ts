import * as z from 'zod';
import { LIMITS } from '../limits.ts';
import { IDENTITY_FIELDS } from '../match/condition.ts';
import { API_VERSION, type MeshPolicy, type PeerMatch } from '../model.ts';
import { listPlace, positionOf } from './locate.ts';
import { DOCUMENT_HINTS, metadata } from './metadata.ts';
import { cidr, labels, listOf, namespaceName, objectName, port, spiffeId, trustDomainName } from './names.ts';
import { refineTarget, selector, TARGET_HINTS, TARGET_RULE, targetOf, targetRef } from './target.ts';
import { whenFieldsAreKnown } from './whole.ts';
import type { Located } from './yaml.ts';

const LEAVE_OUT = 'leave the field out if it should not matter';
const NO_CONDITION =
  'has no condition and would match everybody; say so with "peer: Any", or "peer: Authenticated" for every mesh identity';
const NO_NEGATION = 'is not supported: there is no negation; write a Deny policy';

const peerMatch = z
  .strictObject({
    peer: z
      .enum(['Any', 'Authenticated', 'Unauthenticated'])
      .describe(
        'Authenticated: the caller has a verified mesh identity. Unauthenticated: it has none (plaintext). Any: always.',
      )
      .optional(),
    identities: listOf(spiffeId, String, LEAVE_OUT)
      .describe('Whole SPIFFE IDs, of which the caller has one.')
      .optional(),
    serviceAccounts: listOf(
      z.strictObject({ name: objectName, namespace: namespaceName }),
      ({ namespace, name }) => `${namespace}/${name}`,
      LEAVE_OUT,
    )
      .meta({
        description: 'Service accounts, of which the caller runs as one.',
        listMapKeys: ['namespace', 'name'],
      })
      .optional(),
    namespaces: listOf(namespaceName, String, LEAVE_OUT)
      .describe("Namespaces, one of which is that of the caller's service account.")
      .optional(),
    trustDomains: listOf(trustDomainName, String, LEAVE_OUT)
      .describe("Trust domains, one of which is the caller's.")
      .optional(),
    labels: labels
      .refine((wanted) => Object.keys(wanted).length > 0, { error: `must not be empty: ${LEAVE_OUT}` })
      .meta({ description: 'Labels of the authenticated caller, all of them.', minProperties: 1 })
      .optional(),
    cidrs: listOf(cidr, ({ text }) => text, LEAVE_OUT, LIMITS.networksPerEntry)
      .describe("Networks, one of which holds the caller's address.")
      .optional(),
  })
  .superRefine((entry, context) => {
    const present = Object.entries(entry)
      .filter(([, value]) => value !== undefined)
      .map(([key]) => key);
    if (present.length === 0) context.addIssue({ code: 'custom', path: [], message: NO_CONDITION });
    const asking = present.find((key) => IDENTITY_FIELDS.has(key as keyof PeerMatch));
    if ((entry.peer === 'Any' || entry.peer === 'Unauthenticated') && asking !== undefined) {
      const message = `is ${entry.peer}, which ${asking} beside it contradicts; leave one of them out`;
      context.addIssue({ code: 'custom', path: ['peer'], message });
    }
  }, whenFieldsAreKnown)
  .meta({
    description:
      'A caller. Every field that is present must hold; within a field one value is enough (labels: all).',
    cel: [
      { rule: hasOne(['peer', 'cidrs', ...IDENTITY_FIELDS]), message: NO_CONDITION },
      {
        rule: `!has(self.peer) || self.peer == 'Authenticated' || !(${hasOne([...IDENTITY_FIELDS])})`,
        message: 'contradicts a condition about identity beside it; leave one of them out',
        fieldPath: '.peer',
      },
    ],
    hints: {
      principals: 'is called identities here (whole SPIFFE IDs)',
      ipBlocks: 'is called cidrs here',
      podSelector: 'is called labels here',
      source: 'is not needed: its fields stand in the entry itself',
      notPrincipals: NO_NEGATION,
      notIdentities: NO_NEGATION,
      notServiceAccounts: NO_NEGATION,
      notNamespaces: NO_NEGATION,
      notIpBlocks: NO_NEGATION,
      notCidrs: NO_NEGATION,
      except: NO_NEGATION,
    },
  });

function hasOne(fields: readonly string[]): string {
  return fields.map((field) => `has(self.${field})`).join(' || ');
}

const L7 =
  'is about HTTP, which policies do not cover yet; without it the rule would let in more than it says, so it is refused';

const portMatch = z
  .strictObject({
    ports: listOf(port, String, 'leave "to" out to mean every port').describe(
      'Ports of the workload that is called.',
    ),
  })
  .meta({
    description: 'What is called.',
    hints: {
      methods: L7,
      paths: L7,
      headers: L7,
      hosts: L7,
      grpc: L7,
      operation: 'is not needed: its fields stand in the entry itself',
      notPorts: NO_NEGATION,
    },
  });

const rule = z
  .strictObject({
    from: z
      .array(peerMatch)
      .min(1, { error: 'must not be empty: say who with an entry, and everybody with "peer: Any"' })
      .max(LIMITS.entriesPerRule, { error: `has more than ${LIMITS.entriesPerRule} entries` })
      .describe('Who calls: one entry that matches is enough.'),
    to: z
      .array(portMatch)
      .min(1, { error: 'must not be empty: leave it out to mean every port' })
      .max(LIMITS.entriesPerRule, { error: `has more than ${LIMITS.entriesPerRule} entries` })
      .describe('What is called: one entry that matches is enough. Left out: every port.')
      .optional(),
  })
  .meta({
    description: 'Holds when one entry of `from` and, if it is there, one of `to` do.',
    hints: { when: 'is not supported', methods: L7, paths: L7, ports: 'belongs into an entry of "to"' },
  });

const EMPTY_DENY =
  'is empty, and a Deny without rules denies nobody; to deny everybody write a rule from "peer: Any"';

const spec = z
  .strictObject({
    targetRef: targetRef.optional(),
    selector: selector.optional(),
    action: z
      .enum(['Allow', 'Deny'])
      .describe('What happens to a caller that a rule matches. A Deny goes before every Allow.'),
    enforcement: z
      .enum(['Enforce', 'Shadow'])
      .default('Enforce')
      .describe('Shadow: what the policy would decide is counted and shown, and changes nothing.'),
    rules: z
      .array(rule)
      .max(LIMITS.rulesPerPolicy, { error: `has more than ${LIMITS.rulesPerPolicy} rules` })
      .describe('One rule that matches is enough. An Allow without rules lets nobody in.'),
  })
  .superRefine((value, context) => {
    refineTarget(value, context);
    if (value.action === 'Deny' && Array.isArray(value.rules) && value.rules.length === 0) {
      context.addIssue({ code: 'custom', path: ['rules'], message: EMPTY_DENY });
    }
  }, whenFieldsAreKnown)
  .meta({
    cel: [
      TARGET_RULE,
      {
        rule: "self.action != 'Deny' || self.rules.size() > 0",
        message: EMPTY_DENY,
        fieldPath: '.rules',
      },
    ],
    hints: { ...TARGET_HINTS, mode: 'belongs into a MeshTLS' },
  });

export const meshPolicySchema = z
  .strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal('MeshPolicy'), metadata, spec })
  .meta({ hints: DOCUMENT_HINTS });

export function toMeshPolicy(
  file: string,
  located: Located,
  parsed: z.output<typeof meshPolicySchema>,
): MeshPolicy {
  const { metadata: meta, spec: said } = parsed;
  return {
    kind: 'MeshPolicy',
    file,
    metadata: {
      name: meta.name,
      namespace: meta.namespace,
      labels: meta.labels ?? {},
      annotations: meta.annotations ?? {},
    },
    spec: {
      target: targetOf(said),
      action: said.action,
      enforcement: said.enforcement,
      rules: said.rules.map(({ from, to }, index) => ({
        from,
        to,
        place: {
          from: listPlace(located, ['spec', 'rules', index, 'from']),
          ports:
            to === undefined ? undefined : listPlace(located, ['spec', 'rules', index, 'to', 0, 'ports']),
        },
      })),
    },
    place: {
      name: positionOf(located, ['metadata', 'name']),
      target: positionOf(located, ['spec', said.targetRef === undefined ? 'selector' : 'targetRef']),
      rules: listPlace(located, ['spec', 'rules']),
    },
  };
}
