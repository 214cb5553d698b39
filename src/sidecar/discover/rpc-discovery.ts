import { DISCOVERY, RPC_REASONS, RpcChannel, type RpcChannelConfig } from '#rpc';
import type { OpenDiscovery } from './subscription.ts';

/** Streams over gRPC. Each has a connection of its own, so that it shows the certificate of its day. */
export function rpcDiscovery(config: RpcChannelConfig): OpenDiscovery {
  return ({ response, ended }) => {
    const channel = new RpcChannel(config);
    const call = channel.bidirectional(DISCOVERY.Watch);
    let over = false;
    const close = (): boolean => {
      const first = !over;
      over = true;
      return first;
    };
    call.on('data', response);
    call.on('error', (error: Parameters<RpcChannel['failure']>[0]) => {
      if (!close()) return;
      const { reason, detail, remoteCode } = channel.failure(error);
      channel.close();
      ended({ reason, detail: [remoteCode, detail].filter(Boolean).join(': ') });
    });
    call.on('end', () => {
      if (!close()) return;
      channel.close();
      ended({ reason: RPC_REASONS['rpc-unavailable'], detail: 'the controller ended the stream' });
    });
    return {
      send(request) {
        if (!over) call.write(request);
      },
      close() {
        if (!close()) return;
        call.cancel();
        channel.close();
      },
    };
  };
}
