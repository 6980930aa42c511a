import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { importOnnx } from '../../src/trace/index.js';
import { type Answer, commandInFolder, main } from './command.js';
import { classifiedStripes, rightStripes, writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('pruning with a metanetwork on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('metapruning');

  const models = ['a.safetensors', 'b.safetensors', 'c.safetensors'];
  const small = ['epochs=2', 'dimension=4', 'layers=1', 'batch=9', 'adaptEpochs=1'].flatMap((own) => ['--set', own]);
  const fit = (...args: string[]) => gossamer('fit', 'stripes', '--model', 'metapruning', ...small, ...args);
  let made: Answer;
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));

  beforeAll(async () => {
    await writeStripes(folder, { size: 8 });
    const own = ['--model', 'resnet8', '--epochs', '3', '--batch', '9', '--learning-rate', '1e-2'];
    for (const [seed, file] of [...models, 'd.safetensors'].entries())
      gossamer('train', 'stripes', ...own, '--seed', String(seed), '-o', file);
    made = fit('--models', ...models, '-o', 'meta.safetensors');
  }, 120_000);

  test('from networks and their pictures to one file that says what it is', () => {
    expect(made.stderr).toMatch(
      /resnet8, [\d,]+ parameters: 2 epochs on 2 networks and \d+ pictures; \d+ others and c\.safetensors choose the epoch/,
    );
    expect(made.stderr).toMatch(/epoch 2: 2×: [\d.]+ %, 3×: [\d.]+ %, 4×: [\d.]+ %/);
    expect(made.stdout).toMatch(
      /learnt from a\.safetensors, b\.safetensors; epoch [12] of 2 is the best for c\.safetensors/,
    );
    expect(made.stdout).toContain('without the metanetwork 2×: ');
    const told = gossamer('info', 'meta.safetensors').stdout;
    expect(told).toMatch(/Metanetwork\s+prunes networks as resnet8, whatever their widths: \d+ weights, conv1\.weight/);
    expect(told).toMatch(/Trained\s+on stripes, from a\.safetensors, b\.safetensors; epoch [12] of 2, chosen on c/);
    expect(told).toContain('--recipe metapruning --metanetwork meta.safetensors');
    expect(gossamer('classify', 'meta.safetensors', 'new').stderr).toContain(
      'gossamer compress --metanetwork reads it',
    );
    expect(gossamer('predict', 'meta.safetensors', 'new').stderr).toContain('prunes networks: gossamer compress');
  });

  test('prunes another network to fewer channels, its files and answers', () => {
    const training = { batchSize: 9, learningRate: 0.01 };
    const step = { do: 'metapruning', metanetwork: 'meta.safetensors', speedup: 2, adaptEpochs: 2, epochs: 4 };
    writeFileSync(join(folder, 'recipe.json'), JSON.stringify({ training, steps: [step] }));
    const prune = (out: string, ...args: string[]) =>
      gossamer('compress', 'd.safetensors', '--data', 'stripes', ...args, '-o', out);
    const pruned = prune('small', '--recipe', 'recipe.json');
    expect(pruned.stdout).toMatch(
      /changed the weights by the metanetwork in [\d.]+ s, trained 2 epochs and removed \d+ channels: 2\.\d+ times fewer/,
    );
    expect(pruned.stdout).toContain('conv1 keeps its channels: pad [1, 16, 4, 4]');
    expect(pruned.stderr.match(/metapruning: epoch/g)).toHaveLength(6);
    for (const file of ['model.safetensors', 'model.plan'])
      expect(classifiedStripes(gossamer, `small/${file}`)).toEqual(rightStripes);
    expect(() => importOnnx(readFileSync(join(folder, 'small/model.onnx')))).not.toThrow();
    const { before, after } = read('small/report.json');
    expect(before.multiplyAdds / after.multiplyAdds).toBeGreaterThan(1.9);
    const bytes = (file: string) => statSync(join(folder, file)).size;
    expect(bytes('small/model.safetensors')).toBeLessThan(0.8 * bytes('d.safetensors'));
    // What was pruned is pruned again, to four times in all.
    const again = ['--recipe', 'metapruning', '--metanetwork', 'meta.safetensors', '--finetune', '1'];
    expect(
      gossamer('compress', 'small/model.safetensors', '--data', 'stripes', ...again, '-o', 'least').stdout,
    ).toMatch(/trained 1 epochs and removed \d+ channels: 2\.\d+ times fewer/);
    expect(prune('thrice', ...again, '--speedup', '3').stdout).toMatch(/: 3\.\d+ times fewer/);
  });

  test('Ctrl-C keeps a checkpoint, and --resume ends with the same metanetwork', async () => {
    const args = ['fit', 'stripes', '--model', 'metapruning', ...small, '--models', ...models, '-o', 'cut.safetensors'];
    const child = spawn(process.execPath, [main, ...args], { cwd: folder });
    const code = await new Promise<number | null>((resolve) => {
      child.stderr.on('data', (text: Buffer) => {
        if (text.toString().includes('epoch 1/2')) child.kill('SIGINT');
      });
      child.on('close', resolve);
    });
    expect([code, existsSync(join(folder, 'cut.safetensors'))]).toEqual([130, false]);
    expect(gossamer(...args, '--resume').status).toBe(0);
    expect(readFileSync(join(folder, 'cut.safetensors'))).toEqual(readFileSync(join(folder, 'meta.safetensors')));
    expect(existsSync(join(folder, 'cut.safetensors.checkpoint'))).toBe(false);
  }, 60_000);

  test('wrong requests say what to do', () => {
    const refused = (answer: { readonly status: number | null; readonly stderr: string }) => {
      expect(answer.status).toBe(2);
      return answer.stderr;
    };
    expect(refused(fit())).toContain(
      'two or more trained networks of one architecture, got 0: name them with --models',
    );
    expect(refused(fit('--models', 'a.safetensors', 'a.safetensors'))).toContain('"a.safetensors" is named twice');
    expect(refused(fit('--models', ...models, '--set', 'speedups=0.5'))).toContain('expected numbers above 1');
    expect(refused(fit('--models', ...models, '--size', '16'))).toContain(
      'the network "a.safetensors" reads 1×8×8, the pictures are 1×16×16',
    );
    const other = ['--model', 'resnet20', '--epochs', '1', '--batch', '9', '-o', 'deep.safetensors'];
    gossamer('train', 'stripes', ...other);
    expect(refused(fit('--models', 'a.safetensors', 'deep.safetensors'))).toMatch(
      /"deep\.safetensors" is of another architecture than "a\.safetensors": .*layer1\.1\.conv1\.weight is not expected/,
    );
    expect(refused(gossamer('fit', 'stripes', '--model', 'resnet8', '--models', 'a.safetensors'))).toContain(
      '--models is for models that learn from trained networks: metapruning',
    );
    expect(refused(gossamer('train', 'stripes', '--model', 'metapruning'))).toContain('gossamer fit trains it');
    const compress = (model: string, ...args: string[]) =>
      refused(gossamer('compress', model, '--data', 'stripes', ...args, '-o', 'no'));
    const recipe = ['--recipe', 'metapruning'];
    expect(compress('d.safetensors', ...recipe)).toContain('needs --metanetwork <file>');
    expect(compress('d.safetensors', '--speedup', '2')).toContain('go with --recipe metapruning');
    const meta = [...recipe, '--metanetwork', 'meta.safetensors'];
    expect(compress('deep.safetensors', ...meta)).toMatch(
      /the metanetwork "meta\.safetensors" was made for another architecture: layer2\.0\.conv1\.weight is 9 taps, from layer1\.2\.conv2/,
    );
    expect(compress('d.safetensors', ...recipe, '--metanetwork', 'a.safetensors')).toContain(
      'is a model of "image-classifier", not of "metapruning", which gossamer fit --model metapruning makes',
    );
    expect(compress('d.safetensors', ...meta, '--speedup', '1')).toContain('"speedup" must be a number above 1, got 1');
    expect(compress('d.safetensors', ...meta, '--speedup', '1e6', '--finetune', '0')).toMatch(
      /a speed-up of 1000000 is out of reach: .*; those of conv1 cannot change \(pad .*, those of linear cannot change \(an output\)/,
    );
  });
});
