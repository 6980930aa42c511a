// Natural language: a recurrent network whose weights another one scales at every character (Ha et
// al., "HyperNetworks", ICLR 2017), beside a GRU with as many parameters.

import { CharacterVocabulary, generatedText, randomWindows, splitTokens } from '../../../data/index.js';
import { HyperRNN } from '../../../hypernet/index.js';
import { crossEntropy, Embedding, GRU, Linear } from '../../../nn/index.js';
import { type Random, scope, type Tensor } from '../../../tensor/index.js';
import { type GuideRow, train } from './row.js';

const WINDOW = 16;
const BATCH = 16;
const TEST_BATCH = 256;
const WIDTH = 12;
/** Hidden sizes that give both about 6,000 parameters. */
const [HYPER_HIDDEN, GRU_HIDDEN] = [40, 34];

/** A recurrent network that predicts the next character. */
class CharacterModel {
  readonly embedding: Embedding;
  readonly head: Linear;

  constructor(
    readonly characters: number,
    readonly cell: HyperRNN | GRU,
    random: Random,
  ) {
    this.embedding = new Embedding(characters, WIDTH, random.split('embedding'));
    this.head = new Linear(cell.hidden, characters, random.split('head'));
  }

  /** Characters [batch, time] → logits [batch · time, characters]. */
  forward(inputs: Tensor): Tensor {
    const { outputs } = this.cell.forward(this.embedding.forward(inputs));
    return this.head.forward(outputs.reshape([-1, this.cell.hidden]));
  }
}

export const language: GuideRow = {
  problem: 'natural language processing',
  design: 'HyperRNN: weights scaled at every character',
  plain: 'a GRU with as many parameters',
  measure: 'bits per character',
  better: 'smaller',
  async run(run) {
    const { random } = run;
    const text = generatedText(40_000, random.split('text'));
    const vocabulary = new CharacterVocabulary(text);
    const tokens = splitTokens(vocabulary.encode(text));
    const model = (cell: HyperRNN | GRU) => new CharacterModel(vocabulary.size, cell, random.split('model'));
    const hypernet = model(new HyperRNN(WIDTH, HYPER_HIDDEN, random.split('cell'), { smallHidden: 10 }));
    const plain = model(new GRU(WIDTH, GRU_HIDDEN, random.split('cell')));
    const lossOn = (live: CharacterModel, own: Int32Array, batch: number, draws: Random) => {
      const { inputs, targets } = randomWindows(own, batch, WINDOW, draws);
      return crossEntropy(live.forward(inputs), targets);
    };
    const bits = async (live: CharacterModel) => {
      await train(live, (own, { random: draws }) => lossOn(own, tokens.train, BATCH, draws), run);
      return scope(() => lossOn(live, tokens.validation, TEST_BATCH, random.split('test')).item()) / Math.LN2;
    };
    return { hypernet: await bits(hypernet), plain: await bits(plain) };
  },
};
