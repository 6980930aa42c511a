// The ranks of a command: those of mpirun, or one.

import { alone, type Communicator, mpiCommunicator, underMpi } from '../distributed/index.js';

/**
 * Runs a command's work on its ranks. A failing rank reports its error and exits at once, which
 * ends the whole job; otherwise the other ranks would wait for it.
 */
export async function withRanks(work: (ranks: Communicator) => Promise<void>): Promise<void> {
  const ranks = underMpi() ? await mpiCommunicator() : alone();
  try {
    await work(ranks);
  } catch (error) {
    if (ranks.size === 1) throw error;
    console.error(`gossamer: rank ${ranks.rank} of ${ranks.size}: ${(error as Error).message}`);
    process.exit(2);
  }
  ranks.close();
}
