/** The name of the connection that has none of its own. */
export const DEFAULT_CONNECTION = 'default';

/** On a class: the options of `@Consumer`. */
export const CONSUMER_METADATA = 'nestjs-failover:consumer';
/** On a method: it handles messages. */
export const ON_MESSAGE_METADATA = 'nestjs-failover:on-message';
/** On a method: an `EnsuredMethod`. */
export const ENSURE_RETRY_METADATA = 'nestjs-failover:ensure-retry';
/** On a class and one of its methods: the positions of the parameters that receive a live channel. */
export const RETRY_CHANNEL_METADATA = 'nestjs-failover:retry-channel';

/** What `forRoot` was given, or what the factory of `forRootAsync` returned. */
export const FAILOVER_MODULE_OPTIONS = 'FAILOVER_MODULE_OPTIONS';
/** The same, checked and with every default filled in. */
export const RESOLVED_MODULE_OPTIONS = 'RESOLVED_FAILOVER_MODULE_OPTIONS';
/** A `FailoverOverrides` for tests; nothing else provides it. */
export const FAILOVER_OVERRIDES = 'FAILOVER_OVERRIDES';

/** What guards, interceptors and filters see as `context.getType()` while a message is handled. */
export const FAILOVER_CONTEXT_TYPE = 'failover';
