import type { MethodHandlers } from './method-handlers.js';

export const accessMethods: MethodHandlers<'access.request'> = {
  // Long obsolete; RabbitMQ grants it without a look.
  'access.request': (channel) => channel.send('access.request-ok', { ticket: 1 }),
};
