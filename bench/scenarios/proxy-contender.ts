/**
 * A proxy that is put to one of the operations.
 */
import { handshakeContender } from '../handshake-contender.js';
import { performStreams } from '../h2load.js';
import type { ExchangeOrder } from '../load/orders.js';
import type { Contender } from '../measure.js';
import type { Setting } from '../setting.js';
import type { ExchangeOperation, Operation, StreamsOperation } from './operations.js';

type Proxy = Omit<Contender, 'perform'>;

export function proxyContender(setting: Setting, operation: Operation, proxy: Proxy): Contender {
  switch (operation.kind) {
    case 'handshakes': {
      const { key, tls, tickets } = operation;
      const { name, certificate } = setting[key];
      return handshakeContender(setting.load, { ...proxy, names: [name], certificate, tls, tickets });
    }
    case 'exchanges':
      return exchangeContender(setting, operation, proxy);
    case 'streams':
      return streamsContender(setting, operation, proxy);
  }
}

function exchangeContender(
  { load, ec }: Setting,
  { connections, protocol, upBytes, downBytes, headBytes }: ExchangeOperation,
  proxy: Proxy,
): Contender {
  const { name, certificate } = ec;
  const order: Omit<ExchangeOrder, 'operations'> = {
    kind: 'exchanges',
    ...{ port: proxy.server.port, concurrency: connections },
    ...{ protocol, name, certificate, upBytes, downBytes },
    ...(headBytes === undefined ? {} : { headBytes }),
  };
  return {
    ...proxy,
    async perform(operations) {
      await load.perform({ ...order, operations });
    },
  };
}

function streamsContender(setting: Setting, { streams, bytes }: StreamsOperation, proxy: Proxy): Contender {
  const { load, ec } = setting;
  const { port } = proxy.server;
  const { name } = ec;
  const path = `/${bytes?.downBytes ?? ''}`;
  const upBytes = bytes?.upBytes ?? 0;
  const body = upBytes > 0 && { bodyPath: setting.bodyFile(upBytes) };
  // h2load looks at no certificate.
  const checked = handshakeContender(load, { ...proxy, names: [name], certificate: ec.certificate });
  return {
    ...proxy,
    async perform(operations, isMeasured) {
      if (!isMeasured) await checked.perform(1, false);
      await performStreams({ port, name, path, operations, streams, ...body });
    },
  };
}
