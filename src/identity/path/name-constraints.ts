import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { OID } from '../x509/oids.ts';
import type { Budget } from './budget.ts';
import { comparable, constrainedKind, isWithin, nameText, touches } from './names/comparable.ts';
import { type Constraints, readConstraints } from './names/constraints.ts';
import { attributeString } from './names/directory.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * RFC 5280 6.1.3 (b) and (c): the certificate's names against the constraints of every CA above it. Each CA's set is
 * applied by itself, which is the intersection that 6.1.4 (g) builds.
 */
export function checkNameConstraints(
  certificate: Certificate,
  above: readonly Constraints[],
  budget: Budget,
): StepResult {
  if (above.length === 0) return undefined;
  for (const name of namesOf(certificate)) {
    for (const constraints of above) {
      const problem = checkName(certificate, name, constraints, budget);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/** RFC 5280 6.1.4 (g): a CA's constraints have to be ones that names can be compared with. */
export function checkConstraintSyntax(issuer: Certificate): StepResult {
  const { nameConstraints } = issuer.extensions;
  if (nameConstraints === undefined) return undefined;
  const constraints = readConstraints(nameConstraints);
  return constraints.ok ? undefined : refuse(IDENTITY_REASONS['malformed-name'], issuer, constraints.error);
}

/** What a CA that passed checkConstraintSyntax constrains for those below it. */
export function constraintsOf(issuer: Certificate): readonly Constraints[] {
  const { nameConstraints } = issuer.extensions;
  const constraints = nameConstraints && readConstraints(nameConstraints);
  return constraints?.ok ? [constraints.value] : [];
}

/** The names of RFC 5280 4.2.1.10: subjectAltName, the subject, and mail addresses in it where there are no others. */
function namesOf({ subject, extensions }: Certificate): readonly GeneralName[] {
  const names = extensions.subjectAltName ?? [];
  if (subject.empty) return names;
  const addresses = subject.parts.flat().filter(({ oid }) => oid === OID.emailAddress);
  const mail = addresses.map(
    ({ tag, contents }): GeneralName => ({
      type: 'email',
      text: attributeString(tag, contents) ?? '',
    }),
  );
  const more = names.some((name) => name.type === 'email') ? [] : mail;
  return [...names, { type: 'directory', name: subject }, ...more];
}

function checkName(
  certificate: Certificate,
  name: GeneralName,
  above: Constraints,
  budget: Budget,
): StepResult {
  const kind = constrainedKind(name);
  if (kind === undefined) {
    // RFC 5280 4.2.1.10: "the application MUST either process the constraint or reject the certificate".
    if (!above.others.has(name.type)) return undefined;
    const what = `a CA above it constrains names of kind "${name.type}"`;
    return refuse(IDENTITY_REASONS['name-constraint-unsupported'], certificate, what);
  }
  const [permitted, excluded] = [above.permitted[kind], above.excluded[kind]];
  if (permitted.length + excluded.length === 0) return undefined;
  if (!budget.spend('nameComparisons', permitted.length + excluded.length)) {
    const what = 'gave up after too many names and constraints';
    return refuse(IDENTITY_REASONS['chain-too-complex'], certificate, what);
  }
  const parsed = comparable(name);
  if (parsed === undefined) {
    // RFC 5280 4.2.1.10 says it of URIs without a host; it is as true of any name that is not of its kind.
    const what = `${nameText(name)} is no name of kind "${kind}" that constraints can be compared with`;
    return refuse(IDENTITY_REASONS['name-constraint-violated'], certificate, what);
  }
  const barrier = excluded.find(({ base }) => touches(parsed, base));
  if (barrier !== undefined) {
    const what = `a CA above it excludes ${barrier.text}, found ${nameText(name)}`;
    return refuse(IDENTITY_REASONS['name-constraint-violated'], certificate, what);
  }
  if (permitted.length === 0 || permitted.some(({ base }) => isWithin(parsed, base))) return undefined;
  const bases = permitted.slice(0, MOST_SHOWN).map(({ text }) => text);
  const more = permitted.length > MOST_SHOWN ? ` and ${permitted.length - MOST_SHOWN} more` : '';
  const what = `a CA above it permits ${bases.join(', ')}${more} only, found ${nameText(name)}`;
  return refuse(IDENTITY_REASONS['name-constraint-violated'], certificate, what);
}

/** Of a CA's permitted subtrees, so many stand in a message. */
const MOST_SHOWN = 4;
