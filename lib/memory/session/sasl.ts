import { textOf } from '../wire/field-value.js';
import { MalformedError, WireReader } from '../wire/wire-reader.js';

export const MECHANISMS = 'AMQPLAIN PLAIN';

export interface Login {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the response of a login.
 *
 * @returns undefined for a mechanism that is not offered
 * @throws MalformedError
 */
export function loginOf(mechanism: string, response: Buffer): Login | undefined {
  if (mechanism === 'PLAIN') return plain(response);
  if (mechanism === 'AMQPLAIN') return amqplain(response);
  return undefined;
}

/** RFC 4616: an identity to act as, a NUL, the user, a NUL, the password. */
function plain(response: Buffer): Login {
  const [, username, password, ...more] = response.toString().split('\0');
  if (username === undefined || password === undefined || more.length > 0) {
    throw new MalformedError('a response of PLAIN has three parts');
  }
  return { username, password };
}

function amqplain(response: Buffer): Login {
  const table = new WireReader(response).restAsTable();
  const username = textOf(table.get('LOGIN'));
  const password = textOf(table.get('PASSWORD'));
  if (username === undefined || password === undefined) {
    throw new MalformedError('a response of AMQPLAIN has LOGIN and PASSWORD');
  }
  return { username, password };
}
