/** The key of `arguments` that each option of a queue stands for. */
export const queueArguments = {
  type: 'x-queue-type',
  expires: 'x-expires',
  messageTtl: 'x-message-ttl',
  maxLength: 'x-max-length',
  maxLengthBytes: 'x-max-length-bytes',
  maxPriority: 'x-max-priority',
  overflow: 'x-overflow',
  deadLetterExchange: 'x-dead-letter-exchange',
  deadLetterRoutingKey: 'x-dead-letter-routing-key',
  deliveryLimit: 'x-delivery-limit',
  singleActiveConsumer: 'x-single-active-consumer',
} as const;
