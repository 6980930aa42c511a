// What the papers and their code say of the networks of `imageModel`: figures as data, and the
// images that a network is made for.

import { emov2Figures } from './emov2/index.js';
import { pfFigures } from './pflayer/index.js';
import type { ImageShape } from './zoo.js';

/** Published figures of a network; a field is missing where no source is known. */
export interface PublishedFigures {
  /** Top-1 accuracy in %, on test images. */
  readonly accuracy?: number;
  /** What that was measured on. */
  readonly data?: 'ImageNet' | 'CIFAR-10';
  /** Parameters, counted in the authors' code. */
  readonly parameters?: number;
  /**
   * Multiply-adds of an image, counted in the authors' code: convolutions, products and attention.
   */
  readonly multiplyAdds?: number;
  /** The form that both counts are of. Default: `trained`. */
  readonly form?: 'trained' | 'deployed';
}

const imageNet = (parameters: number, multiplyAdds: number, accuracy?: number): PublishedFigures => ({
  ...{ parameters, multiplyAdds },
  ...(accuracy !== undefined && { accuracy, data: 'ImageNet' }),
});
const cifar10 = (parameters: number, multiplyAdds: number, accuracy?: number): PublishedFigures => ({
  ...imageNet(parameters, multiplyAdds),
  ...(accuracy !== undefined && { accuracy, data: 'CIFAR-10' }),
});
const vanillaNet = (parameters: number, multiplyAdds: number, accuracy: number): PublishedFigures => ({
  ...imageNet(parameters, multiplyAdds, accuracy),
  form: 'deployed',
});

/**
 * Multiply-adds of EMOv2 by our count of the authors' code; theirs count norms too. Our networks
 * spare up to 2 % of them: where one window holds the map, close and remote windows are the same.
 */
const emov2MultiplyAdds: Readonly<Record<string, number>> = {
  'emov2-1m': 279_936_484,
  'emov2-2m': 480_811_600,
  'emov2-5m': 1_025_113_984,
  'emov2-20m': 3_997_004_032,
  'emov2-50m': 8_767_262_720,
};

const emov2 = Object.fromEntries(
  Object.entries(emov2Figures).map(([name, { parameters, accuracy }]): [string, PublishedFigures] => [
    name,
    {
      parameters,
      ...(emov2MultiplyAdds[name] !== undefined && { multiplyAdds: emov2MultiplyAdds[name] }),
      ...(accuracy && { accuracy: accuracy.plain, data: 'ImageNet' }),
    },
  ]),
);

const pfLayer = Object.fromEntries(
  Object.entries(pfFigures).map(([name, { parameters, multiplyAdds, accuracy }]): [string, PublishedFigures] => [
    name,
    imageNet(parameters, multiplyAdds, accuracy?.plain),
  ]),
);

/** SimpleNet for ImageNet: parameters, then multiply-adds and accuracy in modes m1 and m2. */
const simpleNet = (
  name: string,
  parameters: number,
  ...modes: readonly (readonly [multiplyAdds: number, accuracy: number])[]
): Readonly<Record<string, PublishedFigures>> =>
  Object.fromEntries(modes.map(([count, accuracy], i) => [`${name}-m${i + 1}`, imageNet(parameters, count, accuracy)]));

