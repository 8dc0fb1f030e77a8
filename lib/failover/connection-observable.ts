import { Observable } from 'rxjs';
import type { ConnectionEvent, ConnectionEvents } from './connection-events.js';
import { connectionEventTypes } from './connection-events.js';
import type { Listeners } from './listeners.js';

/** The events of a connection as an Observable that completes when it is closed, or at once if it is closed already. */
export const observeConnection = (
  listeners: Listeners<ConnectionEvents>,
  isClosed: () => boolean,
) =>
  new Observable<ConnectionEvent>((subscriber) => {
    if (isClosed()) subscriber.complete();
    const stops = connectionEventTypes.map((type) =>
      listeners.on(type, (event) => {
        subscriber.next({ type, ...event } as ConnectionEvent);
        if (type === 'closed') subscriber.complete();
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  });
