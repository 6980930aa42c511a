// Encodings of times and of spans of time.

import { parameter } from '../../nn/index.js';
import { add, multiply, type Tensor, tensor, zeros } from '../../tensor/index.js';

/**
 * φ(t) = cos(t·ω + b) with learned ω and b; ω starts from a geometric sequence of 1 … 10⁻⁹, b from
 * 0.
 */
export class TimeEncoding {
  /** ω, [width]. */
  frequencies: Tensor;
  /** b, [width]. */
  phases: Tensor;

  constructor(width: number) {
    const omega = Float32Array.from({ length: width }, (_, i) => 10 ** -((9 * i) / Math.max(1, width - 1)));
    this.frequencies = parameter(tensor(omega));
    this.phases = parameter(zeros([width]));
  }

  /** times [n] → [n, width]. */
  forward(times: Float32Array): Tensor {
    return add(multiply(tensor(times, [times.length, 1]), this.frequencies), this.phases).cos();
  }
}
