// The authors' checkpoints of MoE++ (github.com/SkyworkAI/MoE-plus-plus): names and configuration.

import { concatenate, keep, reshape, type Tensor } from '../../../tensor/index.js';
import type { MoEPlusPlusOptions } from '../../moepp.js';
import type { WeightMatrix, WeightUse } from '../matrix.js';
import type { GlobalRole, LayerRole } from '../weight-names.js';

/** Experts of a token, and constant experts of a layer, which the authors' code fixes. */
const [K, CONSTANTS] = [2, 2];

/** What config.json says under names of its own. */
interface Own {
  readonly hidden: number;
  readonly experts: {
    readonly count: number;
    readonly k: number;
    readonly normalised: true;
    readonly zeroComputation: MoEPlusPlusOptions;
  };
}

/**
 * The experts that config.json says: `num_experts` in all, of which the last four are two constant
 * ones, a copy and a zero expert. Left-out fields have the defaults of the authors' code.
 *
 * @throws Error naming a key that is missing or asks for what is not supported.
 */
export function moePlusPlusOfHuggingFace(config: Readonly<Record<string, unknown>>): Own {
  const { num_experts: counts, intermediate_size: hidden, moe_expert_interval: interval = 1 } = config;
  const count = Array.isArray(counts) ? counts[0] : counts;
  if (!(Number.isInteger(count) && count > CONSTANTS + 2))
    throw new Error(`"num_experts" is ${JSON.stringify(counts)}; MoE++ has at least ${CONSTANTS + 3}`);
  if (typeof hidden !== 'number') throw new Error('config.json lacks "intermediate_size"');
  if (interval !== 1) throw new Error(`"moe_expert_interval" is ${interval}; experts in every layer are supported`);
  const isMixtral = config.moe_use_mixtral_gating === true;
  const feedForward = count - CONSTANTS - 2;
  return {
    hidden,
    experts: {
      ...{ count: feedForward, k: Math.min(K, feedForward), normalised: true },
      zeroComputation: {
        experts: { feedForward, constant: CONSTANTS, copy: 1, zero: 1 },
        ...{ k: K, hidden, zeroGate: isMixtral ? 'keep' : 'renormalise' },
        ...(config.moe_2layer_gate !== false && { twoLayerRouter: true }),
        ...(config.moe_use_logits_norm === true && { logitScale: Number(config.moe_gate_norm_std ?? 1) }),
        ...(!isMixtral && config.moe_feature_no_mul_topk !== true && { inputScale: K }),
      },
    },
  };
}

/** Finds weights by name. */
interface Finder {
  readonly shapeOf: (name: string) => readonly number[] | undefined;
  readonly vector: (name: string) => Tensor | undefined;
  readonly matrix: (
    name: string,
    use: WeightUse,
    part?: { readonly rows?: readonly [number, number] },
  ) => WeightMatrix | undefined;
}

/** The weights that MoE++'s checkpoints have under names of their own. */
export class MoePlusPlusNames {
  constructor(readonly finder: Finder) {}

  /**
   * Routers, gating residuals and constants; undefined for other roles and where a file lacks them.
   */
  vector(role: LayerRole | GlobalRole, layer: number | undefined): Tensor | undefined {
    const { shapeOf, vector } = this.finder;
    const path = `model.layers.${layer}.mlp.moe`;
    const isDeep = shapeOf(`${path}.gate.wg.0.weight`) !== undefined;
    if (role === 'router') return vector(`${path}.gate.wg.${isDeep ? '2.' : ''}weight`);
    if (role === 'routerHidden') return vector(`${path}.gate.wg.0.weight`);
    if (role === 'residual') return vector(`${path}.gate.gate_map.weight`);
    if (role === 'constants') return this.#joined(path, 'constant');
    if (role === 'constantGate') return this.#joined(path, 'wg.weight');
    return undefined;
  }

  /** A tensor of every constant expert, one after the other. */
  #joined(path: string, name: string): Tensor | undefined {
    const { shapeOf, vector } = this.finder;
    const found: Tensor[] = [];
    const first = this.#count(path);
    for (let expert = first; shapeOf(`${path}.experts.experts.${expert}.${name}`); expert++)
      found.push(vector(`${path}.experts.experts.${expert}.${name}`) as Tensor);
    if (found.length === 0) return undefined;
    const joined = keep(concatenate(found.map((one) => reshape(one, [-1]))));
    for (const one of found) one.dispose();
    return joined;
  }

  /** Feed-forward experts of a layer, which come first. */
  #count(path: string): number {
    let count = 0;
    while (this.finder.shapeOf(`${path}.experts.experts.${count}.down_proj.weight`)) count += 1;
    return count;
  }

  /** Matrices of a layer's experts, whose rows of gates come before those of the up projection. */
  experts(role: 'gate' | 'up' | 'down', layer: number, count: number): (WeightMatrix | undefined)[] | undefined {
    const { shapeOf, matrix } = this.finder;
    const path = `model.layers.${layer}.mlp.moe.experts.experts`;
    if (!shapeOf(`${path}.0.down_proj.weight`)) return undefined;
    return Array.from({ length: count }, (_, expert) => {
      if (role === 'down') return matrix(`${path}.${expert}.down_proj.weight`, 'chosen');
      const name = `${path}.${expert}.up_proj.weight`;
      const hidden = (shapeOf(name)?.[0] ?? 0) / 2;
      return matrix(name, 'chosen', { rows: role === 'gate' ? [0, hidden] : [hidden, 2 * hidden] });
    });
  }
}
