import type { MethodShapes } from './method-shape.js';

const reply = {
  replyCode: 'short',
  replyText: 'shortstr',
} as const;

const close = { ...reply, failingClass: 'short', failingMethod: 'short' } as const;

/** Of the connection and its channels. */
export const connectionMethods = {
  'connection.start': {
    id: [10, 10],
    fields: {
      versionMajor: 'octet',
      versionMinor: 'octet',
      serverProperties: 'table',
      mechanisms: 'longstr',
      locales: 'longstr',
    },
  },
  'connection.start-ok': {
    id: [10, 11],
    fields: {
      clientProperties: 'table',
      mechanism: 'shortstr',
      response: 'longstr',
      locale: 'shortstr',
    },
  },
  'connection.secure': { id: [10, 20], fields: { challenge: 'longstr' } },
  'connection.secure-ok': { id: [10, 21], fields: { response: 'longstr' } },
  'connection.tune': {
    id: [10, 30],
    fields: { channelMax: 'short', frameMax: 'long', heartbeat: 'short' },
  },
  'connection.tune-ok': {
    id: [10, 31],
    fields: { channelMax: 'short', frameMax: 'long', heartbeat: 'short' },
  },
  'connection.open': {
    id: [10, 40],
    fields: { virtualHost: 'shortstr', capabilities: 'shortstr', insist: 'bit' },
  },
  'connection.open-ok': { id: [10, 41], fields: { knownHosts: 'shortstr' } },
  'connection.close': { id: [10, 50], fields: close },
  'connection.close-ok': { id: [10, 51], fields: {} },
  'connection.blocked': { id: [10, 60], fields: { reason: 'shortstr' } },
  'connection.unblocked': { id: [10, 61], fields: {} },
  'connection.update-secret': {
    id: [10, 70],
    fields: { newSecret: 'longstr', reason: 'shortstr' },
  },
  'connection.update-secret-ok': { id: [10, 71], fields: {} },

  'channel.open': { id: [20, 10], fields: { outOfBand: 'shortstr' } },
  'channel.open-ok': { id: [20, 11], fields: { channelId: 'longstr' } },
  'channel.flow': { id: [20, 20], fields: { active: 'bit' } },
  'channel.flow-ok': { id: [20, 21], fields: { active: 'bit' } },
  'channel.close': { id: [20, 40], fields: close },
  'channel.close-ok': { id: [20, 41], fields: {} },

  'access.request': {
    id: [30, 10],
    fields: {
      realm: 'shortstr',
      exclusive: 'bit',
      passive: 'bit',
      active: 'bit',
      write: 'bit',
      read: 'bit',
    },
  },
  'access.request-ok': { id: [30, 11], fields: { ticket: 'short' } },
} as const satisfies MethodShapes;
