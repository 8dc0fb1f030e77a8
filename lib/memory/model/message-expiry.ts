import type { StoredMessage } from './message.js';
import type { QueueSettings } from './queue-arguments.js';

/** When a message of a queue expires: after its own time or that of the queue, the shorter one. @returns undefined for never */
export function expiryOf(
  { decoded: { expiration } }: StoredMessage,
  { messageTtl }: QueueSettings,
  now: number,
): number | undefined {
  if (messageTtl === undefined && expiration === undefined) return undefined;
  const own = expiration === undefined ? Number.POSITIVE_INFINITY : Number(expiration);
  return now + Math.min(own, messageTtl ?? Number.POSITIVE_INFINITY);
}
