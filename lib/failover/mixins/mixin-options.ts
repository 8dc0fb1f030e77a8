import { checkOptions, count, duration } from '../../policy/check-options.js';

/** How long a mixin consumes. */
export interface ConsumeOptions {
  /** Ends after this many messages. Without it there is no limit. */
  readonly limit?: number | undefined;
  /** Milliseconds: ends when no message has come for so long. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Milliseconds: the longest wait before `onIteration` is called again. @default 1000 */
  readonly safetyInterval?: number | undefined;
}

const checks = { limit: count(1), timeout: duration(1), safetyInterval: duration(1) } as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export function checkConsumeOptions(where: string, options: ConsumeOptions): void {
  checkOptions(where, options, checks);
}
