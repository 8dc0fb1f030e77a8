import type { BrokerFailure } from '../errors.js';

/** An attempt to connect begins. `attempt` counts from 1 since the last connection that lived. */
export interface ConnectingEvent {
  readonly broker: string;
  readonly attempt: number;
}

/** A broker could not be connected to. `interval`: milliseconds until the next attempt, 0 within a round. */
export interface ConnectFailedEvent {
  readonly broker: string;
  readonly error: Error;
  readonly attempt: number;
  readonly interval: number;
}

/** In a full round, every broker answered and said no. */
export interface RefusedEvent {
  readonly failures: readonly BrokerFailure[];
  readonly interval: number;
}

/** Connected. `outage`: milliseconds since the last connection was lost; undefined the first time. */
export interface ConnectedEvent {
  readonly broker: string;
  readonly attempt: number;
  readonly outage: number | undefined;
}

/** The connection was lost. `lived`: milliseconds it lasted; `interval`: milliseconds until the next attempt. */
export interface LostEvent {
  readonly broker: string;
  readonly error: Error;
  readonly lived: number;
  readonly interval: number;
}

/** The broker blocks publishers (`reason`), or does so no longer (undefined). */
export interface BlockedEvent {
  readonly broker: string;
  readonly reason: string | undefined;
}

/** The connection was closed by its owner, for good. */
export interface ClosedEvent {
  readonly connectionName: string;
}

/** What a connection tells of itself. Broker addresses have their password masked. */
export interface ConnectionEvents {
  connecting: ConnectingEvent;
  failed: ConnectFailedEvent;
  refused: RefusedEvent;
  connected: ConnectedEvent;
  lost: LostEvent;
  blocked: BlockedEvent;
  closed: ClosedEvent;
}

/** The same as one union, as the Observable of a connection emits it. */
export type ConnectionEvent = {
  [Type in keyof ConnectionEvents]: { readonly type: Type } & ConnectionEvents[Type];
}[keyof ConnectionEvents];

/** Every type of event, in the order in which a connection goes through them. */
export const connectionEventTypes = [
  'connecting',
  'failed',
  'refused',
  'connected',
  'blocked',
  'lost',
  'closed',
] as const satisfies readonly (keyof ConnectionEvents)[];
