import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { npm } from './npm.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SOURCES = /^(?:lib|package\.json|tsconfig.*\.json|.*\.md|LICENSE)$/;

export interface Packed {
  readonly tarball: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Packs this package as a release does, its `prepack` script included, but from a copy of the sources: another process
 * may be running from the checkout's `dist`.
 */
export async function pack(folder: string): Promise<Packed> {
  const copy = join(folder, 'sources');
  await mkdir(copy, { recursive: true });
  for (const name of await readdir(ROOT)) {
    if (SOURCES.test(name)) await cp(join(ROOT, name), join(copy, name), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await npm(copy, 'run', 'build');
  const printed = await npm(
    copy,
    'pack',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    folder,
  );
  const [made] = JSON.parse(printed) as [
    { filename: string; files: { path: string }[]; size: number },
  ];
  const tarball = join(folder, made.filename);
  if (!existsSync(tarball)) throw new Error(`npm pack made no ${tarball}`);
  return { tarball, files: made.files.map(({ path }) => path), bytes: made.size };
}
