import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-code-'));
const at = (path: string) => join(folder, path);
const write = (path: string, text: string) => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
};
const gossamer = commandIn(process.cwd());

describe.skipIf(!existsSync(main))('source files on the command line (needs a build)', () => {
  beforeAll(() => {
    for (let i = 0; i < 12; i++) {
      const noise = `    x${i} = max(a, ${i})\n`.repeat(1 + (i % 3));
      write(`programs/minus/${i}.py`, `def f(a, b):\n${noise}    return a - b\n`);
      write(`programs/loop/${i}.py`, `def f(a, b):\n${noise}    for a in b:\n        print(a)\n`);
    }
    write('programs/loop/broken.py', 'def f(:\n');
    write('programs/loop/empty.py', '\n');
    const fitted = gossamer(
      'fit',
      at('programs'),
      '--set',
      'epochs=12',
      '--set',
      'width=16',
      '--set',
      'batch=4',
      '--set',
      'learningRate=0.01',
      '-o',
      at('code.safetensors'),
    );
    expect(fitted.stderr).toContain('file "loop/broken.py", line 1, column');
    expect(fitted.stderr).toContain('file "loop/empty.py" is empty; left out');
    expect(fitted.stdout).toMatch(/24 files in Python, 2 classes\naccuracy on \d+ test files: \d/);
    expect(fitted.status).toBe(0);
  }, 120_000);

  test('predict lists the classes of files and folders, with what attention was on', () => {
    const { stdout, stderr, status } = gossamer(
      'predict',
      at('code.safetensors'),
      at('programs/minus/0.py'),
      at('programs/loop'),
      '--top',
      '2',
      '--explain',
    );
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('file,rank,class,probability');
    expect(lines.length).toBe(1 + 2 * 13);
    expect(lines[1]).toMatch(/minus\/0\.py,1,minus,(0\.[5-9]|1)/);
    expect(stderr).toMatch(/minus\/0\.py:\d+:\d+: [\d.]+ % of attention on "/);
    expect(stderr).toContain('broken.py", line 1');
  }, 60_000);

  test('predict writes a page of the lines, with their text escaped', () => {
    write('odd.py', 'def f(a, b):\n    return a < b & "<b>"\n');
    const { status } = gossamer('predict', at('code.safetensors'), at('odd.py'), '--explain', '-o', at('page.html'));
    expect(status).toBe(0);
    const page = readFileSync(at('page.html'), 'utf8');
    expect(page).toContain('return a &lt; b &amp; &quot;&lt;b&gt;&quot;');
    expect(page).toContain('background: rgb(255 180 0 / 0.750)');
  }, 60_000);

  test('info tells what the model is', () => {
    const { stdout } = gossamer('info', at('code.safetensors'));
    expect(stdout).toContain('classes of Python files, by HDHGN');
    expect(stdout).toContain('classes: loop, minus');
  }, 60_000);

  test('info tells what a folder of sources holds', () => {
    const { stdout, status } = gossamer('info', at('programs'));
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines.slice(0, 2)).toEqual(['programs: 26 files, 26 in Python', 'classes: loop 14, minus 12']);
    expect(lines[2]).toMatch(/^vertices of a file: median \d+, most \d+ \((loop|minus)\/\d+\.py\)$/);
    expect(lines[3]).toBe('cannot be read: 2');
    expect(stdout).toContain('file "loop/broken.py", line 1, column');
  }, 60_000);

  test.each([
    ['a syntax error', 'programs/loop/broken.py', 'line 1, column'],
    ['an empty file', 'programs/loop/empty.py', 'is empty'],
    ['another language', 'a.java', 'is Java, the model was trained on Python'],
    ['an unknown language', 'a.rb', 'is in no language that is known by its ending; the model reads .py'],
    ['a missing file', 'nope.py', 'does not exist'],
  ])(
    '%s ends with code 2 and writes nothing',
    (_, path, message) => {
      write('a.java', 'class A {}');
      write('a.rb', 'puts 1');
      const { status, stderr } = gossamer('predict', at('code.safetensors'), at(path), '-o', at('out.csv'));
      expect([status, existsSync(at('out.csv'))]).toEqual([2, false]);
      expect(stderr).toContain(message);
    },
    60_000,
  );

  test('a file of bytes that are no text is listed and left out, and the accuracy stands beside that of one answer', () => {
    for (let i = 0; i < 5; i++) {
      write(`latin/a/${i}.py`, `x = ${i}`);
      write(`latin/b/${i}.py`, `print(${i})`);
    }
    writeFileSync(at('latin/b/odd.py'), Buffer.from('name = "caf\xe9"\n', 'latin1'));
    const fit = ['fit', at('latin'), '--set', 'epochs=1', '--set', 'width=8', '-o', at('latin.safetensors')];
    const { stdout, stderr, status } = gossamer(...fit);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/10 files in Python.*\naccuracy on 2 test files: [\d.]+ %; 50.0 % by always saying a\n/),
    ]);
    expect(stderr).toMatch(/odd.py" is not UTF-8 text; save it as UTF-8; left out/);
    expect(gossamer('info', at('latin')).stdout).toMatch(/cannot be read: 1\n.*odd.py" is not UTF-8 text/);
  }, 60_000);

  test('folders that cannot be learnt from end with code 2', () => {
    write('mixed/a/x.py', 'x = 1');
    write('mixed/b/y.java', 'class A {}');
    write('small/a/x.py', 'x = 1');
    write('small/b/y.py', 'y = 1');
    write('single/a/x.py', 'x = 1');
    write('single/b/notes.txt', 'no source');
    write('ruby/a/x.rb', 'puts 1');
    write('ruby/b/y.rb', 'puts 2');
    for (let i = 0; i < 4; i++) {
      write(`broken/a/${i}.py`, `x = ${i}`);
      write(`broken/b/${i}.py`, 'def f(:\n');
      write(`blank/a/${i}.py`, `x = ${i}`);
      write(`blank/b/${i}.py`, '\n');
    }
    for (const [path, ...messages] of [
      ['mixed', 'holds files in python and java; a model reads one language'],
      ['small', 'class "a" has fewer than 4 files'],
      ['single', 'for each of at least two classes; it holds 1'],
      ['ruby', 'must hold a folder of source files (.py, .java,', 'it holds 0'],
      ['broken', 'file "b/0.py", line 1, column', 'class "b" has fewer than 4 files that can be read'],
      ['blank', 'file "b/0.py" is empty; left out', 'class "b" has fewer than 4 files that can be read'],
      ['nowhere', 'nowhere'],
    ] as const) {
      const { status, stderr } = gossamer('fit', at(path), '--model', 'hdhgn', '-o', at('none.safetensors'));
      expect([path, status]).toEqual([path, 2]);
      for (const file of ['none.safetensors', 'none.safetensors.checkpoint']) expect(existsSync(at(file))).toBe(false);
      for (const message of messages) expect(stderr).toContain(message);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  }, 60_000);

  test('a language that is unknown is refused with those that are known', () => {
    write('one.jsonl', '{"code": "x = 1", "label": "a"}\n');
    const args = ['fit', at('one.jsonl'), '--model', 'hdhgn', '--set', 'language=cobol', '-o', at('none.safetensors')];
    const { status, stderr } = gossamer(...args);
    expect([status, existsSync(at('none.safetensors'))]).toEqual([2, false]);
    expect(stderr).toMatch(/java, python, typescript, tsx, got "cobol"/);
  }, 60_000);

  test.each([
    ['Ctrl-C', 'SIGINT', 130],
    ['kill -9', 'SIGKILL', null],
  ] as const)(
    'a training that is stopped by %s goes on and ends as one that was not',
    async (_, signal, code) => {
      const args = ['fit', at('programs'), '--set', 'epochs=60', '--set', 'width=16'];
      const [part, whole] = [at(`${signal}.safetensors`), at('whole.safetensors')];
      const child = spawn(process.execPath, [main, ...args, '-o', part]);
      child.stderr.on('data', (text) => {
        if (/epoch \d+\//.test(String(text))) child.kill(signal);
      });
      expect(await new Promise((ended) => child.on('exit', ended))).toBe(code);
      expect([existsSync(part), existsSync(`${part}.checkpoint`)]).toEqual([false, true]);
      expect(gossamer(...args, '-o', part, '--resume').status).toBe(0);
      expect(gossamer(...args, '-o', whole).status).toBe(0);
      expect(readFileSync(part).equals(readFileSync(whole))).toBe(true);
      expect(existsSync(`${part}.checkpoint`)).toBe(false);
    },
    120_000,
  );

  test('a table with code and label is learnt with its language', () => {
    const rows = Array.from({ length: 20 }, (_, i) =>
      JSON.stringify({ code: `x = ${i % 2 ? `[${i}]` : `f(${i})`}\n`, label: i % 2 ? 'list' : 'call' }),
    );
    write('table.jsonl', rows.join('\n'));
    const { stdout, status } = gossamer(
      'fit',
      at('table.jsonl'),
      '--model',
      'hdhgn',
      '--set',
      'language=python',
      '--set',
      'epochs=2',
      '-o',
      at('table.safetensors'),
      '--json',
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ accuracy: expect.any(Number) });
  }, 60_000);
});
