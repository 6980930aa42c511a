// Floor 3: communication between ranks.

export { alone, type Communicator, type Numbers, type Reduction, shareOf } from './communicator.js';
export { mpiCommunicator, underMpi } from './mpi.js';
export { runOnThreads, ThreadCommunicator, type ThreadLink, threadLinks } from './threads.js';
