import type { Type } from '@nestjs/common';
import { DEFAULT_CONNECTION } from './failover.constants.js';
import { FailoverConnection } from './failover/failover-connection.js';
import { Producer } from './failover/producer.js';

/** @returns the token of a connection: the class itself for the one without a name, as in `overrideProvider(getConnectionToken())` */
export const getConnectionToken = (name = DEFAULT_CONNECTION): string | Type<FailoverConnection> =>
  name === DEFAULT_CONNECTION ? FailoverConnection : `FailoverConnection_${name}`;

/** @returns the token of the producer of a connection: the class itself for the one without a name */
export const getProducerToken = (name = DEFAULT_CONNECTION): string | Type<Producer> =>
  name === DEFAULT_CONNECTION ? Producer : `Producer_${name}`;
