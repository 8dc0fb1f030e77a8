import type { Scope } from '@nestjs/common';
import type { ConsumerOptions } from '../failover/consumer-definition.js';

/** What `@Consumer` takes. Durations are milliseconds. */
export interface ConsumerDecoratorOptions extends ConsumerOptions {
  /** The name of the connection to consume from. @default the one without a name */
  readonly connection?: string | undefined;
  /**
   * The scope of the class. With `Scope.REQUEST` and `Scope.TRANSIENT` each message gets an instance of its own, and `REQUEST`
   * injects the message.
   *
   * @default Scope.DEFAULT
   */
  readonly scope?: Scope | undefined;
  /**
   * Guards, pipes, interceptors and filters of the whole app (`APP_GUARD`, `useGlobalGuards`, ...) run for its handlers too;
   * Nest's word for the same in a hybrid app. They have to know `context.getType() === 'failover'`.
   *
   * @default false: only those that are bound to a handler or its class
   */
  readonly inheritAppConfig?: boolean | undefined;
}
