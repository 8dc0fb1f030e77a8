import { notImplemented } from '../amqp-fault.js';
import type { MethodHandlers } from './method-handlers.js';

export const channelMethods: MethodHandlers<'channel.flow'> = {
  'channel.flow': (channel, { active }) => {
    if (!active) throw notImplemented('active=false');
    channel.send('channel.flow-ok', { active });
  },
};
