import { SecretDocument } from '#controller';
import { type Revocation, Revocations } from '#identity/issuance';
import { silentLog, systemClock } from '#runtime';
import { printable } from '#runtime';
import { Cluster } from '../cluster/cluster.ts';
import { UsageError } from '../usage-error.ts';

export interface RevokeOptions {
  readonly pod: string | undefined;
  readonly serial: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly restore: boolean;
  readonly namespace: string;
  readonly secret: string;
  readonly context: string | undefined;
}

/** `sallyport certs revoke`: no certificate for a pod, a ServiceAccount or the holder of a certificate any more. */
export async function revoke(options: RevokeOptions): Promise<number> {
  const revocation = revocationOf(options);
  const document = await open(options);
  await document.change(options.restore ? 'restore' : 'revoke', revocation);
  const done = options.restore ? 'restored' : 'revoked';
  process.stdout.write(`${done}: ${revocation.kind} ${revocation.value}\n`);
  return 0;
}

/** `sallyport certs revoked`: what is revoked now. */
export async function revoked(
  options: Pick<RevokeOptions, 'namespace' | 'secret' | 'context'>,
): Promise<number> {
  const document = await open(options);
  for (const { kind, value, at } of document.value.value) {
    process.stdout.write(`${new Date(at).toISOString()}  ${kind} ${printable(value)}\n`);
  }
  return 0;
}

function open({ namespace, secret, context }: Pick<RevokeOptions, 'namespace' | 'secret' | 'context'>) {
  const { api } = new Cluster({ namespace, context });
  const document = new SecretDocument(api, namespace, secret);
  return Revocations.open({ document, clock: systemClock, log: silentLog });
}

/** Throws UsageError unless exactly one thing is named, in its own form. */
function revocationOf({ pod, serial, serviceAccount }: RevokeOptions): Revocation {
  const forms = {
    pod: [pod, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'a pod is named by its UID'],
    serial: [serial, /^([0-9a-f]{2}){1,20}$/, 'a serial is lower-case hexadecimal, as `certs` shows it'],
    serviceAccount: [serviceAccount, /^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*$/, 'write NAMESPACE/NAME'],
  } as const;
  const given = Object.entries(forms).flatMap(([kind, [value, form, say]]) =>
    value === undefined ? [] : [{ kind: kind as Revocation['kind'], value, form, say }],
  );
  const [one] = given;
  if (one === undefined || given.length > 1) {
    throw new UsageError('name one of --pod, --service-account and --serial');
  }
  if (!one.form.test(one.value)) throw new UsageError(`${printable(one.value)}: ${one.say}`);
  return { kind: one.kind, value: one.value, at: systemClock.now() };
}
