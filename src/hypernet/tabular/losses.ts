// The losses of gradient boosting: gradients g and Hessians h of each output at the rows' outputs.

/** A loss of the rows' outputs, [rows, outputs] row-major. */
export interface Loss {
  /** Takes the outputs that the derivatives are asked for. */
  at(reached: Float64Array): void;
  /** Writes g and h of each row by one output. */
  derivatives(output: number, gradients: Float64Array, hessians: Float64Array): void;
}

/** The softmax loss: g = p − y, h = p(1 − p). */
export function softmaxLoss(labels: Int32Array, classes: number): Loss {
  let p: Float64Array = new Float64Array();
  return {
    at(reached) {
      p = softmaxRows(reached, classes);
    },
    derivatives(output, gradients, hessians) {
      for (let row = 0; row < labels.length; row++) {
        const own = p[row * classes + output] as number;
        gradients[row] = own - Number(labels[row] === output);
        hessians[row] = own * (1 - own);
      }
    },
  };
}

/** The softmax loss of two classes whose outputs are f and −f; the derivatives are those of f. */
export function logisticLoss(labels: Int32Array): Loss {
  let both: Float64Array = new Float64Array();
  return {
    at(reached) {
      both = reached;
    },
    derivatives(_, gradients, hessians) {
      for (let row = 0; row < labels.length; row++) {
        const f = both[2 * row] as number;
        const small = Math.exp(-2 * Math.abs(f));
        const own = (f < 0 ? small : 1) / (1 + small);
        gradients[row] = own - Number(labels[row] === 0);
        hessians[row] = own * (1 - own);
      }
    },
  };
}

/** Squared error: g = f − y, h = 1. */
export function squaredLoss(values: Float64Array): Loss {
  let outputs: Float64Array = new Float64Array();
  return {
    at(reached) {
      outputs = reached;
    },
    derivatives(_, gradients, hessians) {
      for (let row = 0; row < values.length; row++) gradients[row] = (outputs[row] as number) - (values[row] as number);
      hessians.fill(1);
    },
  };
}

/** Softmax of each row of logits [rows, classes], row-major. */
export function softmaxRows(logits: Float64Array, classes: number): Float64Array {
  const p = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    let most = Number.NEGATIVE_INFINITY;
    for (let c = row; c < row + classes; c++) most = Math.max(most, logits[c] as number);
    let total = 0;
    for (let c = row; c < row + classes; c++) {
      p[c] = Math.exp((logits[c] as number) - most);
      total += p[c] as number;
    }
    for (let c = row; c < row + classes; c++) p[c] = (p[c] as number) / total;
  }
  return p;
}
