import type { FailoverOptions } from './failover-module-options.interface.js';

/** How a test changes the connections of a module under test, whatever that was configured with. */
export interface FailoverOverrides {
  /** @returns the options to use for the connection of that name */
  options(name: string, given: FailoverOptions): FailoverOptions;
  /** These are the connections of the app. @throws Error when others are meant */
  configured(names: readonly string[]): void;
  /** The app has closed its connections. */
  closed(): Promise<void>;
}
