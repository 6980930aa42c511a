// The parametric ReLU (He et al., "Delving Deep into Rectifiers", ICCV 2015).

import { add, full, multiply, relu, subtract, type Tensor } from '../tensor/index.js';
import type { Layer } from './layer.js';
import { parameter } from './module.js';

/** max(x, 0) + a·min(x, 0) with one learned slope a. Default of a at the start: 0.25. */
export class PReLU implements Layer {
  /** a [1]. */
  slope: Tensor;

  constructor(slope = 0.25) {
    this.slope = parameter(full([1], slope));
  }

  forward(x: Tensor): Tensor {
    return add(multiply(x, this.slope), multiply(relu(x), subtract(1, this.slope)));
  }
}
