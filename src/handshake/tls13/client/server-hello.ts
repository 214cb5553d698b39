import { decodeServerShare } from '../../extensions/key-share.ts';
import { decodeSelectedIdentity } from '../../extensions/pre-shared-key.ts';
import { GROUPS } from '../../groups.ts';
import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import { type Suite, type SuiteName, SUITES } from '../../suites.ts';
import { EarlyStage } from '../key-schedule.ts';
import { pskSelected } from '../proven-peer.ts';
import type { ClientContext, SentHello } from './context.ts';
import { ExpectEncryptedExtensions } from './expect-encrypted-extensions.ts';

/** RFC 8446 4.1.3: takes the server's share, derives the handshake keys and starts to use them. */
export function acceptServerHello(
  context: ClientContext,
  sent: SentHello,
  message: Received<'server_hello'>,
  choice: { readonly suite: SuiteName; readonly helloRetry: boolean },
  port: Port,
): ExpectEncryptedExtensions {
  const { extensions, random } = message.body;
  extensions.requireSolicited(sent.offered, 'SH');
  const body = extensions.get('key_share');
  if (body === undefined) fail('missing-extension', 'key_share in ServerHello');
  const share = decodeServerShare(body);
  const ours = sent.keyShares.find(({ group }) => GROUPS[group].id === share.group);
  if (ours === undefined) fail('unoffered-choice', `a key share for group ${share.group}`);
  const { group } = ours;
  port.emit({ type: 'server-hello', random, suite: choice.suite, group, helloRetry: choice.helloRetry });

  const secret = port.measure('key-exchange', () => ours.finish(share.keyExchange));
  if (!secret.ok) fail(secret.error, group);
  port.transcript.add(message.raw);

  const suite = SUITES[choice.suite];
  const chosen = choosePsk(sent, extensions.get('pre_shared_key'), suite);
  const schedule = new EarlyStage(port.crypto, suite, chosen?.key.psk.secret).intoHandshake(secret.value);
  sent.offer?.wipe();
  const hash = port.transcript.value();
  const clientSecret = schedule.clientTraffic(hash);
  const serverSecret = schedule.serverTraffic(hash);
  port.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', context.random, clientSecret);
  port.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', context.random, serverSecret);
  port.wipeAtEnd(schedule, clientSecret, serverSecret);
  port.changeReadKeys(suite, serverSecret, port.requireAligned());
  // RFC 8446 D.4: the dummy record stands before what is first sent under new keys.
  port.sendChangeCipherSpec();
  const keys = { suite, schedule, clientSecret, serverSecret };
  // While the server has not said whether it takes the early data, that goes on under its own keys.
  const earlyDataOpen = sent.earlyData && chosen?.index === 0;
  if (!earlyDataOpen) {
    port.earlyOutput.close();
    port.changeWriteKeys(suite, clientSecret);
  }
  return new ExpectEncryptedExtensions(context, sent, keys, {
    name: choice.suite,
    chosen: chosen?.selected,
    earlyDataOpen,
  });
}

/** RFC 8446 4.2.11: "Clients MUST verify" that the index is one of theirs, and that the suite has the key's hash. */
function choosePsk({ offer }: SentHello, body: Uint8Array | undefined, suite: Suite) {
  if (body === undefined) return undefined;
  const index = decodeSelectedIdentity(body);
  const keys = offer?.keys ?? [];
  const selected = pskSelected(index, keys.length);
  if (selected === undefined) fail('unoffered-choice', `pre-shared key ${index} of ${keys.length}`);
  const key = keys[index]!;
  if (key.psk.suite.hash !== suite.hash)
    fail('unoffered-choice', 'a suite whose hash is not that of the key');
  return { index, key, selected };
}
