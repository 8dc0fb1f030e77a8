import type { Content } from '../wire/frame-writer.js';
import type { Method } from '../wire/method-codec.js';
import type { Fields, MethodName } from '../wire/method-table.js';
import type { ServerChannel } from '../session/server-channel.js';
import { accessMethods } from './access.js';
import { basicMethods } from './basic.js';
import { channelMethods } from './channel.js';
import { confirmMethods } from './confirm.js';
import { consumeMethods } from './consume.js';
import { exchangeMethods } from './exchange.js';
import { notImplementedMethods } from './not-implemented.js';
import { queueMethods } from './queue.js';
import { commandInvalid } from '../amqp-fault.js';

type Handler = (channel: ServerChannel, fields: Fields, content: Content | undefined) => void;

const handlers = new Map<MethodName, Handler>(
  Object.entries({
    ...accessMethods,
    ...basicMethods,
    ...channelMethods,
    ...confirmMethods,
    ...consumeMethods,
    ...exchangeMethods,
    ...queueMethods,
    ...notImplementedMethods,
  }) as [MethodName, Handler][],
);

/** Does what a client asks for on an open channel. @throws AmqpFault */
export function handle(
  channel: ServerChannel,
  { name, fields }: Method,
  content: Content | undefined,
): void {
  const handler = handlers.get(name);
  if (handler === undefined) throw commandInvalid('unimplemented method');
  handler(channel, fields, content);
}
