import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import tls from 'node:tls';

const CREATED = 'net.client.socket';

/**
 * Runs `dial`, which connects a socket before it returns, and gives that socket: the first one of TCP or TLS.
 * `undefined` when there is none, or when `node:tls` is frozen. What `dial` throws is thrown on.
 *
 * Node tells of a new TCP socket on the diagnostics channel `net.client.socket`, but of a TLS socket only since some release
 * of 22 and 24, and never of one on a `socket` of the user. No documented option of `tls.connect` hands one out; a `socket` of
 * our own would see ciphertext. So `connect` of the CommonJS object `node:tls`, which amqplib calls, is ours while `dial` runs
 * and for its first call only.
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
