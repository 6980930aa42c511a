// Prefetched batches: a worker thread augments and normalises the next batches during the current
// training step.

import { type Background, startBackground } from '../engine/index.js';
import { type Random, tensor } from '../tensor/index.js';
import { type Augmentation, augment, type ImageBytes } from './augment.js';
import { type ImageBatch, type ImageDataset, type LabelledImages, trainingBatches } from './images.js';

/** Options of `DataLoader`. */
export interface DataLoaderOptions {
  /** Images in a batch. */
  readonly batchSize: number;
  /** Default: none. */
  readonly augmentation?: Augmentation;
  /** Batches prefetched. Default 2. */
  readonly ahead?: number;
  /** Leave out the last batch where it is not full. Default false. */
  readonly dropLast?: boolean;
  /** Prepare batches in a worker rather than on the calling thread. Default true. */
  readonly worker?: boolean;
}

interface Request {
  readonly id: number;
  readonly indices: Int32Array;
  readonly options: Augmentation;
  readonly key: number;
}

interface Answer {
  readonly id: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * The worker's message handler: the first message holds the images, each further one requests a
 * batch.
 */
function serve(
  work: typeof augment,
): (message: unknown, answer: (message: unknown, transfer: ArrayBuffer[]) => void) => void {
  let images: ImageBytes;
  return (message, answer) => {
    if ('pixels' in (message as object)) {
      images = message as ImageBytes;
      return;
    }
    const { id, indices, options, key } = message as Request;
    const values = work(images, indices, options, key) as Float32Array<ArrayBuffer>;
    answer({ id, values }, [values.buffer]);
  };
}

/**
 * Shuffled, augmented batches of labelled images. A seed gives the same batches with and without
 * the worker.
 *
 * @example await fit({ …, batches: (random) => loader.epoch(random) }); loader.close();
 */
export class DataLoader {
  readonly #images: LabelledImages;
  readonly #bytes: ImageBytes;
  readonly #options: Required<DataLoaderOptions>;
  #background: Background | undefined;
  readonly #waiting = new Map<number, (values: Float32Array) => void>();
  #next = 0;

  constructor(
    images: LabelledImages,
    { mean, deviation }: Pick<ImageDataset, 'mean' | 'deviation'>,
    options: DataLoaderOptions,
  ) {
    if (!(Number.isInteger(options.batchSize) && options.batchSize > 0))
      throw new RangeError(`DataLoader: the batch size must be a positive integer, got ${options.batchSize}`);
    const { pixels, channels, height, width } = images;
    this.#images = images;
    this.#bytes = { pixels, channels, height, width, mean, deviation };
    this.#options = { augmentation: {}, ahead: 2, dropLast: false, worker: true, ...options };
  }

  /** Number of batches in an epoch. */
  get length(): number {
    const { batchSize, dropLast } = this.#options;
    const { count } = this.#images;
    return dropLast ? Math.floor(count / batchSize) : trainingBatches(count, batchSize);
  }

  /**
   * The batches of one epoch; a last one of one image joins the batch before it. The tensors of a
   * batch are disposed when the next batch is requested.
   */
  async *epoch(random: Random): AsyncGenerator<ImageBatch> {
    const { batchSize, ahead, dropLast } = this.#options;
    const { count } = this.#images;
    const order = random.permutation(this.#images.count);
    const key = random.word() | 0;
    const requests: Promise<Float32Array>[] = [];
    const endOf = (batch: number) => (batch === this.length - 1 && !dropLast ? count : (batch + 1) * batchSize);
    const indicesOf = (batch: number) => order.slice(batch * batchSize, endOf(batch));
    for (let batch = 0; batch < this.length; batch++) {
      while (requests.length < this.length && requests.length <= batch + ahead)
        requests.push(this.#prepare(indicesOf(requests.length), key));
      const values = await (requests[batch] as Promise<Float32Array>);
      const indices = indicesOf(batch);
      const { channels, height, width, labels } = this.#images;
      const images = tensor(values, [indices.length, channels, height, width]);
      const classes = tensor(
        indices.map((index) => labels[index] as number),
        [indices.length],
        'i32',
      );
      try {
        yield { images, labels: classes };
      } finally {
        images.dispose();
        classes.dispose();
      }
    }
  }

  #prepare(indices: Int32Array, key: number): Promise<Float32Array> {
    const { augmentation, worker } = this.#options;
    if (!worker) return Promise.resolve(augment(this.#bytes, indices, augmentation, key));
    this.#background ??= this.#start();
    const id = this.#next++;
    const answered = new Promise<Float32Array>((resolve) => this.#waiting.set(id, resolve));
    this.#background.send({ id, indices, options: augmentation, key } satisfies Request);
    return answered;
  }

  #start(): Background {
    const background = startBackground(`(${serve})(${augment})`, (message) => {
      const { id, values } = message as Answer;
      this.#waiting.get(id)?.(values);
      this.#waiting.delete(id);
    });
    background.send(this.#bytes);
    return background;
  }

  /** Ends the worker. */
  close(): void {
    this.#background?.close();
    this.#background = undefined;
  }
}
