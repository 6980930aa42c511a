import { describe, expect, test } from 'vitest';
import { alone, type Communicator } from '../../src/distributed/index.js';
import { DispatchPlan, ExpertBank, runSharded, ShardedExperts, type ShardedJob } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

class NotSentYet extends Error {}

/**
 * Runs a program on several ranks in turns: a rank that needs what another has not sent yet starts
 * again after that one, and its earlier exchanges are replayed.
 */
function inTurns<T>(size: number, program: (communicator: Communicator) => T): T[] {
  const sent = Array.from({ length: size }, () => [] as { data: Float32Array; counts: readonly number[] }[]);
  const rankOf = (rank: number): Communicator => {
    let call = 0;
    return {
      ...{ ...alone(), rank, size },
      allToAll: (data, counts) => {
        const at = call++;
        (sent[rank] as (typeof sent)[number])[at] = { data: data.slice() as Float32Array, counts };
        if (sent.some((own) => !own[at])) throw new NotSentYet();
        const parts = sent.map((own) => {
          const { data: all, counts: each } = own[at] as (typeof own)[number];
          const begin = each.slice(0, rank).reduce((a, b) => a + b, 0);
          return all.subarray(begin, begin + (each[rank] as number));
        });
        const received = data.slice(0, 0).constructor as new (values: number[]) => typeof data;
        return { data: new received(parts.flatMap((part) => [...part])), counts: parts.map((part) => part.length) };
      },
    };
  };
  const results = new Map<number, T>();
  for (let round = 0; results.size < size && round < 20; round++)
    for (let rank = 0; rank < size; rank++)
      try {
        results.set(rank, program(rankOf(rank)));
      } catch (error) {
        if (!(error instanceof NotSentYet)) throw error;
      }
  return Array.from({ length: size }, (_, rank) => results.get(rank) as T);
}

const [EXPERTS, T, D, HIDDEN] = [5, 9, 4, 3];
const bank = new ExpertBank(EXPERTS, D, HIDDEN, new Random(1));
// 5 and 6 stand for experts that cost nothing; the last third of the tokens uses no other.
const choices = Int32Array.from([0, 4, 1, 5, 4, 3, 2, 6, 0, 1, 4, 0, 5, 6, 6, 5, 5, 6]);
const job: ShardedJob = {
  ...{ experts: EXPERTS, features: D, hidden: HIDDEN, activation: 'swiglu', k: 2, choices },
  up: bank.up.dataSync(),
  down: bank.down.dataSync(),
  tokens: uniformTensor(2, [T, D]).dataSync(),
  gates: uniformTensor(3, [T, 2]).dataSync(),
};

describe.each([1, 2, 3])('experts on %i ranks', (size) => {
  const results = inTurns(size, (communicator) => runSharded(communicator, [job, job]).at(-1));

  test('give what the bank gives', () => {
    const plan = new DispatchPlan(tensor(choices, [T, 2]), EXPERTS);
    const gathered = plan.gather(tensor(job.tokens, [T, D]));
    const expected = plan.combine(bank.forward(gathered, plan), tensor(job.gates, [T, 2])).dataSync();
    expectClose(
      results.flatMap((result) => [...(result?.output ?? [])]),
      expected,
      1e-6,
    );
  });

  test('exchange two rows per slot of an expert on another rank, and none for those that cost nothing', () => {
    const owner = (item: number, count: number) => {
      for (let rank = 0; rank < size; rank++) if (item < Math.floor(((rank + 1) * count) / size)) return rank;
      return size;
    };
    let [remote, all] = [0, 0];
    for (const [slot, expert] of choices.entries()) {
      if (expert >= EXPERTS) continue;
      all += 1;
      if (owner(expert, EXPERTS) !== owner(slot >> 1, T)) remote += 1;
    }
    expect(results.reduce((sum, result) => sum + (result?.bytes ?? 0), 0)).toBe(2 * 4 * D * remote);
    expect(results.reduce((sum, result) => sum + (result?.rows ?? 0), 0)).toBe(all);
  });
});

test('more ranks than experts are refused', () => {
  expect(() => new ShardedExperts(bank, { ...alone(), size: 6 })).toThrow('5 experts cannot be spread over 6 ranks');
});
