import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trainResumably } from '../../src/cli/training.js';
import { ChatError } from '../../src/hypergraph/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-training-'));
const failing = (out: string, resume: boolean, error: Error) =>
  trainResumably(
    { out, resume },
    () => Promise.reject(error),
    () => undefined,
  );

test('a checkpoint of another model says so; other errors stay as they are', async () => {
  const out = join(folder, 'a.safetensors');
  const misfit = new Error('loadState: weight "a" is Tensor(f32[2]), expected Tensor(f32[3])');
  await expect(failing(out, true, misfit)).rejects.toThrow(`there is no "${out}.checkpoint" to go on from`);
  writeFileSync(`${out}.checkpoint`, '');
  await expect(failing(out, true, misfit)).rejects.toThrow(
    /a.safetensors.checkpoint" is of another model, or of other options or data; .* leave --resume out \(loadState: weight/,
  );
  await expect(failing(out, false, misfit)).rejects.toBe(misfit);
  const other = new Error('fit: the loss became NaN');
  await expect(failing(out, true, other)).rejects.toBe(other);
  expect(existsSync(`${out}.checkpoint`)).toBe(true);
});

test('models that no longer answer leave a checkpoint to go on from, where there is one', async () => {
  const out = join(folder, 'b.safetensors');
  const silent = new ChatError('refused', 'no call succeeded');
  await expect(failing(out, false, silent)).rejects.toBe(silent);
  writeFileSync(`${out}.checkpoint`, '');
  await expect(failing(out, true, silent)).rejects.toThrow('no call succeeded; "');
});
