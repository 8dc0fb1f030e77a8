import { isAmqpError } from '../errors.js';
import type { ConnectFailureReason } from '../errors.js';
import type { Broker } from './broker.js';
import { printable } from '../printable.js';

/** Why a broker could not be connected to, in our words. */
export interface HandshakeRefusal {
  readonly reason: ConnectFailureReason;
  readonly what: string;
  readonly remedy: string;
}

const CONNECTION_ACCESS: ReadonlySet<number> = new Set([402, 403, 530]);
const TLS_CODE =
  /^(?:ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_|EPROTO)/u;
const NOT_AMQP =
  /^(?:Frame size |Invalid frame|Unknown frame type|Expected ConnectionStart;|Server frameMax |Frame on channel != 0)/u;

const START_IT =
  'Check host and port, and that the broker runs and a firewall lets its port through.';

/**
 * Reads why a handshake failed, which amqplib tells in words only: the one place where its texts are read. Words that it
 * does not know mean that the broker refused us while opening. The texts are pinned by contract tests.
 */
export function handshakeRefusal(broker: Broker, error: unknown): HandshakeRefusal {
  const { message: text, code } = wordsOf(error);
  const what = printable(text === '' ? code : text);
  const user = `user "${printable(broker.username)}"`;
  if (isAmqpError(error)) {
    const refused = error.code !== undefined && CONNECTION_ACCESS.has(error.code);
    return {
      reason: refused || error.fault.scope !== 'connection' ? 'refused' : 'unreachable',
      what: `it opened the connection but did not serve it (${what})`,
      remedy: 'The broker may be starting, stopping or at one of its limits; see its log.',
    };
  }
  if (TLS_CODE.test(code)) {
    return {
      reason: 'tls',
      what,
      remedy:
        'Check that this port speaks TLS, and that `tls.ca` and the host name match its certificate.',
    };
  }
  if (text.startsWith('Handshake terminated by server: 403')) {
    return {
      reason: 'refused',
      what: `it refused the login of ${user}`,
      remedy: 'Check user name and password; RabbitMQ lets guest log in from its own machine only.',
    };
  }
  if (text.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')) {
    return {
      reason: 'refused',
      what: `it refused to open virtual host "${printable(broker.vhost)}" for ${user}`,
      remedy:
        'Check that the virtual host exists and runs, the permissions of the user, and the connection limits.',
    };
  }
  if (text.startsWith('SASL mechanism')) {
    return {
      reason: 'refused',
      what,
      remedy: 'Check `authMechanism` against `auth_mechanisms` of the broker.',
    };
  }
  if (NOT_AMQP.test(text)) {
    return {
      reason: 'protocol',
      what: `it does not speak AMQP 0-9-1 (${what})`,
      remedy: 'Check the port: 5672 is usual for amqp, 5671 for amqps; 15672 is HTTP.',
    };
  }
  if (text.startsWith('Socket closed abruptly')) {
    return {
      reason: 'unreachable',
      what: 'it closed the socket during the handshake',
      remedy:
        'The broker may be starting or stopping, the port may expect TLS (amqps), or the login is wrong.',
    };
  }
  if (code !== '')
    return { reason: code === 'ETIMEDOUT' ? 'timeout' : 'unreachable', what, remedy: START_IT };
  return {
    reason: 'refused',
    what: `it refused us while opening (${what})`,
    remedy: 'See the log of the broker.',
  };
}

function wordsOf(error: unknown): { message: string; code: string } {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  return {
    message: typeof message === 'string' ? message : '',
    code: typeof code === 'string' ? code : '',
  };
}
