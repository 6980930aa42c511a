// Started by mpirun: runs a program of the suite; rank 0 prints what all ranks returned.

import { mpiCommunicator } from 'gossamer/distributed';
import { exercise, graphVite, pageRank, train } from './suite.mjs';

const communicator = await mpiCommunicator();
const result = await { exercise, graphVite, pageRank, train }[process.argv[2]](communicator);
const all = communicator.allGather(new TextEncoder().encode(JSON.stringify(result)));
if (communicator.rank === 0) console.log(`[${all.map((part) => new TextDecoder().decode(part)).join()}]`);
communicator.close();
