import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandInFolder, main } from './command.js';
import { classifiedStripes, rightStripes, writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('search inside of elastic networks on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('hw-nas');
  const at = (...path: string[]) => join(folder, ...path);

  beforeAll(async () => {
    await writeStripes(folder, { size: 8, count: 30 });
    // A command that measures: accuracy grows with depth and width, energy more so.
    writeFileSync(
      at('measure.cjs'),
      `const { depth, width } = JSON.parse(process.argv.at(-1));
console.log('measuring');
console.log(JSON.stringify({ accuracy: Math.sqrt(depth[0] * width[0]), energy: depth[0] ** 2 * width[0] }));`,
    );
    writeFileSync(
      at('genes.json'),
      '{"depth": {"count": 1, "values": [1, 2, 3]}, "width": {"count": 1, "values": [1, 2, 4]}}',
    );
  }, 30_000);

  const hwNas = (...args: string[]) => gossamer('search', 'stripes', '--model', 'hw-nas', ...args);
  const few = ['--evaluations', '8', '--population', '4'];

  test('train an elastic network, search it, classify new pictures with what was chosen', () => {
    const trained = gossamer(
      ...['train', 'stripes', '--model', 'elastic-cnn', '--set', 'base=4', '--epochs', '12', '--batch', '8'],
      ...['--learning-rate', '1e-2', '-o', 'super.safetensors'],
    );
    expect(trained.status).toBe(0);
    expect(trained.stderr).toContain('pictures are left out, for gossamer search --model hw-nas');
    const found = hwNas('--supernet', 'super.safetensors', ...few, '--objectives', 'accuracy,macs', '-o', 'front');
    expect(found.status).toBe(0);
    expect(found.stdout).toContain('← chosen');
    const log = readFileSync(at('front', 'log.csv'), 'utf8').trim().split('\n');
    expect(log.length).toBe(2 + 8);
    const front = readCsv(readFileSync(at('front', 'front.csv'), 'utf8'));
    expect(front.columns.slice(-5)).toEqual(['accuracy', 'macs', 'params', 'test', 'chosen']);
    expect(front.rows.filter((row) => row.at(-1) === '1').length).toBe(1);
    expect(readFileSync(at('front', 'front.svg'), 'utf8')).toMatch(/^<svg.*xmlns=.*<circle/s);
    expect(classifiedStripes(gossamer, 'front/model.plan')).toEqual(rightStripes);
    expect(classifiedStripes(gossamer, 'front/model.safetensors')).toEqual(rightStripes);
    expect(gossamer('info', 'front/model.safetensors').stdout).toContain('staged-cnn');
    expect(existsSync(at('front', 'model.onnx'))).toBe(true);
    const more = gossamer(
      ...['train', 'stripes', '--model', 'staged-cnn', '--from', 'front/model.safetensors', '--epochs', '1'],
      ...['--batch', '8', '-o', 'more.safetensors'],
    );
    expect(more.status).toBe(0);
    expect(classifiedStripes(gossamer, 'more.safetensors')).toEqual(rightStripes);
    // A folder holds one search.
    const again = hwNas('--supernet', 'super.safetensors', ...few, '-o', 'front');
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('holds a search already: --resume goes on with it');
    const other = hwNas(
      '--supernet',
      'super.safetensors',
      ...few,
      '--objectives',
      'accuracy,params',
      '--resume',
      '-o',
      'front',
    );
    expect(other.stderr).toContain('the log is of another search, with objectives');
    // From the front of one search to another objective, with a choice of bits.
    const warm = hwNas(
      ...['--supernet', 'super.safetensors', ...few, '--warm', 'front/front.csv', '--objectives', 'accuracy,params'],
      ...['--budget', 'params=4000', '-o', 'warm'],
    );
    expect(warm.status).toBe(0);
    const first = readCsv(readFileSync(at('warm', 'log.csv'), 'utf8').split('\n').slice(1).join('\n')).rows[0];
    expect(first?.slice(0, 15)).toEqual(front.rows[0]?.slice(0, 15));
    const bits = hwNas('--supernet', 'super.safetensors', ...few, '--pass', '4', '--bits', '8,32', '-o', 'bits');
    expect(bits.status).toBe(0);
    expect(readFileSync(at('bits', 'front.csv'), 'utf8')).toContain('bits');
    expect(classifiedStripes(gossamer, 'bits/model.plan')).toEqual(rightStripes);
  });

  test('without an elastic network one is trained, and latency is measured', () => {
    const args = ['--supernet-epochs', '1', '--evaluations', '4', '--population', '2', '-o', 'own'];
    const found = hwNas(...args);
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(/accuracy +latency +macs +params +test/);
    expect(existsSync(at('own', 'super.safetensors'))).toBe(true);
    // What the search ended with, a second end gives again.
    expect(hwNas(...args, '--resume').stderr).not.toContain('is trained on');
  });

  test('what cannot be is refused by name', () => {
    const refused = (...args: string[]) => {
      const { status, stderr } = hwNas('--supernet', 'super.safetensors', ...few, ...args, '-o', 'none');
      expect(status).toBe(2);
      return stderr;
    };
    expect(refused('--objectives', 'accuracy,energy')).toContain(
      'objective "energy" does not exist; there are accuracy,',
    );
    expect(refused('--budget', 'params=10', '--objectives', 'accuracy,params')).toContain(
      'no sub-network meets --budget params=10: the smallest one needs',
    );
    expect(refused('--budget', 'accuracy=0.5')).toContain('a budget is for an objective that is to be small');
    expect(refused('--bits', '4,8')).toContain('bits are among 7, 8, 32');
    expect(refused('--keep', '0.5')).toContain('--keep is an option of --model dass');
    expect(refused('--resume')).toContain('there is no "none/log.csv" to go on from');
    gossamer('train', 'stripes', '--model', 'lenet', '--size', '12', '--epochs', '1', '-o', 'lenet.safetensors');
    expect(hwNas('--supernet', 'lenet.safetensors', '-o', 'none').stderr).toContain(
      'is a lenet, whose channels and depth cannot change',
    );
  });

  test('any super-network by a command; after SIGKILL the search ends with the same front', async () => {
    const args = ['search', 'genes.json', '--model', 'hw-nas', '--evaluate', 'node measure.cjs', '--objectives'];
    const rest = ['accuracy,energy', '--evaluations', '5', '--population', '3'];
    const whole = gossamer(...args, ...rest, '-o', 'whole');
    expect(whole.status).toBe(0);
    const child = spawn(process.execPath, [main, ...args, ...rest, '-o', 'killed'], { cwd: folder, stdio: 'ignore' });
    const logged = () => (existsSync(at('killed', 'log.csv')) ? readFileSync(at('killed', 'log.csv'), 'utf8') : '');
    while (logged().split('\n').length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    const resumed = gossamer(...args, ...rest, '--resume', '-o', 'killed');
    expect(resumed.status).toBe(0);
    for (const name of ['log.csv', 'front.csv'])
      expect(readFileSync(at('killed', name), 'utf8')).toBe(readFileSync(at('whole', name), 'utf8'));
    const unmet = gossamer(...args, ...rest, '--budget', 'energy=0.5', '-o', 'unmet');
    expect(unmet.status).toBe(2);
    expect(unmet.stderr).toContain(
      'no sub-network meets --budget energy=0.5, of which the networks found need at least 1',
    );
    writeFileSync(at('broken.cjs'), 'console.log("none")');
    const broken = gossamer(
      'search',
      'genes.json',
      '--model',
      'hw-nas',
      '--evaluate',
      'node broken.cjs',
      '-o',
      'broken',
    );
    expect(broken.stderr).toContain('expected {"accuracy": 0.9, …} from the command');
  });
});
