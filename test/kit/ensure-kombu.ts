import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian's own, which sees Debian's packages. */
export const PYTHON = '/usr/bin/python3';

const present = (): Promise<boolean> =>
  run(PYTHON, ['-c', 'import kombu']).then(
    () => true,
    () => false,
  );

/**
 * Finds kombu on this machine. Where there is none, and this process is root on a Debian, it says so in one line and installs
 * Debian's package.
 *
 * @throws Error that says what to install, where it cannot do so itself
 */
export async function ensureKombu(log: (line: string) => void): Promise<void> {
  if (await present()) return;
  const missing = 'These tests run kombu: install python3-kombu for the python3 of the system.';
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(missing);
  log("kombu is not here: installing Debian's python3-kombu");
  const apt = ['-o', 'DPkg::Lock::Timeout=300'];
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  };
  await run('apt-get', [...apt, 'update'], options);
  await run(
    'apt-get',
    [...apt, 'install', '-y', '--no-install-recommends', 'python3-kombu'],
    options,
  );
  if (!(await present())) throw new Error(missing);
}
