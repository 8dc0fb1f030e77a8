import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A folder of plugins that holds only the broker itself, or undefined where the installation has another layout. A node
 * reads the description of every plugin several times at boot, enabled or not: with this it starts in two thirds of the
 * time. The broker's own libraries are found elsewhere (ERL_LIBS).
 */
export function fewPlugins(server: string, folder: string): string | undefined {
  const all = join(dirname(realpathSync(server)), '..', 'plugins');
  if (!existsSync(all)) return undefined;
  const broker = readdirSync(all).filter((name) => /^rabbit(_common)?-/.test(name));
  if (broker.length !== 2) return undefined;
  const few = join(folder, 'plugins');
  mkdirSync(few);
  for (const name of broker) symlinkSync(join(all, name), join(few, name));
  return few;
}
