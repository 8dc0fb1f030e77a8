import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import tls from 'node:tls';

const CREATED = 'net.client.socket';

/**
 * Runs `dial`, which connects a socket before it returns, and gives that socket: the first one of TCP or TLS.
 * `undefined` when there is none, or when `node:tls` is frozen. What `dial` throws is thrown on.
 *
 * Node tells of a new TCP socket on the diagnostics channel `net.client.socket`. It has no such channel for TLS (20, 22
 * and 24), and no option of `tls.connect` ever meets the TLSSocket; an own `socket` would see ciphertext. So `connect` of the
 * object `node:tls`, which amqplib calls, is ours for one call at most and not beyond this turn.
 */
export function dialledSocket(dial: () => void): Socket | undefined {
  let dialled: Socket | undefined;
  const keep = (socket: unknown): void => {
    if (socket instanceof Socket) dialled ??= socket;
  };
  const created = (event: unknown): void => keep((event as { socket?: unknown }).socket);
  const { connect } = tls;
  const connectOnce = (...args: unknown[]): unknown => {
    // Before the call: a `lookup` of the user may dial a name server in it.
    stop();
    const socket: unknown = Reflect.apply(connect, tls, args);
    keep(socket);
    return socket;
  };
  const stop = (): void => {
    unsubscribe(CREATED, created);
    if (tls.connect === connectOnce) Reflect.set(tls, 'connect', connect);
  };
  subscribe(CREATED, created);
  Reflect.set(tls, 'connect', connectOnce);
  try {
    dial();
  } finally {
    stop();
  }
  return dialled;
}
