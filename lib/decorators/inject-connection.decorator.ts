import { Inject } from '@nestjs/common';
import { getConnectionToken } from '../failover.tokens.js';

/** Injects the `FailoverConnection` of that name; without a name, the one of `forRoot` without a name. */
export const InjectConnection = (name?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getConnectionToken(name));
