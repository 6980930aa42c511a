// 3×3 filters of each pixel's own, shared by groups of channels: see kernels/aggregation.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Region } from '../../region.js';
import type { Execution } from '../execution.js';

/** Sizes of x [images, channels, height, width], of which every `sharing`-th channel has the same filters. */
export interface AggregationSizes {
  readonly images: number;
  readonly channels: number;
  readonly sharing: number;
  readonly height: number;
  readonly width: number;
}

type OperandsOf<Name extends keyof KernelArguments> = Omit<
  KernelArguments[Name],
  'scratch' | 'scratchBytes' | keyof AggregationSizes
> & { readonly sizes: AggregationSizes };

/** Lends padded copies of the planes that share filters, and of as many planes of filters as are asked for. */
function withPlanes(
  run: Execution,
  { images, channels, sharing, height, width }: AggregationSizes,
  paddedFilters: number,
  use: (scratch: Region, scratchBytes: number, tasks: number, cost: number) => void,
): void {
  const scratchBytes = (channels / sharing + paddedFilters) * (height + 2) * (width + 2) * 4;
  run.withScratchEach(scratchBytes, (scratch) =>
    use(scratch, scratchBytes, images * sharing, (channels / sharing) * height * width * 3),
  );
}

function aggregate(run: Execution, { x, filters, y, sizes }: OperandsOf<'aggregate'>): void {
  const { channels, sharing, height, width } = sizes;
  withPlanes(run, sizes, 0, (scratch, scratchBytes, tasks, cost) =>
    run.over('aggregate', { x, filters, y, scratch, scratchBytes, channels, sharing, height, width }, tasks, cost),
  );
}

function aggregateInputGradient(run: Execution, { g, filters, x, sizes }: OperandsOf<'aggregateInputGradient'>): void {
  const { channels, sharing, height, width } = sizes;
  withPlanes(run, sizes, 9, (scratch, scratchBytes, tasks, cost) =>
    run.over(
      'aggregateInputGradient',
      { g, filters, x, scratch, scratchBytes, channels, sharing, height, width },
      tasks,
      cost,
    ),
  );
}

function aggregateFilterGradient(
  run: Execution,
  { x, g, filters, sizes }: OperandsOf<'aggregateFilterGradient'>,
): void {
  const { channels, sharing, height, width } = sizes;
  withPlanes(run, sizes, 0, (scratch, scratchBytes, tasks, cost) =>
    run.over(
      'aggregateFilterGradient',
      { x, g, filters, scratch, scratchBytes, channels, sharing, height, width },
      tasks,
      cost,
    ),
  );
}

export const aggregationRoutines = { aggregate, aggregateInputGradient, aggregateFilterGradient };
