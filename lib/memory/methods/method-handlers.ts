import type { ServerChannel } from '../session/server-channel.js';
import type { Content } from '../wire/frame-writer.js';
import type { Fields, MethodName } from '../wire/method-table.js';

/** What to do for each method of a class. A content is there for methods that have one. @throws AmqpFault */
export type MethodHandlers<Names extends MethodName> = {
  readonly [M in Names]: (channel: ServerChannel, fields: Fields<M>, content: Content) => void;
};
