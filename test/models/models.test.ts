import { describe, expect, test } from 'vitest';
import {
  Decoder,
  EfficientNet,
  LeNet,
  MobileNetV1,
  MobileNetV2,
  ResNet,
  SmallResNet,
  VisionTransformer,
  visionTransformers,
} from '../../src/models/index.js';
import { inference, type Layer, parameterCount, parameters } from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { cost } from '../../src/trace/index.js';
import { expectClose } from '../oracle.js';

const random = () => new Random(1);

// EfficientNet's multiply-adds are published to three digits: 0.386 and 0.687 billion.
describe('published parameter and multiply-add counts', () => {
  const published: readonly [string, () => Layer, readonly number[], number, number][] = [
    ['LeNet-5', () => new LeNet(random()), [1, 28, 28], 61_706, 416_520],
    ['ResNet-20', () => new SmallResNet(20, random()), [3, 32, 32], 269_722, 40_551_040],
    ['ResNet-56', () => new SmallResNet(56, random()), [3, 32, 32], 853_018, 125_485_696],
    ['ResNet-18', () => new ResNet(18, random()), [3, 224, 224], 11_689_512, 1_814_073_344],
    ['ResNet-50', () => new ResNet(50, random()), [3, 224, 224], 25_557_032, 4_089_184_256],
    ['MobileNetV1', () => new MobileNetV1(random()), [3, 224, 224], 4_231_976, 568_740_352],
    ['MobileNetV2', () => new MobileNetV2(random()), [3, 224, 224], 3_504_872, 300_774_272],
    ['EfficientNet-B0', () => new EfficientNet('b0', random()), [3, 224, 224], 5_288_548, 385_814_752],
    ['EfficientNet-B1', () => new EfficientNet('b1', random()), [3, 240, 240], 7_794_184, 686_802_832],
    [
      'DeiT-Tiny',
      () => new VisionTransformer(random(), visionTransformers['deit-tiny']),
      [3, 224, 224],
      5_717_416,
      1_253_683_200,
    ],
    [
      'DeiT-Small',
      () => new VisionTransformer(random(), visionTransformers['deit-small']),
      [3, 224, 224],
      22_050_664,
      4_598_882_304,
    ],
  ];
  test.each(published)('%s', (_, make, shape, parameterTotal, multiplyAdds) => {
    const model = make();
    expect(parameterCount(model)).toBe(parameterTotal);
    const counted = cost((x) => model.forward(x, inference), [zeros([1, ...shape])], parameters(model));
    expect([counted.parameters, counted.multiplyAdds]).toEqual([parameterTotal, multiplyAdds]);
  });
});

test('the decoder: parameters by hand, and no position sees a later token', () => {
  const model = new Decoder({ vocabulary: 65, features: 32, layers: 2, heads: 4, keyHeads: 2, hidden: 88 }, random());
  // Embedding (tied), and for each layer q, o (32²), k, v (32·16), gate, up, down (32·88), two
  // norms; the last norm.
  expect(parameterCount(model)).toBe(65 * 32 + 2 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 88 + 2 * 32) + 32);
  const logits = (tokens: number[]) => scope(() => model.forward(tensor(tokens, [1, tokens.length], 'i32')).dataSync());
  const [a, b] = [logits([1, 2, 3, 4]), logits([1, 2, 60, 7])];
  expectClose(a.subarray(0, 130), b.subarray(0, 130));
  expect(a.subarray(130)).not.toEqual(b.subarray(130));
});

test('a residual network learns to tell two patterns apart', () => {
  const model = new SmallResNet(8, random(), { channels: 1, classes: 2, widths: [4, 8, 8] });
  const x: Tensor = random().normal([4, 1, 12, 12]);
  expect(model.forward(x, { training: true, random: random() }).shape).toEqual([4, 2]);
  expect(() => new SmallResNet(21, random())).toThrow('the depth must be 6n + 2');
});
