// A user of SemiPFL: it trains its autoencoder for the server, and aggregates the base models that
// it is sent by its own labels.

import { FederatedClient } from '../federated/client.js';
import type { Message } from '../federated/message.js';
import { type AggregateOptions, PersonalModel } from './personal.js';

/** A client that ends with a personal model. */
export class SemiPFLClient extends FederatedClient {
  #model: PersonalModel | undefined;
  /** How it aggregates base models. */
  aggregation: AggregateOptions = {};

  /**
   * Its own model.
   *
   * @throws Error before the server has sent base models
   */
  get model(): PersonalModel {
    if (!this.#model) throw new Error(`user "${this.name}" has no model yet: the server has sent no base models`);
    return this.#model;
  }

  override async handle(message: Message): Promise<Message> {
    if (message.kind !== 'aggregate') return super.handle(message);
    const { network, arrays: encoder } = this.knownWeights();
    const { x, labels } = this.labelledRows();
    const { standardization } = this;
    const errors = requireErrors(message.fields.errors);
    this.#model = await PersonalModel.aggregate(
      { standardization, network, encoder, base: message.arrays },
      errors,
      x,
      labels,
      this.aggregation,
    );
    if (this.#model.classes !== this.classes)
      throw new Error(`the base models know ${this.#model.classes} classes, user "${this.name}" ${this.classes}`);
    return { kind: 'aggregated', fields: {}, arrays: {} };
  }
}

function requireErrors(errors: unknown): readonly number[] {
  if (!(Array.isArray(errors) && errors.length > 0 && errors.every((error) => typeof error === 'number' && error >= 0)))
    throw new Error('aggregate: expected the errors of the base models');
  return errors as number[];
}
