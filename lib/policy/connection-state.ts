import type { BrokerFailure } from '../errors.js';
import type { LegalMoves } from './transition.js';
import { transition } from './transition.js';

/**
 * Where a connection stands. `since` and `until` are readings of its clock in milliseconds; `broker` is an address with
 * the password masked; `Link` is what lives and dies with one connection to one broker.
 *
 * - `idle`: nobody asked for it yet, or nobody does any more
 * - `connecting`: one broker is being dialled
 * - `waiting`: a full round failed; the next begins at `until`
 * - `refused`: in a full round each broker answered and said no (login, virtual host, limit); tried again at `until`
 * - `connected`, `closing`, `closed`
 */
export type ConnectionState<Link = unknown> =
  | { readonly status: 'idle'; readonly failures: readonly BrokerFailure[] }
  | { readonly status: 'connecting'; readonly since: number; readonly broker: string }
  | {
      readonly status: 'waiting' | 'refused';
      readonly since: number;
      readonly until: number;
      readonly failures: readonly BrokerFailure[];
    }
  | {
      readonly status: 'connected';
      readonly since: number;
      readonly broker: string;
      readonly link: Link;
    }
  | { readonly status: 'closing'; readonly since: number }
  | { readonly status: 'closed'; readonly since: number };

const moves: LegalMoves<ConnectionState['status']> = {
  idle: ['connecting', 'closing'],
  connecting: ['connecting', 'connected', 'waiting', 'refused', 'idle', 'closing'],
  waiting: ['connecting', 'idle', 'closing'],
  refused: ['connecting', 'idle', 'closing'],
  connected: ['connecting', 'waiting', 'closing'],
  closing: ['closed'],
  closed: [],
};

/** Moves a connection from one state to the next. */
export const connectionTransition = <Link>(
  from: ConnectionState<Link>,
  to: ConnectionState<Link>,
): ConnectionState<Link> => transition<ConnectionState<Link>>(moves, from, to);