/** Published figures by name: papers, READMEs, and counts of the authors' code. */
export const publishedFigures: Readonly<Record<string, PublishedFigures>> = {
  resnet20: cifar10(269_722, 40_551_040, 91.25),
  resnet32: cifar10(464_154, 68_862_592, 92.49),
  resnet44: cifar10(658_586, 97_174_144, 92.83),
  resnet56: cifar10(853_018, 125_485_696, 93.03),
  resnet110: cifar10(1_727_962, 252_887_680, 93.57),
  resnet18: imageNet(11_689_512, 1_814_073_344, 69.76),
  resnet34: imageNet(21_797_672, 3_663_761_408, 73.31),
  'mobilenet-v1': imageNet(4_231_976, 568_740_352, 70.6),
  'mobilenet-v2': imageNet(3_504_872, 300_774_272, 72),
  'deit-tiny': imageNet(5_717_416, 1_253_683_200, 72.2),
  'deit-small': imageNet(22_050_664, 4_598_882_304, 79.9),
  'vanillanet-5': vanillaNet(15_523_304, 5_161_185_280, 72.49),
  'vanillanet-6': vanillaNet(32_509_416, 5_993_103_360, 76.36),
  'vanillanet-7': vanillaNet(32_797_672, 6_893_862_912, 77.98),
  'vanillanet-8': vanillaNet(37_096_424, 7_735_615_488, 79.13),
  'vanillanet-9': vanillaNet(41_395_176, 8_577_368_064, 79.87),
  'vanillanet-10': vanillaNet(45_693_928, 9_419_120_640, 80.57),
  'vanillanet-11': vanillaNet(49_992_680, 10_260_873_216, 81.08),
  'vanillanet-12': vanillaNet(54_291_432, 11_102_625_792, 81.55),
  'vanillanet-13': vanillaNet(58_590_184, 11_944_378_368, 82.05),
  'vanillanet-13-1.5x': vanillaNet(127_796_200, 26_548_445_184, 82.53),
  'vanillanet-13-1.5x-ada': vanillaNet(127_796_200, 48_982_528_512, 83.11),
  'simplenet-310k': cifar10(312_362, 55_788_160, 91.98),
  'simplenet-460k': cifar10(385_790, 73_189_864, 92.33),
  // 95.51 % are those of `simpleNetExtraPool`.
  'simplenet-5m': cifar10(5_498_378, 652_151_296),
  ...simpleNet('simplenet-in1.5m', 1_506_792, [340_923_392, 61.12], [427_627_520, 61.67]),
  ...simpleNet('simplenet-in3m', 3_287_272, [758_853_120, 67.78], [953_937_408, 68.51]),
  ...simpleNet('simplenet-in5m', 5_752_808, [1_341_761_536, 71.55], [1_688_578_048, 72.03]),
  ...simpleNet('simplenet-in9m', 9_508_968, [2_774_249_984, 73.79], [3_554_587_136, 74.23]),
  // The second term is aggregation: 9·C·H·W of each LS convolution.
  'lsnet-t': imageNet(11_409_832, 315_147_392 + 677_376, 74.9),
  'lsnet-s': imageNet(16_146_304, 537_069_632 + 903_168, 77.8),
  'lsnet-b': imageNet(23_313_608, 1_240_906_752 + 3_838_464, 80.3),
  ...emov2,
  ...pfLayer,
  terminator: { parameters: 1_336_855, accuracy: 95.32, data: 'CIFAR-10' },
  'phc-vgg19': { parameters: 9_952_744 },
};

const grey28 = { channels: 1, classes: 10, size: 28 } as const;
const colour32 = { channels: 3, classes: 10, size: 32 } as const;
const colour224 = { channels: 3, classes: 1000, size: 224 } as const;

/** Nano networks for images of another size: the first averages pixels, the second halves maps. */
const nanoSizes: Readonly<Record<string, number>> = { 'terminator-nano': 14, 'pf-nano-hybrid': 32 };
/** Networks for grey images of 28 pixels, by their names; ours. */
const nano = /-nano(-|$)/;
/** Networks for colour images of 32 pixels. */
const small =
  /^(resnet(8|20|32|44|56|110)|(vgg|googlenet|mobilenet|efficientnet).*-small|simplenet-(310k|460k|5m)|terminator|phc-.*|binary-net-deep)$/;

/** The images and classes that a network is made for: 28², 32² or 224² pixels. */
export function usualShape(name: string): ImageShape {
  if (name === 'lenet' || name === 'binary-net' || name.startsWith('vit-softhgnn') || nano.test(name))
    return { ...grey28, size: nanoSizes[name] ?? grey28.size };
  return small.test(name) ? colour32 : colour224;
}
