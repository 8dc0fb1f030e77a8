/** Class and method ids (AMQP 0-9-1 and RabbitMQ's extensions) of the methods that wait for a reply. */
const RPC_METHODS = {
  'channel.open': [20, 10],
  'exchange.declare': [40, 10],
  'exchange.delete': [40, 20],
  'exchange.bind': [40, 30],
  'exchange.unbind': [40, 40],
  'queue.declare': [50, 10],
  'queue.bind': [50, 20],
  'queue.purge': [50, 30],
  'queue.delete': [50, 40],
  'queue.unbind': [50, 50],
  'basic.qos': [60, 10],
  'basic.consume': [60, 20],
  'basic.cancel': [60, 30],
  'basic.get': [60, 70],
  'basic.recover': [60, 110],
  'confirm.select': [85, 10],
} as const satisfies Record<string, readonly [classId: number, methodId: number]>;

export type RpcMethod = keyof typeof RPC_METHODS;

/** What a broker says when it closes a channel: its code, and the method it closed it over (0, 0 when over none). */
export interface CloseReply {
  readonly code: number | undefined;
  readonly classId: number | undefined;
  readonly methodId: number | undefined;
}

const numberIn = (error: object, key: string): number | undefined => {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'number' ? value : undefined;
};

/** Reads the numbers that amqplib puts on its plain `Error`s. A socket error's `code` is a string and is no reply code. */
export function closeReply(error: unknown): CloseReply {
  const source = typeof error === 'object' && error !== null ? error : {};
  return {
    code: numberIn(source, 'code'),
    classId: numberIn(source, 'classId'),
    methodId: numberIn(source, 'methodId'),
  };
}

/** The reply code, if the broker closed the channel over this very method and not over a publish or ack before it. */
export function codeFor(method: RpcMethod, error: unknown): number | undefined {
  const reply = closeReply(error);
  const [classId, methodId] = RPC_METHODS[method];
  return reply.classId === classId && reply.methodId === methodId ? reply.code : undefined;
}
