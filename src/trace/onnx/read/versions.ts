// Operators that meant before opset 11 what they mean in it.

const byVersion: Readonly<Record<number, string>> = {
  1: `Conv MatMul Transpose Identity Shape Size Not Softplus Softsign GlobalAveragePool GlobalMaxPool Softmax LogSoftmax
    Hardmax Squeeze Unsqueeze Constant ReduceMean ReduceSum ReduceMax ReduceMin ReduceLogSumExp ReduceL1 ReduceL2
    ReduceSumSquare ReduceLogSum ReduceProd ArgMax ArgMin Gather`,
  2: 'Split',
  4: 'Concat',
  5: 'Reshape',
  6: `Relu Sigmoid Tanh Exp Log Sqrt Reciprocal Abs Neg Floor Ceil Elu Selu LeakyRelu HardSigmoid
    InstanceNormalization Cast Tile`,
  7: 'And Or Xor Sin Cos Tan Add Sub Mul Div Pow Gemm PRelu AveragePool Equal',
  8: 'Sum Mean Max Min Expand MaxPool',
  9: 'Erf Sign Where BatchNormalization ConstantOfShape Less Greater Flatten IsNaN',
  10: 'ThresholdedRelu Dropout Slice IsInf',
};

/** The first opset from which on each operator means what it does in opset 11. */
export const unchangedSince: ReadonlyMap<string, number> = new Map(
  Object.entries(byVersion).flatMap(([version, names]) =>
    names.split(/\s+/).map((name) => [name, Number(version)] as const),
  ),
);
