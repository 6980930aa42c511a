import { smokeRuns } from './runs.js';

smokeRuns('hypergraph');
