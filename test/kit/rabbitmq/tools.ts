import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Absolute paths of the programs that a run of real nodes needs. */
export interface RabbitMQTools {
  readonly server: string;
  readonly ctl: string;
  readonly epmd: string;
  readonly erlCall: string;
}

/** Debian's own scripts: unlike those in /usr/sbin they do not switch to the user `rabbitmq`. */
const DEBIAN = '/usr/lib/rabbitmq/bin';

/** The tools of an installed RabbitMQ, or undefined if there is none on this machine. */
export function findRabbitMQ(): RabbitMQTools | undefined {
  const server = firstOf([DEBIAN, ...path()], 'rabbitmq-server');
  const ctl = firstOf([DEBIAN, ...path()], 'rabbitmqctl');
  if (server === undefined || ctl === undefined) return undefined;
  const folders = [...path(), ...erlangFolders()];
  const epmd = firstOf(folders, 'epmd');
  const erlCall = firstOf(folders, 'erl_call');
  if (epmd === undefined || erlCall === undefined) return undefined;
  return { server, ctl, epmd, erlCall };
}

function path(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}

function firstOf(folders: readonly string[], program: string): string | undefined {
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** Erlang keeps epmd and erl_call in folders that carry versions, which not every distribution links. */
function erlangFolders(): string[] {
  const erl = firstOf(path(), 'erl');
  if (erl === undefined) return [];
  const print = 'io:put_chars(code:root_dir()),halt().';
  const root = execFileSync(erl, ['-noshell', '-eval', print], { encoding: 'utf8' });
  return [...versionsOf(root, 'erts-'), ...versionsOf(join(root, 'lib'), 'erl_interface-')];
}

function versionsOf(folder: string, prefix: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(folder, name, 'bin'));
}
