import { AmqpFault, channelError, internalError } from '../amqp-fault.js';
import type { Frame } from '../wire/frame-parser.js';
import { FrameType, isKnown } from '../wire/frame-parser.js';
import type { Method } from '../wire/method-codec.js';
import { UndecodableError, decodeMethod } from '../wire/method-codec.js';
import type { Fields, MethodName } from '../wire/method-table.js';
import { misplacedFrame, unknownFrame } from './bad-frames.js';
import { ClientProperties } from './client-properties.js';
import { assertMayOpen, authenticate, loginRefused, tuned } from './handshake.js';
import type { Session } from './session.js';

/** A frame on channel 0: of the connection itself. @throws AmqpFault @throws MalformedError */
export function connectionFrame(session: Session, frame: Frame): void {
  const isMethod = frame.type === FrameType.method && isKnown(frame);
  if (session.phase === 'closing' && !isMethod) return;
  if (!isKnown(frame)) throw unknownFrame(frame);
  if (frame.type === FrameType.heartbeat) return;
  if (!isMethod) throw misplacedFrame(frame);
  const method = methodOf(frame);
  try {
    if (session.host.faults.none) handle(session, method);
    else control(session, method);
  } catch (error) {
    if (!(error instanceof AmqpFault)) throw error;
    session.close(error, method.name);
  }
}

/** @throws AmqpFault, otherwise than on a channel for fields that cannot be read */
function methodOf({ payload }: Frame): Method {
  try {
    return decodeMethod(payload);
  } catch (error) {
    throw error instanceof UndecodableError && error.bytes !== undefined ? internalError() : error;
  }
}

/** Does what a fault of the test wants, or else what the method wants. */
function control(session: Session, method: Method): void {
  const { host, name: connection } = session;
  const { name, fields } = method;
  const controlled = { method: name, fields, channel: 0, connection, body: undefined };
  const action = host.faults.decide('client', controlled);
  if (action === 'kill') host.kill();
  else if (action === 'reset') session.reset();
  else if (typeof action === 'object' && 'delay' in action) {
    session.delay(action.delay, () => handle(session, method));
  } else if (typeof action === 'object' && 'closeConnection' in action) {
    session.close(new AmqpFault(action.closeConnection, action.text ?? 'as the test wants'));
  } else if (action !== 'drop') handle(session, method);
}

function is<M extends MethodName>(method: Method, name: M): method is Method<M> {
  return method.name === name;
}

function handle(session: Session, method: Method): void {
  if (is(method, 'connection.close-ok') && session.phase === 'closing') session.finish();
  else if (is(method, 'connection.close')) {
    session.channels.end();
    session.send(0, 'connection.close-ok', {});
    session.finish();
  } else if (session.phase !== 'closing') advance(session, method);
}

/** What is expected next, and nothing else. */
function advance(session: Session, method: Method): void {
  const { phase } = session;
  if (phase === 'starting' && is(method, 'connection.start-ok')) {
    silently(session, () => start(session, method.fields));
  } else if (phase === 'tuning' && is(method, 'connection.tune-ok')) {
    silently(session, () => {
      session.tune(tuned(session.host.limits, method.fields));
      session.phase = 'opening';
    });
  } else if (phase === 'opening' && is(method, 'connection.open')) {
    open(session, method.fields);
  } else if (phase === 'open' && is(method, 'connection.update-secret')) {
    session.send(0, 'connection.update-secret-ok', {});
  } else if (phase === 'open') {
    throw channelError('unexpected method in connection state running');
  } else session.finish();
}

/** RabbitMQ has no words for a client that it does not know yet. */
function silently(session: Session, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof AmqpFault)) throw error;
    session.finish();
  }
}

function start(session: Session, fields: Fields<'connection.start-ok'>): void {
  const { host } = session;
  session.client = new ClientProperties(fields.clientProperties);
  const user = authenticate(host, fields);
  if (user !== undefined) {
    session.user = user;
    session.phase = 'tuning';
    session.send(0, 'connection.tune', host.limits);
  } else if (session.client.hearsRefusal) session.close(loginRefused(fields.mechanism));
  else session.finish();
}

function open(session: Session, { virtualHost }: Fields<'connection.open'>): void {
  const { host, user } = session;
  if (user === undefined) return;
  try {
    assertMayOpen(host, user, virtualHost);
  } catch (error) {
    if (!(error instanceof AmqpFault)) throw error;
    session.close(error, 'connection.open');
    return;
  }
  const vhost = host.store.vhosts.get(virtualHost);
  if (vhost === undefined) return;
  session.opened(vhost);
  session.send(0, 'connection.open-ok', { knownHosts: '' });
}
