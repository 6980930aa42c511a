import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generatedText } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandIn, main } from './command.js';
import { runDocument } from './document.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-lm-'));
const path = (name: string) => join(folder, name);

const gossamer = commandIn(folder);

describe.skipIf(!existsSync(main))('language models on the command line (needs a build)', () => {
  beforeAll(() => {
    writeFileSync(path('text.txt'), generatedText(20_000, new Random(1)));
    writeFileSync(path('g.gbnf'), 'root ::= "yes" | "no"');
    writeFileSync(path('odd.gbnf'), 'root ::= "𝕏"');
    writeFileSync(path('bad.json'), '{"not":{}}');
    writeFileSync(
      path('year.json'),
      '{"type":"object","properties":{"year":{"type":"integer","minimum":1900,"maximum":2100}},"required":["year"]}',
    );
    const args = [
      '--steps',
      '120',
      '--features',
      '32',
      '--layers',
      '1',
      '--heads',
      '2',
      '--length',
      '32',
      '--threads',
      '1',
      '--learning-rate',
      '0.01',
    ];
    const { status, stdout } = gossamer('lm', 'train', 'text.txt', ...args, '-o', 'm.safetensors');
    expect(status).toBe(0);
    // Far below the 3.4 nats of guessing among 31 characters.
    expect(Number(/validation loss ([\d.]+) nats/.exec(stdout)?.[1])).toBeLessThan(2.2);
  }, 60_000);

  test('a trained model goes on with a text, the same for the same seed', () => {
    const run = (...more: string[]) =>
      gossamer('lm', 'generate', 'm.safetensors', '--prompt', 'The old', '--max-tokens', '40', ...more);
    const [first, again, other] = [run(), run(), run('--seed', '7')];
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^The old[\s\S]{40}$/);
    expect(first.stderr).toContain('7 tokens read at');
    expect(again.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
  });

  test('chat answers line by line', () => {
    const { status, stdout } = spawnSync(process.execPath, [main, 'lm', 'chat', 'm.safetensors', '--max-tokens', '5'], {
      encoding: 'utf8',
      cwd: folder,
      input: 'a fox\n',
    });
    // Characters of ChatML are not in the vocabulary of that text.
    expect(status).toBe(2);
    expect(stdout).toContain('>');
  });

  test('mistakes end with code 2 and a line that says what to do', () => {
    writeFileSync(path('short.txt'), 'short');
    writeFileSync(path('bad.gguf'), 'GGUFnonsense');
    writeFileSync(path('bytes.txt'), Uint8Array.of(255, 254, 0));
    for (const [args, message] of [
      [['train', 'short.txt'], '"short.txt" has 5 characters, too few for windows of 128'],
      [['train', 'nowhere.txt'], '"nowhere.txt" is neither a file nor a known text'],
      [['train', 'bytes.txt'], 'is not UTF-16LE text'],
      [['generate', 'bad.gguf', '--prompt', 'x'], 'is not a GGUF file'],
      [['generate', 'text.txt', '--prompt', 'x'], 'text.txt'],
      [['generate', 'm.safetensors', '--prompt', 'é'], 'the vocabulary has no "é"'],
      [['generate', 'm.safetensors', '--prompt', 'a'.repeat(600)], 'the context of 512 tokens is full'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--top-p', '2'], 'topP must be from 0 to 1, got 2'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--memory', '1K'], 'more than all the 1024 bytes for weights'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--memory', 'much'], 'expected a size as 800M or 3G'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--quantize', 'q2'], 'expected Q8_0 or Q4_0'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--draft', 'none.gguf'], 'file "none.gguf" does not exist'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--json', '--grammar', 'g.gbnf'], 'one is taken at a time'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--schema', 'bad.json'], 'file "bad.json": schema, #/not: not'],
      [['generate', 'm.safetensors', '--prompt', 'a', '--grammar', 'odd.gbnf'], 'no token of the model goes on within'],
      [['train', 'text.txt', '--free-experts', '4'], '--free-experts needs --experts'],
    ] as const) {
      const { status, stderr } = gossamer('lm', ...args);
      // What was said of the model, if it could be opened, comes before.
      const lines = stderr.trim().split('\n');
      expect(lines.at(-1)).toContain(message);
      expect(lines.length).toBeLessThanOrEqual(4);
      expect(status).toBe(2);
    }
  }, 120_000);

  test('byte pairs and MoE++: trained, then run within a budget, quantised, with a draft', () => {
    const args =
      '--vocabulary 300 --experts 4 --free-experts 3 --tau 0.5 --steps 30 --features 32 --layers 2 --heads 2';
    const trained = gossamer('lm', 'train', 'text.txt', ...args.split(' '), '--length', '32', '-o', 'plus.safetensors');
    expect(trained.stderr).toContain('byte pairs, 300 different');
    expect(trained.stdout).toMatch(/validation loss [\d.]+ nats a character, [\d.]+ a token/);
    const run = (...more: string[]) =>
      gossamer('lm', 'generate', 'plus.safetensors', '--prompt', 'The old', '--max-tokens', '20', ...more);
    const plain = run();
    expect(plain.stderr).toContain('llama: 2 layers of 32, 4 experts of which 2 work');
    expect(plain.stdout.startsWith('The old')).toBe(true);
    expect(run('--draft', 'lookup').stdout).toBe(plain.stdout);
    // What keeps to a grammar is written without the prompt.
    const sampled = ['--temperature', '1.5', '--max-tokens', '60'];
    expect(typeof JSON.parse(run('--json', ...sampled).stdout)).toBe('object');
    expect(JSON.parse(run('--schema', 'year.json', ...sampled).stdout)).toEqual({ year: expect.any(Number) });
    expect(run('--grammar', 'g.gbnf', ...sampled).stdout).toMatch(/^(yes|no)$/);
    const said = plain.stdout.slice('The old'.length);
    const stop = said.slice(6, 8);
    expect(run('--stop', stop).stdout).toBe(`The old${said.slice(0, said.indexOf(stop))}`);
    expect(run('--draft', 'plus.safetensors').stdout).toBe(plain.stdout);
    const budget = run('--memory', '90K');
    expect(budget.stderr).toContain('the rest is read from the file in every pass');
    expect(budget.stdout).toBe(plain.stdout);
    expect(run('--quantize', 'q8_0').status).toBe(0);
  }, 180_000);

  test('the code of docs/language-models.md runs', () => {
    const { status, stdout, stderr } = runDocument('language-models.md');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^The old [\s\S]{40}\nexperts computed: \d\.\d\d, \d\.\d\d a token, of two\n$/);
  }, 60_000);
});
