// Studies of BlockFFN: sparsity by chunk length, its losses one by one, and the speed that sparsity
// gives to a layer and to generation.

import { median, secondsInTurns } from '../../engine/index.js';
import {
  CHUNK_LENGTHS,
  gatedBlocks,
  generate,
  LanguageModel,
  type LanguageModelConfig,
  lookupDraft,
  namedWeights,
} from '../../lm/index.js';
import { stateOf } from '../../nn/index.js';
import { BlockMatrix, blockMajor, blocksDown, blocksUp, usedBlocks } from '../../quantized/index.js';
import { keep, linear, Random, scope, slice, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { joinStudies, noStudies, studyOf } from '../parts/studies.js';
import {
  armsOf,
  BLOCKFFN,
  type BlockValues,
  blockMethods,
  NO_LOSSES,
  OPERATING,
  REMOE,
  TOPK,
  trainArm,
  usageOn,
} from './block-arms.js';
import type { TokenizedText, TrainedDecoder } from './text.js';

const percent = (share: number) => (100 * share).toFixed(1);

/** Studies of models of the first seed, whose trainings end at once where their checkpoints are. */
export async function blockStudies(
  data: TokenizedText,
  values: BlockValues,
  context: RunContext,
): Promise<StudyResults> {
  const methods = blockMethods(data, values);
  const of = async (title: string) => {
    const own = methods.filter((method) => method.title === title);
    return (await runMethods(own, context, { keep: title, stream: 'shared' })).kept as TrainedDecoder;
  };
  const models: Record<string, TrainedDecoder> = {};
  for (const title of [BLOCKFFN, NO_LOSSES, TOPK, REMOE]) models[title] = await of(title);
  const own = models[BLOCKFFN] as TrainedDecoder;
  return joinStudies(
    chunkStudy(models, data, values),
    await ablationStudy(data, values, context),
    values.speed === 'on' ? await layerStudy(own, data, values) : noStudies,
    values.speed === 'on' ? await generationStudy(own, data) : noStudies,
  );
}

/** CLS by chunk length on test tokens. */
function chunkStudy(
  models: Readonly<Record<string, TrainedDecoder>>,
  { tokens: { test } }: TokenizedText,
  values: BlockValues,
): StudyResults {
  const rows = Object.entries(models).map(([title, { model }]) => {
    const usage = usageOn(model, test, values);
    return [title, ...CHUNK_LENGTHS.map((length) => percent(usage?.cls(length) ?? Number.NaN))];
  });
  return studyOf({
    title: 'Chunk-level sparsity by chunk length',
    note: 'Share of (chunk, block) pairs without a use on test tokens, in %; chunks of one token give TLS. First seed.',
    columns: ['method', ...CHUNK_LENGTHS.map((length) => `${length}`)],
    rows,
  });
}

/** BlockFFN with one of its losses, with both, and without the schedule of κ. */
async function ablationStudy(data: TokenizedText, values: BlockValues, context: RunContext): Promise<StudyResults> {
  const { locality, chunkSparsity } = OPERATING;
  const weights = {
    'locality alone': { locality, chunkSparsity: 0 },
    'chunk sparsification alone': { locality: 0, chunkSparsity },
    both: { locality, chunkSparsity },
    'both, constant κ': { locality, chunkSparsity, schedule: false },
  } as const;
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = {};
  for (const [title, own] of Object.entries(weights)) {
    const arm = armsOf(data, values, own)[BLOCKFFN];
    if (!arm) continue;
    const setting = { learningRate: 3e-3, weight: own.chunkSparsity };
    const random = context.random.split('methods');
    const { model } = await trainArm(arm, data, values, setting, random, context.hooks(`ablation, ${title}`));
    const usage = usageOn(model, data.tokens.test, values);
    if (!usage) continue;
    const [tls, cls8, cls32] = [usage.tls, usage.cls(8), usage.cls(32)];
    scores[`tls ${title}`] = 100 * tls;
    scores[`share ${title}`] = cls8 / tls;
    rows.push([title, percent(tls), percent(cls8), percent(cls32), (cls8 / tls).toFixed(3)]);
  }
  return studyOf(
    {
      title: 'The two losses',
      note: `BlockFFN with λ = ${locality} and κ₀ = ${chunkSparsity}, or one of them 0; learning rate 0.003; on test tokens, first seed.`,
      columns: ['losses', 'TLS (%)', 'CLS8 (%)', 'CLS32 (%)', 'CLS8/TLS'],
      rows,
    },
    scores,
  );
}

/** Sizes of the layer that is timed. */
const LAYER = { features: 512, count: 64, width: 64 } as const;
const CHUNKS = [1, 8, 32];
/** Tokens that each of them is timed on. */
const TIMED = 96;

/** Gates of test tokens in a layer of 64 blocks: those of the trained layers side by side. */
function trainedGates({ model, config }: TrainedDecoder, { tokens: { test } }: TokenizedText): Tensor {
  const own = new LanguageModel(config, namedWeights(stateOf(model)));
  const layers = own.blockGates(test.subarray(0, 512));
  const experts = config.blocks?.count ?? 0;
  const tokens = (layers[0] as Float32Array).length / experts;
  const gates = new Float32Array(tokens * LAYER.count);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < LAYER.count; i++)
      gates[t * LAYER.count + i] = layers[Math.floor(i / experts) % layers.length]?.[t * experts + (i % experts)] ?? 0;
  return tensor(gates, [tokens, LAYER.count]);
}

