import { describe, expect, test } from 'vitest';
import { experiment } from '../../src/experiments/hypernet/dp-hypernet.js';
import { learnerOptions } from '../../src/experiments/protocols/continual.js';
import { PLAIN, type RecurrentValues, recurrentMethods } from '../../src/experiments/protocols/recurrent-methods.js';
import { type ContinualTask, HypernetLearner, permutedTasks } from '../../src/hypernet/index.js';
import { parameterCount } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';

const defaults = Object.fromEntries(
  Object.entries(experiment.options).map(([name, option]) => [name, option.default]),
) as unknown as RecurrentValues;

describe('continual learners side by side', () => {
  test.each([
    ['by default', {}, [1, 14, 14]],
    ['the long run', { hidden: 64, units: 64, chunk: 600 }, [1, 28, 28]],
    ['convolutions', { network: 'convolutions', units: 16, chunk: 200 }, [3, 16, 16]],
  ] as const)('the chunked HNET has as many numbers as the recurrent one: %s', async (_name, own, shape) => {
    const values = { ...defaults, ...own, scenario: 'task', steps: 1, batch: 2 } as RecurrentValues;
    const data = { x: tensor(new Float32Array(20 * shape.reduce((a: number, b) => a * b, 1)), [20, ...shape]) };
    const rows = { ...data, labels: Int32Array.from({ length: 20 }, (_, i) => i % 10), classes: [...'0123456789'] };
    const [flat] = permutedTasks(rows, 1, 'task', new Random(0)) as [ContinualTask];
    const task = values.network === 'convolutions' ? { ...flat, x: rows.x } : flat;
    const stored = await Promise.all(
      recurrentMethods(values)
        .filter(({ title }) => title === PLAIN || title === 'HNET, chunked')
        .map(async ({ create, settings: [setting = {}] }) => {
          const learner = create(setting, new Random(1), learnerOptions(values), { train: [task], test: [task] });
          await learner.learn(task);
          if (learner instanceof HypernetLearner)
            expect(learner.stored.rest).toBe(parameterCount(learner.model?.hypernet as object) + 16);
          return learner.stored.rest;
        }),
    );
    expect(stored[0]).toBe(stored[1]);
  });
});
