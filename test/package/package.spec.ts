import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freshApp, installed, nest11, nest12, nodes, remove } from './fresh-app.js';
import { cleanEnv } from './npm.js';
import { pack, ROOT } from './pack.js';
import type { Packed } from './pack.js';

const exec = promisify(execFile);

// The lowest versions that "engines" allows, and the newest line.
const VERSIONS = ['20.19.0', '22.12.0', '24.21.0'] as const;
const APPS = [nest12, nest11];

let root: string;
let packed: Packed;
let programs: Record<(typeof VERSIONS)[number], string>;
let urls: string;
const folders = new Map<string, string>();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nestjs-failover-package-'));
  packed = await pack(root);
  programs = await nodes(root, VERSIONS);
  for (const app of APPS) folders.set(app.folder, await freshApp(root, app, packed.tarball));
  urls = `amqp://127.0.0.1:${await closedPort()};amqp://127.0.0.1:${await closedPort()}`;
});

afterAll(() => remove(root));

describe('the tarball', () => {
  it('has the build, its declarations and the papers, and nothing else', () => {
    expect(packed.files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.d.ts',
      ]),
    );
    const others = packed.files.filter(
      (file) => !/^(?:dist\/.+\.(?:js|js\.map|d\.ts)|package\.json|[A-Z]+(?:\.md)?)$/.test(file),
    );
    expect(others).toEqual([]);
  });

  it('stays small', () => {
    expect(packed.bytes).toBeLessThan(1024 * 1024);
  });
});

describe.each(APPS)('in a fresh app ($folder)', ({ folder, main }) => {
  it('brings amqplib and no second copy of Nest', async () => {
    const names = await installed(folders.get(folder) as string);
    expect(names).toEqual(expect.arrayContaining(['amqplib', 'nestjs-failover', '@nestjs']));
    const nested = await installed(
      join(folders.get(folder) as string, 'node_modules/nestjs-failover'),
    ).catch(() => []);
    expect(nested).toEqual([]);
  });

  it.each(VERSIONS)(
    'starts, injects, closes, fails over on memory brokers and ends by itself on Node %s',
    async (version) => {
      const cwd = folders.get(folder) as string;
      const options = { cwd, env: cleanEnv(), timeout: 30_000 };
      const { stdout } = await exec(programs[version], [main, urls], options);
      const [line = '', closed, failedOver] = stdout.trim().split('\n');
      expect(JSON.parse(line)).toMatchObject({
        node: version,
        producer: true,
        connection: true,
        consumer: true,
      });
      expect(closed).toBe('closed');
      expect(failedOver).toBe('memory://two/%2F');
    },
  );

  it.each(['@typescript/native', 'typescript'])(
    'has types that %s takes without skipLibCheck',
    async (name) => {
      const cwd = folders.get(folder) as string;
      const tsc = join(ROOT, 'node_modules', name, name === 'typescript' ? 'bin/tsc6' : 'bin/tsc');
      const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--module', 'nodenext'];
      options.push('--target', 'es2023', '--types', 'node', '--exactOptionalPropertyTypes');
      options.push('--experimentalDecorators', '--emitDecoratorMetadata');
      const run = exec(process.execPath, [tsc, ...options, 'consumer.ts'], {
        cwd,
        timeout: 60_000,
      });
      const printed = await run.then(
        ({ stdout }) => stdout,
        ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
      );
      expect(printed).toBe('');
    },
  );
});

/** A port of the loopback interface on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