interface Weights {
  readonly up: Tensor | BlockMatrix;
  readonly down: Tensor | BlockMatrix;
  /** [features, count·width]. */
  readonly whole: Tensor | BlockMatrix;
}

/** All blocks of a layer. */
function denseLayer(x: Tensor, gates: Tensor, { up, whole }: Weights): Tensor {
  const product = (input: Tensor, weights: Tensor | BlockMatrix) =>
    weights instanceof BlockMatrix ? weights.multiply(input) : linear(input, weights);
  return gatedBlocks(
    x,
    gates,
    (input) => product(input, up),
    (hidden) => product(hidden, whole),
  );
}

/** Time of a layer with all blocks and with those in use, for one token and for chunks. */
async function layerStudy(own: TrainedDecoder, data: TokenizedText, { length }: BlockValues): Promise<StudyResults> {
  using _ = scope();
  const gates = trainedGates(own, data);
  const random = new Random(1);
  const { features, count, width } = LAYER;
  const [up, down] = [random.normal([count * width, features]), random.normal([features, count * width])];
  const formats: Record<string, Weights> = {
    f32: { up, down: blockMajor(down, LAYER), whole: down },
    Q8_0: {
      up: BlockMatrix.quantize(up, 'Q8_0'),
      down: blockMajor(down, LAYER, 'Q8_0'),
      whole: BlockMatrix.quantize(down, 'Q8_0'),
    },
  };
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = {};
  for (const [format, weights] of Object.entries(formats))
    for (const n of CHUNKS) {
      const chunks = Array.from({ length: Math.max(1, Math.min(32, Math.floor(TIMED / n))) }, (_, i) => {
        const part = keep(slice(gates, [i * n, (i + 1) * n]));
        return { gates: part, x: keep(random.normal([n, features])) };
      });
      const inactive =
        1 - chunks.reduce((sum, part) => sum + usedBlocks(part.gates).length, 0) / (chunks.length * count);
      const seconds = await secondsInTurns(
        {
          dense: () => {
            for (const { x, gates: own } of chunks) scope(() => void denseLayer(x, own, weights));
          },
          used: () => {
            for (const { x, gates: own } of chunks)
              scope(() => {
                const used = usedBlocks(own);
                blocksDown(blocksUp(x, weights.up, own, used, width), weights.down, used, features);
              });
          },
        },
        { repeats: 7 },
      );
      const [limit, gain] = [1 / (1 - inactive), seconds.dense / seconds.used];
      scores[`share ${format} ${n}`] = gain / limit;
      const micro = (time: number) => ((1e6 * time) / (chunks.length * n)).toFixed(1);
      rows.push([
        ...[format, n, percent(inactive), micro(seconds.dense), micro(seconds.used)],
        ...[gain.toFixed(2), limit.toFixed(2), (gain / limit).toFixed(2)],
      ]);
      for (const { gates: part, x } of chunks) for (const one of [part, x]) one.dispose();
    }
  return studyOf(
    {
      title: 'A layer with the blocks in use',
      note: `A layer of ${count} blocks ${features} → ${width} → ${features} with random weights and the gates of the trained layers, side by side, on test tokens. Microseconds a token with all blocks and with those that any token of a chunk uses; the limit is 1/(1 − CLS). Windows of training had ${length} tokens.`,
      columns: ['format', 'chunk', 'CLS (%)', 'all (µs)', 'used (µs)', 'speed-up', 'limit', 'share of the limit'],
      rows,
    },
    scores,
  );
}

