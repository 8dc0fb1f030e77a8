import { Inject } from '@nestjs/common';
import { getProducerToken } from '../failover.tokens.js';

/** Injects the `Producer` that publishes on the connection of that name. */
export const InjectProducer = (name?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getProducerToken(name));
