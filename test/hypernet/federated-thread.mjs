// A client in a thread of its own, from the built package.

import { Random } from 'gossamer';
import { FederatedClient } from 'gossamer/hypernet';

export function createClient({ name, rows, seed }) {
  return new FederatedClient(name, rows, 2, new Random(seed));
}
