import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** What npm tells scripts about the package it runs them for is not for the npm that works on another one. */
const OWN =
  /^(?:npm_package_|npm_lifecycle_|npm_config_local_prefix$|NODE_OPTIONS$|VITEST|NODE_ENV$)/;

export const cleanEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN.test(name)));

/** Runs npm in that folder for at most four minutes. @returns what it printed @throws Error with all that it printed */
export async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const options = { cwd, env: cleanEnv(), timeout: 240_000, maxBuffer: 64 * 1024 * 1024 };
  try {
    return (await exec('npm', [...args, ...quiet], options)).stdout;
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause });
  }
}
