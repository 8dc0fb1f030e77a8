import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

import { findRabbitMQ } from './tools.js';
import type { RabbitMQTools } from './tools.js';

const run = promisify(execFile);

/**
 * A shell does it all, because its trap also runs on Ctrl-C: a policy-rc.d of ours that stayed behind would keep
 * every later service of this machine from starting.
 */
const INSTALL = `
set -e
policy=/usr/sbin/policy-rc.d
saved=
if [ -e "$policy" ] || [ -L "$policy" ]; then saved="$policy.saved.$$"; fi
restore() {
  rm -f "$policy"
  if [ -n "$saved" ]; then mv "$saved" "$policy"; fi
}
trap 'exit 130' INT TERM HUP
if [ -n "$saved" ]; then mv "$policy" "$saved"; fi
trap restore EXIT
printf '#!/bin/sh\\nexit 101\\n' > "$policy"
chmod 755 "$policy"
apt-get -o DPkg::Lock::Timeout=300 update
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends rabbitmq-server
`;

/**
 * Finds RabbitMQ's programs on this machine. Where there are none, and this process is root on a Debian, it says so
 * in one line and installs Debian's package, whose service is kept from starting.
 *
 * @throws Error that says what to install, where it cannot do so itself.
 */
export async function ensureRabbitMQ(log: (line: string) => void): Promise<RabbitMQTools> {
  const found = findRabbitMQ();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(missing());
  log("RabbitMQ is not here: installing Debian's rabbitmq-server, its service kept from starting");
  try {
    await run('/bin/sh', ['-c', INSTALL], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (cause) {
    throw new Error(`apt-get could not install it. ${missing()}`, { cause });
  }
  const installed = findRabbitMQ();
  if (installed === undefined) throw new Error(missing());
  return installed;
}

function missing(): string {
  return (
    'These tests run real RabbitMQ nodes: install rabbitmq-server 3.10 or later with Erlang (epmd and erl_call ' +
    'included) so that it is on PATH, or use `npm run test:unit`, which runs the part that needs no broker.'
  );
}
