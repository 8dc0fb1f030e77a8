import { Observable } from 'rxjs';
import type { ConnectionEvent, ConnectionEvents } from './connection-events.js';
import { connectionEventTypes } from './connection-events.js';
import type { Listeners } from './listeners.js';

/** The events of a connection as an Observable that completes when it is closed. */
export const observeConnection = (listeners: Listeners<ConnectionEvents>) =>
  new Observable<ConnectionEvent>((subscriber) => {
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
