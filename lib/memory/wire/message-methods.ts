import type { MethodShapes } from './method-shape.js';

const reply = {
  replyCode: 'short',
  replyText: 'shortstr',
} as const;

const answer = { deliveryTag: 'longlong', multiple: 'bit' } as const;

/** Of messages: publishing, consuming, confirming. */
export const messageMethods = {
  'basic.qos': {
    id: [60, 10],
    fields: { prefetchSize: 'long', prefetchCount: 'short', global: 'bit' },
  },
  'basic.qos-ok': { id: [60, 11], fields: {} },
  'basic.consume': {
    id: [60, 20],
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      consumerTag: 'shortstr',
      noLocal: 'bit',
      noAck: 'bit',
      exclusive: 'bit',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'basic.consume-ok': { id: [60, 21], fields: { consumerTag: 'shortstr' } },
  'basic.cancel': { id: [60, 30], fields: { consumerTag: 'shortstr', nowait: 'bit' } },
  'basic.cancel-ok': { id: [60, 31], fields: { consumerTag: 'shortstr' } },
  'basic.publish': {
    id: [60, 40],
    fields: {
      ticket: 'short',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      mandatory: 'bit',
      immediate: 'bit',
    },
    content: true,
  },
  'basic.return': {
    id: [60, 50],
    fields: { ...reply, exchange: 'shortstr', routingKey: 'shortstr' },
    content: true,
  },
  'basic.deliver': {
    id: [60, 60],
    fields: {
      consumerTag: 'shortstr',
      deliveryTag: 'longlong',
      redelivered: 'bit',
      exchange: 'shortstr',
      routingKey: 'shortstr',
    },
    content: true,
  },
  'basic.get': { id: [60, 70], fields: { ticket: 'short', queue: 'shortstr', noAck: 'bit' } },
  'basic.get-ok': {
    id: [60, 71],
    fields: {
      deliveryTag: 'longlong',
      redelivered: 'bit',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      messageCount: 'long',
    },
    content: true,
  },
  'basic.get-empty': { id: [60, 72], fields: { clusterId: 'shortstr' } },
  'basic.ack': { id: [60, 80], fields: answer },
  'basic.reject': { id: [60, 90], fields: { deliveryTag: 'longlong', requeue: 'bit' } },
  'basic.recover-async': { id: [60, 100], fields: { requeue: 'bit' } },
  'basic.recover': { id: [60, 110], fields: { requeue: 'bit' } },
  'basic.recover-ok': { id: [60, 111], fields: {} },
  'basic.nack': { id: [60, 120], fields: { ...answer, requeue: 'bit' } },

  'confirm.select': { id: [85, 10], fields: { nowait: 'bit' } },
  'confirm.select-ok': { id: [85, 11], fields: {} },

  'tx.select': { id: [90, 10], fields: {} },
  'tx.select-ok': { id: [90, 11], fields: {} },
  'tx.commit': { id: [90, 20], fields: {} },
  'tx.commit-ok': { id: [90, 21], fields: {} },
  'tx.rollback': { id: [90, 30], fields: {} },
  'tx.rollback-ok': { id: [90, 31], fields: {} },
} as const satisfies MethodShapes;
