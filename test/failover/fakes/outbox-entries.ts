import type { PublishPolicy } from '../../../lib/failover/outbox-entry.js';
import { OutboxEntry } from '../../../lib/failover/outbox-entry.js';
import type { OutboxLimits } from '../../../lib/failover/outbox.js';

export interface EntryOptions extends Partial<PublishPolicy> {
  readonly key?: string;
  readonly exchange?: string;
  readonly deadline?: number;
  readonly body?: string;
}

/** An entry without a caller. */
export function entry(number: number, options: EntryOptions = {}): OutboxEntry {
  const { key = 'q', exchange = '', deadline = 30_000, body = '', ...given } = options;
  const message = {
    messageId: String(number),
    exchange,
    routingKey: key,
    content: Buffer.from(body),
    properties: { headers: {} },
    propertiesSize: 0,
  };
  const policy: PublishPolicy = {
    timeout: 30_000,
    maxRetries: undefined,
    republish: true,
    waits: true,
    errback: undefined,
    ...given,
  };
  const ignore = (): void => undefined;
  return new OutboxEntry(number, message, policy, deadline, ignore, ignore);
}

export const entries = (count: number, options?: EntryOptions): OutboxEntry[] =>
  Array.from({ length: count }, (_, index) => entry(index + 1, options));

export const numbers = (of: Iterable<OutboxEntry>): number[] => [...of].map(({ number }) => number);

/** What a broker says when it closes a channel over a publish to an exchange that it does not have. */
export const missing = (exchange: string) => ({
  code: 404,
  message: `closed: NOT_FOUND - no exchange '${exchange}' in vhost '/'`,
});

/** What a broker says when it ends a connection that sent what it cannot read. */
export const unreadable = { code: 501, message: 'closed: FRAME_ERROR' };

export const outboxLimits: OutboxLimits = {
  maxMessages: 100,
  maxBytes: 1_000_000,
  whenFull: 'reject',
  window: 16,
  nackRetries: 2,
  nackBackoff: { start: 100, max: 400 },
};
