import { smokeRuns } from './runs.js';

smokeRuns('graph');
