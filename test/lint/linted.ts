import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

/**
 * Runs the linter with the configuration of this repository over code that is planted in a folder of its own.
 *
 * @param files path in the repository to code
 * @returns the rules that refused each file
 */
export async function linted(files: ReadonlyMap<string, string>): Promise<Map<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-failover-lint-'));
  try {
    await Promise.all([
      cp(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json')),
      cp(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json')),
      cp(join(ROOT, 'package.json'), join(folder, 'package.json')),
      symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules')),
    ]);
    for (const [file, code] of files) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(join(folder, file), `${code}\n`);
    }
    const rules = new Map<string, string[]>();
    for (const { code, filename } of await diagnostics(folder)) {
      rules.set(filename, [...(rules.get(filename) ?? []), code]);
    }
    return rules;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function diagnostics(cwd: string): Promise<readonly Diagnostic[]> {
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const output = await new Promise<string>((resolve, reject) => {
    const options = { cwd, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 };
    execFile(
      process.execPath,
      [oxlint, '--format', 'json', 'lib'],
      options,
      (_, stdout, stderr) => {
        if (stdout.startsWith('{')) resolve(stdout);
        else reject(new Error(`oxlint said: ${stdout}${stderr}`));
      },
    );
  });
  return (JSON.parse(output) as { diagnostics: readonly Diagnostic[] }).diagnostics;
}
