import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { npm } from './npm.js';

const APPS = fileURLToPath(new URL('./apps', import.meta.url));

/** An app of ours in `apps/`, and the exact versions of Nest that it is installed with. */
export interface AppSpec {
  readonly folder: string;
  readonly type: 'module' | 'commonjs';
  readonly main: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const shared = { 'reflect-metadata': '0.2.2', rxjs: '7.8.2', '@types/node': '20.19.43' };

export const nest12: AppSpec = {
  folder: 'nest-12-esm',
  type: 'module',
  main: 'main.js',
  dependencies: { ...shared, '@nestjs/common': '12.5.1', '@nestjs/core': '12.5.1' },
};

export const nest11: AppSpec = {
  folder: 'nest-11-cjs',
  type: 'commonjs',
  main: 'main.cjs',
  dependencies: { ...shared, '@nestjs/common': '11.2.10', '@nestjs/core': '11.2.10' },
};

/** Copies the app into a folder that has nothing above it, and installs it with the tarball. */
export async function freshApp(root: string, app: AppSpec, tarball: string): Promise<string> {
  const folder = join(root, app.folder);
  await mkdir(folder);
  await cp(join(APPS, app.folder), folder, { recursive: true });
  await cp(join(APPS, 'consumer.ts'), join(folder, 'consumer.ts'));
  const dependencies = { ...app.dependencies, 'nestjs-failover': `file:${tarball}` };
  const manifest = { name: app.folder, private: true, type: app.type, dependencies };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await npm(folder, 'install', '--ignore-scripts', '--no-package-lock');
  return folder;
}

/** Installs these versions of Node. @returns the program of each */
export async function nodes<V extends string>(
  root: string,
  versions: readonly V[],
): Promise<Record<V, string>> {
  const platform = `node-${process.platform}-${process.arch}`;
  const folder = join(root, 'nodes');
  await mkdir(folder);
  const dependencies = Object.fromEntries(
    versions.map((version) => [`node-${version}`, `npm:${platform}@${version}`]),
  );
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await npm(folder, 'install', '--ignore-scripts', '--no-package-lock');
  const programs = versions.map((version) => [
    version,
    join(folder, 'node_modules', `node-${version}`, 'bin/node'),
  ]);
  return Object.fromEntries(programs) as Record<V, string>;
}

export const remove = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 3 });

export const installed = (folder: string): Promise<string[]> =>
  readdir(join(folder, 'node_modules'));
