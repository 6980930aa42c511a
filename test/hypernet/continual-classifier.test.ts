import { describe, expect, test } from 'vitest';
import { glyphDigits } from '../../src/data/index.js';
import {
  ContinualClassifier,
  type ContinualMethodName,
  type ContinualMethodOptions,
  type ContinualTask,
  continualMethodNames,
  type HyperInterval,
  splitTasks,
} from '../../src/hypernet/index.js';
import { Random, tensor } from '../../src/tensor/index.js';

const { x, labels } = glyphDigits(400, new Random(1));
const digits = { x: tensor(x, [400, 64]), labels, classes: Array.from('0123456789') };
const tasks = splitTasks(digits, 'class') as unknown as readonly [ContinualTask, ContinualTask, ContinualTask];
const common = { steps: 30, batch: 16, learningRate: 5e-3, target: { hidden: [12] } };
const own: Readonly<Partial<Record<ContinualMethodName, ContinualMethodOptions>>> = {
  hyperinterval: { hidden: [12], embedding: 6, epsilon: 0.05 },
  'dp-hypernet': { units: 8, chunk: 80, embedding: 6, growEvery: 1, growUnits: 4 },
  hnet: { trunk: [12], embedding: 6 },
  intercontinet: { learningRate: 0.5 },
};
const make = (method: ContinualMethodName, more: ContinualMethodOptions = {}) =>
  new ContinualClassifier({ method, seed: 3, options: { ...common, ...own[method], ...more } });

