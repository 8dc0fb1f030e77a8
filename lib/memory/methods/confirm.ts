import type { MethodHandlers } from './method-handlers.js';

export const confirmMethods: MethodHandlers<'confirm.select'> = {
  'confirm.select': (channel, { nowait }) => {
    channel.confirm();
    if (!nowait) channel.send('confirm.select-ok', {});
  },
};
