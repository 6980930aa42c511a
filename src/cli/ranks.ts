// The ranks of a command: those of mpirun, or one.

import { alone, type Communicator, mpiCommunicator, underMpi } from '../distributed/index.js';

export function commandRanks(): Promise<Communicator> {
  return underMpi() ? mpiCommunicator() : Promise.resolve(alone());
}
