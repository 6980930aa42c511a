import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generatedText } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'gossamer-serve-'));

/** Starts `gossamer serve` and waits for its address. */
async function serve(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, 'serve', 'm.safetensors', '--port', '0', ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  let stderr = '';
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const line = await new Promise<string>((resolve) => child.stdout.once('data', (part) => resolve(String(part))));
  const address = /http:\/\/\S+(?=\/v1)/.exec(line)?.[0] ?? '';
  return { child, address, ended, errors: () => stderr };
}

describe.skipIf(!existsSync(main))('gossamer serve (needs a build)', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'text.txt'), generatedText(20_000, new Random(1)));
    const args =
      'lm train text.txt --steps 5 --features 32 --layers 1 --heads 2 --length 32 --threads 1 -o m.safetensors';
    expect(spawnSync(process.execPath, [main, ...args.split(' ')], { cwd: folder }).status).toBe(0);
  }, 60_000);

  test('takes its key from the environment, warns of threads, and lets streams end at SIGTERM', async () => {
    const { child, address, ended, errors } = await serve(['--threads', '64'], { GOSSAMER_API_KEY: 'secret' });
    expect(errors()).toMatch(/warning: --threads 64 is more than the \d+ that this machine has/);
    expect((await fetch(`${address}/v1/models`)).status).toBe(401);
    const headers = { authorization: 'bearer secret', 'content-type': 'application/json' };
    expect((await fetch(`${address}/v1/models`, { headers })).status).toBe(200);
    const body = JSON.stringify({ model: 'm', prompt: 'The', max_tokens: 300, stream: true });
    const response = await fetch(`${address}/v1/completions`, { method: 'POST', headers, body });
    child.kill('SIGTERM');
    const text = await response.text();
    expect(text).toContain('"finish_reason":"length"');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(await ended).toBe(0);
  }, 60_000);

  test('mistakes end with code 2 before anything listens', () => {
    const run = (args: string[], env: Record<string, string> = {}) => {
      const options = { cwd: folder, encoding: 'utf8', env: { ...process.env, ...env }, timeout: 30_000 } as const;
      const { status, stderr } = spawnSync(process.execPath, [main, 'serve', 'm.safetensors', ...args], options);
      return [status, stderr.trim().split('\n').at(-1)];
    };
    expect(run(['--cors', 'page.example'])).toEqual([2, expect.stringContaining('"page.example" is no origin')]);
    expect(run([], { GOSSAMER_API_KEY: '' })).toEqual([2, expect.stringContaining('the API key is empty')]);
  }, 60_000);
});
