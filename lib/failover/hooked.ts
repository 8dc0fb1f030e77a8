import { hookFailed } from '../consumer.messages.js';
import type { ConnectionParts } from './connection-parts.js';

/** Calls and awaits a hook of the user's. What it throws is logged and changes nothing. */
export async function hooked(
  { logger }: Pick<ConnectionParts, 'logger'>,
  name: string,
  hook: () => unknown,
): Promise<void> {
  try {
    await hook();
  } catch (error) {
    logger.error(hookFailed(name), error);
  }
}
