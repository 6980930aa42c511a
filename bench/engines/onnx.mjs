// What both ONNX runtimes run: the same layers and models, exported by Gossamer.

import { conv2d, Random, tensor } from '../../dist/index.js';
import { MobileNetV2 } from '../../dist/models/index.js';
import { inference, parameters } from '../../dist/nn/index.js';
import { exportOnnx } from '../../dist/trace/index.js';
import { values } from '../tasks.mjs';

const sized = (shape, seed) =>
  values(
    shape.reduce((a, b) => a * b),
    seed,
  );

/** MobileNetV2 with a share of its pointwise weights at zero, four rows alike. */
export function prunedMobileNet(zeros) {
  const model = new MobileNetV2(new Random(1));
  const random = new Random(2);
  for (const weight of Object.values(parameters(model))) {
    if (zeros === 0 || weight.rank !== 4 || weight.shape[2] !== 1) continue;
    const [rows, columns] = weight.shape;
    const kept = Float32Array.from({ length: Math.ceil(rows / 4) * columns }, () => (random.float() < zeros ? 0 : 1));
    weight.assign(
      weight.dataSync().map((value, i) => value * kept[Math.floor(i / columns / 4) * columns + (i % columns)]),
    );
  }
  return model;
}

/** Threads that the command line asks for first: a runtime's number is fixed when it starts. */
export const askedThreads = () =>
  Number((process.argv[process.argv.indexOf('--threads') + 1] ?? '1').split(',')[0]) || 1;

export function engineOf(ort, sessionOptions) {
  const runner = async (file, shape) => {
    const session = await ort.InferenceSession.create(file, sessionOptions);
    const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', sized(shape, 1), shape) };
    return async () => (await session.run(feeds))[session.outputNames[0]].data[0];
  };
  return {
    async convolution({ images: n, channels, filters, size, kernel, stride, padding, groups }) {
      const shape = [n, channels, size, size];
      const w = tensor(sized([filters, channels / groups, kernel, kernel], 2), [
        filters,
        channels / groups,
        kernel,
        kernel,
      ]);
      const file = exportOnnx(
        (x) => conv2d(x, w, undefined, { stride, padding, groups }),
        [tensor(sized(shape, 1), shape)],
      );
      return runner(file, shape);
    },
    async mobilenet(zeros = 0) {
      const model = prunedMobileNet(zeros);
      const shape = [1, 3, 224, 224];
      return runner(
        exportOnnx((x) => model.forward(x, inference), [tensor(sized(shape, 1), shape)]),
        shape,
      );
    },
  };
}