const PROMPTS = 3;
const PROMPT = 64;
const MADE = 96;
const DRAFT = { n: 3, tokens: 7 };

/** Plain and speculative generation, with all blocks and with those in use. */
async function generationStudy({ model, config }: TrainedDecoder, { tokens: { test } }: TokenizedText) {
  const state = stateOf(model);
  const of = (execution: 'dense' | 'sparse') => {
    const blocks = { count: config.blocks?.count ?? 0, ...config.blocks, execution };
    return new LanguageModel({ ...config, blocks } satisfies LanguageModelConfig, namedWeights(state));
  };
  const step = Math.floor((test.length - PROMPT) / PROMPTS);
  const prompts = Array.from({ length: PROMPTS }, (_, i) => [...test.subarray(i * step, i * step + PROMPT)]);
  const arms = {
    plain: { own: of('dense'), isDrafted: false },
    'plain, blocks in use': { own: of('sparse'), isDrafted: false },
    speculative: { own: of('dense'), isDrafted: true },
    'speculative, blocks in use': { own: of('sparse'), isDrafted: true },
  };
  const ids = new Map<string, string>();
  const passes = new Map<string, number>();
  const body =
    (title: string, { own, isDrafted }: (typeof arms)[keyof typeof arms]) =>
    async () => {
      const all: number[] = [];
      let count = 0;
      for (const prompt of prompts) {
        const cache = own.cache();
        const options = {
          ...{ temperature: 0, maxTokens: MADE, cache, draft: isDrafted ? lookupDraft(DRAFT) : undefined },
          read: async (tokens: readonly number[], to: typeof cache, every: boolean) => {
            count += 1;
            return scope(() => own.forward(tokens, to, { all: every }).dataSync<Float32Array>().slice());
          },
        };
        for await (const id of generate(own, prompt, options)) all.push(id);
        cache.dispose();
      }
      ids.set(title, all.join());
      passes.set(title, count);
    };
  const bodies = Object.fromEntries(Object.entries(arms).map(([title, arm]) => [title, body(title, arm)]));
  const seconds: Readonly<Record<string, number>> = await secondsInTurns(bodies, {
    repeats: 5,
    warmUp: 1,
    statistic: median,
  });
  const speed = (title: string) => (PROMPTS * MADE) / (seconds[title] as number);
  const titles = Object.keys(arms);
  const isSame = titles.every((title) => ids.get(title) === ids.get('plain'));
  return studyOf(
    {
      title: 'Generation: sparsity and speculation',
      note: `Greedy, ${MADE} tokens after each of ${PROMPTS} prompts of ${PROMPT} test tokens, median of 5, one after the other in turns; guesses are looked up in the text so far (${DRAFT.tokens} after ${DRAFT.n} equal tokens). Tokens are ${isSame ? 'the same in all four' : 'NOT the same'}. The model is small: products are a part of a pass.`,
      columns: ['generation', 'tokens a second', 'over plain', 'tokens a pass'],
      rows: titles.map((title) => [
        title,
        speed(title).toFixed(1),
        (speed(title) / speed('plain')).toFixed(2),
        ((PROMPTS * MADE) / (passes.get(title) as number)).toFixed(2),
      ]),
    },
    { ...Object.fromEntries(titles.map((title) => [`speed ${title}`, speed(title)])), 'same ids': Number(isSame) },
  );
}