describe('ContinualClassifier', () => {
  test.each(continualMethodNames)('%s: a file goes on as if it had not been left', async (method) => {
    const model = make(method);
    await model.learn(tasks[0]);
    await model.learn(tasks[1]);
    const loaded = ContinualClassifier.load(model.save());
    expect(loaded.tasks).toEqual(model.tasks);
    for (const { name, x: rows } of tasks.slice(0, 2))
      expect(loaded.predict(rows, name)).toEqual(model.predict(rows, name));
    await model.learn(tasks[2]);
    await loaded.learn(tasks[2]);
    for (const { name, x: rows } of tasks.slice(0, 3))
      expect(loaded.predict(rows, name)).toEqual(model.predict(rows, name));
    expect(loaded.learner?.stored).toEqual(model.learner?.stored);
    expect(loaded.save()).toEqual(model.save());
  });

  test('answers by names; without a task the surest network, and certified rows of HyperInterval', async () => {
    const model = make('hyperinterval', { steps: 120 });
    for (const task of tasks.slice(0, 2)) await model.learn(task);
    const told = model.predict(tasks[1].x, '2+3');
    const right = told.classes.filter((name, i) => name === ['2', '3'][tasks[1].labels[i] as number]).length;
    expect(right / told.classes.length).toBeGreaterThan(0.9);
    expect(new Set(told.tasks)).toEqual(new Set(['2+3']));
    const rows = { x: tasks[1].x, labels: Int32Array.from(told.classes, (name) => ['2', '3'].indexOf(name)) };
    expect(told.certified).toEqual((model.learner as HyperInterval).certified(rows, '2+3'));
    const asked = model.predict(tasks[0].x);
    expect(asked.tasks.every((name) => name === '0+1' || name === '2+3')).toBe(true);
    expect(asked.classes.length).toBe(tasks[0].labels.length);
    const shared = make('hyperinterval', { scenario: 'domain' });
    await shared.learn((splitTasks(digits, 'domain') as ContinualTask[])[0] as ContinualTask);
    const answers = shared.predict(tasks[0].x);
    expect([answers.tasks[0], answers.certified]).toEqual([undefined, undefined]);
    expect(['0', '1']).toContain(answers.classes[0]);
  });

  test('bounds of the top logit hold for the network of the task', async () => {
    const model = make('hyperinterval', { epsilon: 1 });
    await model.learn(tasks[0]);
    const { bounds, classes } = model.predict(tasks[0].x, '0+1');
    const { lower, middle, upper } = (model.learner as HyperInterval).logits(tasks[0].x, '0+1');
    const outputs = lower.shape[1] as number;
    for (const [row, name] of classes.entries()) {
      const top = row * outputs + ['0', '1'].indexOf(name);
      expect([bounds?.lower[row], bounds?.upper[row]]).toEqual([lower.view()[top], upper.view()[top]]);
      expect(bounds?.upper[row]).toBeGreaterThan(middle.view()[top] as number);
    }
  });

  test('the network of a task, and the one for all tasks, stand alone as files', async () => {
    for (const method of ['hyperinterval', 'dp-hypernet', 'hnet'] as const) {
      const model = make(method);
      for (const task of tasks.slice(0, 2)) await model.learn(task);
      const plain = ContinualClassifier.load(model.extract('2+3').save());
      const [own, told] = [plain.predict(tasks[1].x), model.predict(tasks[1].x, '2+3')];
      expect([own.classes, plain.tasks]).toEqual([told.classes, [{ name: '2+3', classes: ['2', '3'] }]]);
      expect(own.probabilities).toEqual(told.probabilities);
      // 64·12 + 12 + 12·12… of the network alone, without a hypernetwork.
      expect(plain.learner?.stored.rest).toBe(64 * 12 + 12 + 12 * 2 + 2);
      expect(() => model.extract()).toThrow('is for all tasks; say which task: 0+1, 2+3');
      expect(() => model.extract('x')).toThrow('there is no task "x"; learned: 0+1, 2+3');
    }
    const shared = make('hyperinterval', { scenario: 'domain' });
    expect(() => shared.extract()).toThrow('no task was learned');
    const renamed = splitTasks(digits, 'domain') as ContinualTask[];
    for (const task of renamed.slice(0, 2)) await shared.learn(task);
    const universal = ContinualClassifier.load(shared.extract().save());
    expect(universal.predict(digits.x)).toEqual(shared.predict(digits.x));
    const ewc = make('ewc');
    await ewc.learn(tasks[0]);
    expect(() => ewc.extract('0+1')).toThrow('ewc makes no networks of tasks');
  });

  test('what learning takes is told before: weights, numbers, bytes with the moments of Adam', async () => {
    const model = make('hyperinterval');
    const size = model.sizeFor(tasks[0]);
    expect(model.learner).toBeUndefined();
    await model.learn(tasks[0]);
    const { stored } = model.learner as HyperInterval;
    // The embedding and its radii are counted with the task.
    expect(size.numbers + 12).toBe(stored.rest);
    expect(size.bytes).toBe(12 * size.numbers);
    expect(size.weights).toBe(64 * 12 + 12 + 12 * 10 + 10);
  });

  test('refuses what cannot be learned, and says what can', async () => {
    const model = make('ewc', { scenario: 'class' });
    expect(() => model.predict(tasks[0].x)).toThrow('no task was learned');
    expect(() => model.save()).toThrow('no task was learned');
    await model.learn(tasks[0]);
    await expect(model.learn(tasks[0])).rejects.toThrow('task "0+1" was learned before');
    await expect(model.learn({ ...tasks[1], classes: ['2', '1'] })).rejects.toThrow('has a class of "0+1": 1');
    await expect(model.learn({ ...tasks[1], classes: ['2', '2'] })).rejects.toThrow('names a class twice');
    await expect(model.learn({ ...tasks[1], labels: new Int32Array(0) })).rejects.toThrow('has no examples');
    expect(() => make('other' as 'ewc')).toThrow('there is no method "other"; known: hyperinterval, dp-hypernet');
    const few = make('hnet');
    await few.learn(tasks[0]);
    const wide = { ...tasks[1], classes: Array.from({ length: 11 }, (_, i) => `c${i}`) };
    await expect(few.learn(wide)).rejects.toThrow('there are 11 classes, the networks have 10 outputs');
  });
});
