import type { MethodShapes } from './method-shape.js';

const bound = {
  ticket: 'short',
  destination: 'shortstr',
  source: 'shortstr',
  routingKey: 'shortstr',
  nowait: 'bit',
  arguments: 'table',
} as const;

/** Of exchanges and queues. */
export const entityMethods = {
  'exchange.declare': {
    id: [40, 10],
    fields: {
      ticket: 'short',
      exchange: 'shortstr',
      type: 'shortstr',
      passive: 'bit',
      durable: 'bit',
      autoDelete: 'bit',
      internal: 'bit',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'exchange.declare-ok': { id: [40, 11], fields: {} },
  'exchange.delete': {
    id: [40, 20],
    fields: { ticket: 'short', exchange: 'shortstr', ifUnused: 'bit', nowait: 'bit' },
  },
  'exchange.delete-ok': { id: [40, 21], fields: {} },
  'exchange.bind': { id: [40, 30], fields: bound },
  'exchange.bind-ok': { id: [40, 31], fields: {} },
  'exchange.unbind': { id: [40, 40], fields: bound },
  'exchange.unbind-ok': { id: [40, 51], fields: {} },

  'queue.declare': {
    id: [50, 10],
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      passive: 'bit',
      durable: 'bit',
      exclusive: 'bit',
      autoDelete: 'bit',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'queue.declare-ok': {
    id: [50, 11],
    fields: { queue: 'shortstr', messageCount: 'long', consumerCount: 'long' },
  },
  'queue.bind': {
    id: [50, 20],
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'queue.bind-ok': { id: [50, 21], fields: {} },
  'queue.purge': { id: [50, 30], fields: { ticket: 'short', queue: 'shortstr', nowait: 'bit' } },
  'queue.purge-ok': { id: [50, 31], fields: { messageCount: 'long' } },
  'queue.delete': {
    id: [50, 40],
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      ifUnused: 'bit',
      ifEmpty: 'bit',
      nowait: 'bit',
    },
  },
  'queue.delete-ok': { id: [50, 41], fields: { messageCount: 'long' } },
  'queue.unbind': {
    id: [50, 50],
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      arguments: 'table',
    },
  },
  'queue.unbind-ok': { id: [50, 51], fields: {} },
} as const satisfies MethodShapes;
