import type { Tensor } from '../src/tensor/index.js';
import type { compile, importOnnx, loadPlan, OnnxModel, savePlan } from '../src/trace/index.js';

export interface CaseResult {
  readonly name: string;
  readonly outcome: 'right' | 'refused' | 'wrong';
  /** What was wrong, or why it was refused. */
  readonly reason: string;
}

export type WayToRun = (model: OnnxModel, inputs: readonly Tensor[]) => readonly Tensor[];

export const DEFAULT_FOLDER: string;

export function waysToRun(library: {
  readonly compile: typeof compile;
  readonly loadPlan: typeof loadPlan;
  readonly savePlan: typeof savePlan;
}): Readonly<Record<string, WayToRun>>;

export function runConformance(
  folder: string,
  run: WayToRun,
  library: {
    readonly importOnnx: typeof importOnnx;
    readonly scope: <T>(body: () => T) => T;
    readonly tensor: (values: number[], shape: readonly number[], dtype: 'f32' | 'i32') => Tensor;
  },
): CaseResult[];

export function countOutcomes(results: readonly CaseResult[]): Readonly<Record<CaseResult['outcome'], number>>;
