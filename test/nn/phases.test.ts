import { expect, test } from 'vitest';
import { type CheckpointStore, phaseCheckpoints, type TrainingState } from '../../src/nn/index.js';
import { tensor } from '../../src/tensor/index.js';

function memory(): CheckpointStore & { state: TrainingState | undefined } {
  return {
    state: undefined,
    load() {
      return this.state;
    },
    save(state) {
      this.state = state;
    },
  };
}

const stateAt = (epoch: number): TrainingState => ({
  epoch,
  step: epoch,
  weights: { w: tensor([epoch]) },
  optimizer: { step: epoch, tensors: {} },
  best: { epoch, metric: 1, weights: { w: tensor([epoch]) } },
  history: [],
});

test('each phase resumes from its own state; a later state survives the earlier phase', () => {
  const store = memory();
  const first = phaseCheckpoints(store, ['teacher', 'student']);
  expect([first.teacher.load(), first.student.load()]).toEqual([undefined, undefined]);
  first.teacher.save(stateAt(3));
  const second = phaseCheckpoints(store, ['teacher', 'student']);
  expect(Object.keys(second.teacher.load()?.weights ?? {})).toEqual(['w']);
  expect(Object.keys(second.teacher.load()?.best?.weights ?? {})).toEqual(['w']);
  expect(second.student.load()).toBeUndefined();
  second.student.save(stateAt(5));
  const third = phaseCheckpoints(store, ['teacher', 'student']);
  expect(third.teacher.load()).toBeUndefined();
  third.teacher.save(stateAt(1));
  expect(third.student.load()?.epoch).toBe(5);
  expect(store.state?.epoch).toBe(5);
});
