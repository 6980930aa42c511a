import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generatedText } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('blockffn');
const sizes = ['--features', '16', '--layers', '1', '--heads', '2', '--length', '32', '--batch', '4', '--threads', '1'];
const train = (...more: string[]) => gossamer('lm', 'train', ...more, '--experts', '6', ...sizes);
const relu = ['--router', 'relu', '--chunk-sparsity', '0.5', '--locality', '5e-4'];

describe.skipIf(!existsSync(main))('blocks on the command line (needs a build)', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'text.txt'), generatedText(12_000, new Random(1)));
    writeFileSync(
      join(folder, 'letters.txt'),
      Array.from({ length: 60 }, (_, i) => `letter ${i} ends`).join('\n---\n'),
    );
    const made = train('text.txt', ...relu, '--steps', '100', '-o', 'm.safetensors');
    expect(made.status).toBe(0);
    // A line on sparsity beside each of progress, and one at the end.
    expect(made.stderr.match(/TLS [\d.]+ %, CLS8 [\d.]+ %, κ [\d.]+, \d+ of 6 blocks dead/g)).toHaveLength(2);
    expect(made.stdout).toMatch(/^m\.safetensors: validation loss [\d.]+ nats a character; TLS [\d.]+ %/);
  }, 60_000);

  test('the model goes on with a text, guessed ahead or not, and says what its tokens leave unused', () => {
    const run = (...more: string[]) =>
      gossamer(...['lm', 'generate', 'm.safetensors', '--prompt', 'The old fox', '--max-tokens', '60'], ...more);
    const [plain, drafted] = [
      run('--temperature', '0', '--stats'),
      run('--temperature', '0', '--draft', 'lookup', '--stats'),
    ];
    expect([plain.status, plain.stdout.length]).toEqual([0, 71]);
    expect(drafted.stdout).toBe(plain.stdout);
    expect(plain.stderr).toMatch(/71 tokens: TLS [\d.]+ %, CLS8 [\d.]+ %, CLS32 [\d.]+ %\n/);
    expect(drafted.stderr).toMatch(/\d+ passes for 60 tokens, \d+ of \d+ guessed ones accepted: [\d.]+ a pass/);
    expect(drafted.stderr).toMatch(/tokens a second with guesses, [\d.]+ without: [\d.]+ times as fast/);
    expect(gossamer('info', 'm.safetensors').stdout).toContain('6 blocks of 24, as many a token as it chooses');
    expect(plain.stderr).toContain('6 blocks of 24 that tokens choose from');
  }, 60_000);

  test('files and parts of files are documents, padded where they are short', () => {
    const args = ['--router', 'relu', '--steps', '10', '-o', 'd.safetensors'];
    const cut = train('letters.txt', '--document-separator', '\\n---\\n', ...args);
    expect([cut.status, cut.stderr]).toEqual([0, expect.stringMatching(/ characters in 5\d documents/)]);
    expect(cut.stdout).toMatch(/validation loss [\d.]+ nats a character; TLS/);
    const several = train('letters.txt', 'text.txt', ...args);
    expect([several.status, several.stderr]).toEqual([0, expect.stringContaining('in 2 documents')]);
  }, 60_000);

  test.each([
    [['--chunk-sparsity', '0.5'], '--chunk-sparsity needs --experts with --router relu'],
    [['--router', 'relu', '--free-experts', '3'], '--free-experts does not go with --router relu'],
    [['--router', 'relu', '--activation', 'relu2'], '--activation does not go with --router relu'],
    [['--document-separator', ''], '--document-separator is empty'],
  ])('%j is refused', (more, message) => {
    const { status, stderr } = train('text.txt', ...more, '-o', 'bad.safetensors');
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(join(folder, 'bad.safetensors'))).toBe(false);
  });
});
