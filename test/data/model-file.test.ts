import { describe, expect, test } from 'vitest';
import {
  bytesInMemory,
  isPlan,
  type ModelKind,
  modelMetadata,
  modelSystem,
  readModelFile,
  writeModelFile,
  writeSafetensors,
} from '../../src/data/index.js';
import { relu, tensor } from '../../src/tensor/index.js';
import { compile, savePlan } from '../../src/trace/index.js';

const kind: ModelKind = { system: 'weather', version: '2', madeBy: 'gossamer forecast' };
const description = { places: ['here', 'there'], unit: '°C' };

describe('model files', () => {
  const bytes = writeModelFile(kind, description, { w: tensor([1, 2, 3]) });

  test('give back the description and the weights, and name their system', () => {
    const file = readModelFile<typeof description>(kind, bytes, 'm');
    expect(file.description).toEqual(description);
    expect([...(file.tensors.w?.dataSync() ?? [])]).toEqual([1, 2, 3]);
    expect(modelSystem(bytesInMemory(bytes, 'm'))).toBe('weather');
  });

  test('of another version, another system or none are refused with what to do', () => {
    expect(() => readModelFile({ ...kind, version: '3' }, bytes, 'm')).toThrow(
      'file "m" has version 2 of "weather", and version 3 is read here: update Gossamer, or make the model again with gossamer forecast',
    );
    expect(() => readModelFile({ ...kind, system: 'tides', madeBy: 'gossamer tides' }, bytes, 'm')).toThrow(
      'file "m" is a model of "weather", not of "tides", which gossamer tides makes',
    );
    const bare = writeSafetensors({ w: tensor([1]) }, { system: 'weather' });
    expect(() => readModelFile(kind, bare, 'm')).toThrow('no model file');
    expect(() => readModelFile(kind, bare, 'm')).toThrow('made again with gossamer forecast');
    expect(() => modelSystem(bytesInMemory(bare, 'm'))).toThrow('no model file');
  });

  test('may be plans, told by their bytes', () => {
    const plan = savePlan(
      compile((x) => relu(x), [tensor([1, -1])]),
      modelMetadata(kind, description),
    );
    expect([plan, bytes].map((file) => isPlan(bytesInMemory(file, 'm')))).toEqual([true, false]);
    expect(modelSystem(bytesInMemory(plan, 'm'))).toBe('weather');
    expect(() => modelSystem(bytesInMemory(plan.subarray(0, 40), 'm'))).toThrow('cut short');
  });
});
