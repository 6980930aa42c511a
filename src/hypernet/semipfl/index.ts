// SemiPFL: users with few labels or none, each with a personal encoder and classifier, learnt
// together while their rows stay with them.
//
//   server:  θ_i = H(v_i; φ), an autoencoder for user i
//   user:    a few epochs on its own rows → θ̃_i;  Δθ_i = θ_i − θ̃_i goes back
//   server:  (φ, v_i) ← step along (∂θ_i/∂(φ, v_i))ᵀ Δθ_i
//   server:  base classifiers w_k of donor k's labelled codes Enc_θ̃_i(x)
//   user:    p(y|x) = Σ_k α_k p_k(y|Enc_θ̃_i(x)), α by labels, or by how well AE_i knows donor k
//
// Tashakori, Zhang, Wang, Servati, "SemiPFL: Personalized Semi-Supervised Federated Learning
// Framework for Edge Intelligence", IEEE Internet of Things Journal, 2023.

export { type BaseModelOptions, type BaseModels, type Donor, trainBaseModels } from './base-models.js';
export { SemiPFLClient } from './client.js';
export { fitMixture, type MixtureOptions, mixtureGain, mixtureWeights, priorLogits } from './mixture.js';
export {
  LEAST_ROWS_OF_NEWCOMER,
  SEMIPFL_MODEL,
  type SemiPFLDescription,
  SemiPFLModel,
  type ServerPart,
} from './model.js';
export { type AggregateOptions, PersonalModel } from './personal.js';
export {
  autoencoderSizes,
  type PersonalizeOptions,
  personalize,
  SEMIPFL_HIDDEN,
  semiPFLNetwork,
  semiPFLOrder,
} from './server.js';
