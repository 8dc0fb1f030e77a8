import { accessRefused, commandInvalid, notAllowed } from '../amqp-fault.js';
import type { MemoryUser } from '../broker-store.js';
import type { Fields } from '../wire/method-table.js';
import { MalformedError } from '../wire/wire-reader.js';
import { MECHANISMS, loginOf } from './sasl.js';
import type { Limits, SessionHost } from './session-host.js';

// AMQP's own minimum.
const FRAME_MIN = 4_096;

/** The bytes that a client of AMQP 0-9-1 begins with, and the answer to any others. */
export const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);

/** What a broker says first. */
export const startOf = ({ serverProperties }: SessionHost): Fields<'connection.start'> => ({
  versionMajor: 0,
  versionMinor: 9,
  serverProperties,
  mechanisms: Buffer.from(MECHANISMS),
  locales: Buffer.from('en_US'),
});

/** @returns who has logged in; undefined: nobody @throws AmqpFault for a mechanism that is not offered */
export function authenticate(
  { store }: SessionHost,
  { mechanism, response }: Fields<'connection.start-ok'>,
): MemoryUser | undefined {
  let login;
  try {
    login = loginOf(mechanism, response);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
  if (login === undefined) {
    throw commandInvalid(`unknown authentication mechanism '${mechanism}'`);
  }
  const user = store.users.get(login.username);
  return user?.password === login.password ? user : undefined;
}

export const loginRefused = (mechanism: string) =>
  accessRefused(
    `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
  );

/** @returns what holds from now on @throws AmqpFault when a client asks for what was not offered */
export function tuned(offered: Limits, asked: Fields<'connection.tune-ok'>): Limits {
  check('frame_max', offered.frameMax, FRAME_MIN, asked.frameMax);
  check('channel_max', offered.channelMax, 1, asked.channelMax);
  return {
    frameMax: asked.frameMax === 0 ? offered.frameMax : asked.frameMax,
    channelMax: asked.channelMax,
    heartbeat: asked.heartbeat,
  };
}

function check(field: string, offered: number, least: number, asked: number): void {
  const detail = field === 'channel_max' && asked === 0 ? ' (no limit)' : '';
  const refuse = (comparison: string, extreme: string, value: number): never => {
    throw notAllowed(
      `negotiated ${field} = ${asked}${detail} is ${comparison} than the ${extreme} allowed value (${value})`,
    );
  };
  if (asked !== 0 && asked < least) refuse('lower', 'minimum', least);
  if (asked === 0 || asked > offered) refuse('higher', 'maximum', offered);
}

/** @throws AmqpFault when there is no such virtual host, or it is not for this user */
export function assertMayOpen({ store }: SessionHost, user: MemoryUser, vhost: string): void {
  if (!store.vhosts.has(vhost)) throw notAllowed(`vhost ${vhost} not found`);
  if (user.vhosts?.includes(vhost) === false) {
    throw notAllowed(`access to vhost '${vhost}' refused for user '${user.username}'`);
  }
}
