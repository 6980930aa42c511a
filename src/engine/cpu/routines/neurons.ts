// Products with rows as they lie in a file (see kernels/neurons.ts).

import type { KernelArguments } from '../../generated/arguments.js';
import { type Region, regionAt } from '../../region.js';
import type { Execution } from '../execution.js';

/** The kind of activations, as kernels/blocks.ts numbers them, that are in order. */
const IN_ORDER = 4;

/** Lends rows of x as the kernels for a format read them. */
function withActivations(
  run: Execution,
  {
    x,
    format,
    m,
    columns,
  }: { readonly x: Region; readonly format: number; readonly m: number; readonly columns: number },
  use: (activations: { readonly x: Region; readonly scales: Region; readonly sums: Region }) => void,
): void {
  if (format === 0) {
    use({ x, scales: x, sums: x });
    return;
  }
  const count = (m * columns) / 32;
  run.withScratch(76 * count, (quanta) => {
    const [scales, sums] = [regionAt(quanta, 64 * count), regionAt(quanta, 68 * count)];
    run.over('quantizeBlocks', { x, quanta, scales, sums, kind: IN_ORDER }, count, 30);
    use({ x: quanta, scales, sums });
  });
}

type Given<Name extends keyof KernelArguments> = Omit<KernelArguments[Name], 'scales' | 'sums'>;

/** Gated neurons: hidden = factor·ReLU(W_gate x) ⊙ (W_up x) for one token. */
export interface GatedNeuronsArguments extends Given<'gatedNeurons'> {
  readonly neurons: number;
}

export const neuronRoutines = {
  rowsProduct: (run: Execution, args: Given<'rowsProduct'>): void =>
    withActivations(run, args, (own) =>
      run.over('rowsProduct', { ...args, ...own }, args.rows, args.m * args.columns * 0.1),
    ),
  gatedNeurons: (run: Execution, { neurons, ...args }: GatedNeuronsArguments): void =>
    withActivations(run, { ...args, m: 1 }, (own) =>
      run.over('gatedNeurons', { ...args, ...own }, neurons, args.columns * 0.15),
    ),
  addNeurons: (run: Execution, args: KernelArguments['addNeurons']): void =>
    run.over('addNeurons', args, Math.ceil(args.columns / 32), args.neurons * 6),
  unpackRows: (run: Execution, args: KernelArguments['unpackRows'] & { readonly rows: number }): void =>
    run.over('unpackRows', args, args.rows, args.columns * 0.5),
};
