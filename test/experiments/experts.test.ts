import { expect, test } from 'vitest';
import { windowsAt } from '../../src/data/index.js';
import { remoteSlots } from '../../src/experiments/protocols/expert-studies.js';
import { expertScores, expertsByToken, measured } from '../../src/experiments/protocols/experts.js';
import { loadTokens } from '../../src/experiments/protocols/text.js';
import { decoderConfig, decoderOf, nextTokenLoss } from '../../src/lm/index.js';
import { Random } from '../../src/tensor/index.js';

const data = await loadTokens('grammar', { pairs: 0 });
const plus = { experts: { feedForward: 3, constant: 1 }, k: 2, hidden: 8, tau: 0.5 };
const config = decoderConfig({
  ...{ vocabulary: data.tokenizer.size, features: 16, layers: 2, heads: 2, hidden: 8, context: 64 },
  experts: { count: 3, k: 2, normalised: true, zeroComputation: plus },
});
const model = decoderOf(config, new Random(1));

test('a text is split in order: 80 % for training, 10 % for validation, 10 % for tests', () => {
  const { train, validation, test: last } = data.tokens;
  const all = train.length + validation.length + last.length;
  expect([train.length / all, validation.length / all, last.length / all].map((share) => share.toFixed(3))).toEqual([
    '0.800',
    '0.100',
    '0.100',
  ]);
});

test('usage is measured on test tokens, with the loss at each', () => {
  const { tokens, losses } = measured(model, data, 32);
  expect(tokens).toEqual(data.tokens.test.slice(0, tokens.length));
  const windows = Array.from({ length: tokens.length / 32 }, (_, i) => 32 * i);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  expect(mean).toBeCloseTo(nextTokenLoss(model, windowsAt(data.tokens.test, windows, 32)).item(), 4);
});

test('scores count the slots of feed-forward experts; means by token agree with them', () => {
  const { usage, tokens } = measured(model, data, 32);
  const { slots, variety } = expertScores(model, data, 32, 1);
  const rows = usage.reduce((sum, layer) => sum + layer.rows, 0);
  expect(slots).toBeCloseTo(rows / (2 * tokens.length), 9);
  const computed = usage.flatMap(({ routing }) => {
    const ids = routing.experts.view<Int32Array>();
    return Array.from({ length: tokens.length }, (_, t) => [0, 1].filter((j) => (ids[2 * t + j] as number) < 3).length);
  });
  const shares = [0, 1, 2].map((n) => computed.filter((count) => count === n).length / computed.length);
  const constants = usage.reduce((sum, { counts }) => sum + (counts[3] as number), 0) / computed.length;
  expect(variety).toBeCloseTo(100 * Math.min(...shares, constants), 9);
  for (const [token, experts, times] of expertsByToken(model, data, 32).rows) {
    const at = [...tokens.entries()].flatMap(([t, id]) =>
      JSON.stringify(data.tokenizer.decode([id])) === token ? [t] : [],
    );
    expect(at).toHaveLength(times as number);
    const sum = at.reduce((total, t) => total + (computed[t] ?? 0) + (computed[tokens.length + t] ?? 0), 0);
    expect(Number(experts)).toBeCloseTo(sum / (2 * at.length), 2);
  }
});

test('slots on other ranks are those whose expert is not where its token is', () => {
  // Tokens 0, 1 and experts 0, 1 on rank 0; experts from 4 on cost nothing.
  const job = { k: 2, experts: 4, choices: Int32Array.from([0, 2, 1, 4, 3, 0, 5, 4]) };
  expect(remoteSlots(job, 1)).toBe(0);
  expect(remoteSlots(job, 2)).toBe(2);
  expect(remoteSlots(job, 4)).toBe(3);
});
