import type { ClientHello } from '../messages/client-hello.ts';
import {
  WEAK_GROUPS,
  WEAK_SCHEMES,
  WEAK_SUITES,
  WEAK_VERSIONS,
  type Weakness,
  weaknessesOf,
} from './weaknesses.ts';

/** Everything weak that a ClientHello offers, each once. */
export function weakOffers(hello: ClientHello): readonly Weakness[] {
  const all: Weakness[] = [
    ...weaknessesOf(WEAK_VERSIONS, hello.versions ?? []),
    ...weaknessesOf(WEAK_SUITES, hello.suites),
    ...weaknessesOf(WEAK_GROUPS, hello.groups ?? []),
    ...weaknessesOf(WEAK_SCHEMES, hello.schemes ?? []),
  ];
  if (hello.extensions.get('heartbeat') !== undefined) all.push('heartbeat');
  return [...new Set(all)];
}
