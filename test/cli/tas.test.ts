import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { importOnnx } from '../../src/trace/index.js';
import { commandInFolder, main } from './command.js';
import { classifiedStripes, rightStripes, writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('search of widths and depths on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('tas');

  const fit = ['--batch', '9', '--learning-rate', '1e-2'];

  beforeAll(async () => {
    await writeStripes(folder, { size: 8 });
    gossamer('train', 'stripes', '--model', 'resnet20', '--epochs', '5', ...fit, '-o', 'big.safetensors');
  }, 60_000);

  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const bytes = (file: string) => statSync(join(folder, file)).size;
  const search = (...args: string[]) =>
    gossamer('search', 'stripes', '--model', 'tas', '--search-epochs', '2', '--epochs', '6', ...fit, ...args);

  test('from a trained network and its pictures to a smaller one, its files and answers', () => {
    const found = search('--teacher', 'big.safetensors', '--budget', '0.4', '-o', 'small');
    expect(found.stderr).not.toContain('error');
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(
      /channels: conv1 \d+, layer1\.0\.conv1 \d+, .*\nblocks: layer1 [123], layer2 [123], layer3 [123]\n/,
    );
    expect(found.stdout).toMatch(/(3[5-9]|40)\.\d % of the multiply-adds of the teacher/);
    for (const file of ['model.safetensors', 'model.plan'])
      expect(classifiedStripes(gossamer, `small/${file}`)).toEqual(rightStripes);
    expect(bytes('small/model.safetensors')).toBeLessThan(0.75 * bytes('big.safetensors'));
    expect(() => importOnnx(readFileSync(join(folder, 'small/model.onnx')))).not.toThrow();
    const { teacher, found: own, uniform, cost, full, shape } = read('small/report.json');
    expect(teacher.multiplyAdds).toBe(full);
    expect(own.multiplyAdds).toBe(cost);
    expect(Math.abs(uniform.multiplyAdds / cost - 1)).toBeLessThanOrEqual(0.01);
    expect(own.parameters).toBeLessThan(teacher.parameters);
    expect(shape).toEqual(read('small/shape.json').shape);

    expect(gossamer('info', 'small/shape.json').stdout).toMatch(
      /small\/shape\.json: what gossamer search --model tas found on stripes, seed 0\nwidths and depths of resnet20 .*\nchannels: conv1 \d+, .*\nblocks: .*\n[\d.]+ % of the multiply-adds of the teacher\n(.*\n)?use: gossamer train stripes --model small\/shape\.json --teacher big\.safetensors/,
    );
    // What was found is taken up again, and trained as gossamer train does.
    const again = search('--teacher', 'big.safetensors', '--budget', '0.4', '-o', 'small', '--resume', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ shape, found: { accuracy: own.accuracy } });
    expect(search('--teacher', 'big.safetensors', '--budget', '0.3', '-o', 'small', '--resume').stderr).toContain(
      'was found with another budget',
    );
    const args = ['--model', 'small/shape.json', '--teacher', 'big.safetensors', '--epochs', '6', ...fit];
    expect(gossamer('train', 'stripes', ...args, '-o', 'again.safetensors').status).toBe(0);
    expect(classifiedStripes(gossamer, 'again.safetensors')).toEqual(rightStripes);
    expect(bytes('again.safetensors')).toBe(bytes('small/model.safetensors'));
  });

  test('by measured time, of channels alone, as a shape alone, and by a recipe', () => {
    const args = ['--teacher', 'big.safetensors', '--cost', 'latency', '--width-only', '--budget', '1'];
    const alone = search(...args, '-o', 'shape.json');
    expect(alone.stdout).toMatch(
      /% of the milliseconds of its layers of the teacher\n(the last .*\n)?shape\.json: what was found/,
    );
    expect(read('shape.json').shape.depths).toEqual({ layer1: 3, layer2: 3, layer3: 3 });
    const steps = [{ do: 'tas', budget: 0.5, searchEpochs: 1, epochs: 4, search: 'depth' }];
    writeFileSync(
      join(folder, 'recipe.json'),
      JSON.stringify({ training: { batchSize: 9, learningRate: 0.01 }, steps }),
    );
    const own = ['--data', 'stripes', '--recipe', 'recipe.json', '-o', 'shallow'];
    expect(gossamer('compress', 'big.safetensors', ...own).stdout).toContain('searched widths and depths for 1 epochs');
    expect(classifiedStripes(gossamer, 'shallow/model.safetensors')).toEqual(
      classifiedStripes(gossamer, 'shallow/model.plan'),
    );
    expect(search('--teacher', 'shallow/model.safetensors', '-o', 'no').stderr).toContain(
      'has been made smaller already',
    );
  });

  test('wrong requests say what to do', () => {
    const refused = (...args: string[]) => {
      const answer = search(...args, '-o', 'no');
      expect(answer.status).toBe(2);
      return answer.stderr;
    };
    expect(refused()).toContain('give it with --teacher');
    const teacher = ['--teacher', 'big.safetensors'];
    expect(refused(...teacher, '--budget', '0.01')).toMatch(
      /no sub-network meets a budget of 0\.01: the smallest costs 0\.\d+/,
    );
    expect(refused(...teacher, '--budget', 'latency=2')).toContain('one share of the cost of the teacher');
    expect(refused(...teacher, '--width-only', '--depth-only')).toContain('leave nothing to search');
    expect(refused(...teacher, '--size', '16')).toContain(
      'the teacher "big.safetensors" reads 1×8×8, the pictures are 1×16×16',
    );
    writeFileSync(
      join(folder, 'bad.json'),
      '{"architecture": "resnet20", "shape": {"widths": {"conv1": 0}, "depths": {}}}',
    );
    expect(gossamer('train', 'stripes', '--model', 'bad.json').stderr).toContain(
      '"widths" of conv1 must be a whole number of at least 1, got 0',
    );
    writeFileSync(
      join(folder, 'other.json'),
      '{"architecture": "resnet20", "shape": {"widths": {"linear": 1}, "depths": {}}}',
    );
    expect(gossamer('train', 'stripes', '--model', 'other.json').stderr).toContain(
      'the channels of "linear" cannot change: an output',
    );
  });
});
